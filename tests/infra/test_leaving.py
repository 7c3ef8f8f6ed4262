import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import atexit, sys
from infra.leaving import run_and_leave

class Freed:
    def __del__(self):
        sys.stderr.write("freed ")

kept = Freed()

def main():
    atexit.register(sys.stderr.write, "handler ")
    sys.stdout.write("written ")
    {end}

run_and_leave(main)
"""


def ended(end: str) -> subprocess.CompletedProcess[str]:
    """A process whose `main` ends like this."""
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(end=end)], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("code", [0, 2])
def test_exit_handlers_run_and_output_is_whole_but_nothing_is_freed(code: int) -> None:
    done = ended(f"return {code}")

    assert done.returncode == code
    assert done.stdout == "written "
    assert done.stderr == "handler "


@pytest.mark.parametrize(("end", "code"), [("sys.exit(2)", 2), ("raise ValueError('no')", 1)])
def test_an_exception_ends_the_process_in_the_usual_way(end: str, code: int) -> None:
    done = ended(end)

    assert done.returncode == code
    assert done.stdout == "written "
    assert ("ValueError: no" in done.stderr) == (code == 1)
    assert done.stderr.endswith("handler freed ")
