"""The images' locks are cuts of the project's lock, and fresh."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = re.compile(r"^([a-z0-9.-]+)==", re.MULTILINE)


def test_the_committed_locks_are_what_the_script_writes() -> None:
    program = (
        "import sys; sys.path.insert(0, 'scripts'); import image_locks\n"
        "for image in ('archer', 'spark'): sys.stdout.write(image_locks.lock_of(image))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    committed = "".join((ROOT / "images" / image / "requirements.lock").read_text() for image in ("archer", "spark"))
    assert done.stdout == committed, "run `python scripts/image_locks.py`"


def test_archers_lock_has_what_the_service_imports_and_nothing_of_cdk_or_spark() -> None:
    names = set(NAMES.findall((ROOT / "images" / "archer" / "requirements.lock").read_text()))

    assert {"fastapi", "sqlalchemy", "uvicorn", "typer", "pydantic-core", "starlette"} <= names
    assert not names & {"aws-cdk-lib", "cdk8s", "jsii", "pyspark", "pytest", "moto"}


@pytest.mark.parametrize("image", ["archer", "spark"])
def test_every_package_of_a_lock_has_hashes(image: str) -> None:
    text = (ROOT / "images" / image / "requirements.lock").read_text()
    blocks = [block for block in re.split(r"\n(?=[a-z])", text) if not block.startswith("#")]

    assert blocks
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)
