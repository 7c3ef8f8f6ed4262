"""./cdk as an infra engineer types it: the pinned CLI, validation where it matters, no deploy to the placeholder account."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAY_VALIDATION = 'sh -c "echo validation=$CDK_VALIDATION >&2; exit 3"'


def cdk(*words: str, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in {"CI", "CDK_VALIDATION"}}
    return subprocess.run(
        [str(ROOT / "cdk"), *words],
        cwd=cwd,
        env=inherited | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_cli_is_the_pinned_one() -> None:
    pinned = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]

    assert cdk("--version").stdout.split()[0] == pinned


def test_list_names_the_stacks_of_one_environment_from_any_folder(tmp_path: Path) -> None:
    done = cdk("list", "-c", "env=dev", "-o", str(tmp_path / "out"), cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    names = {line.split(" ")[0] for line in done.stdout.splitlines()}
    assert {"dev/network", "dev/data", "dev/cluster-batch", "dev/platform-batch"} <= names
    assert all(name.startswith("dev/") for name in names)


@pytest.mark.parametrize("command", ["deploy", "destroy", "watch", "import"])
def test_a_command_that_changes_the_placeholder_account_is_refused_with_what_to_edit(command: str) -> None:
    done = cdk(command, "dev/**")

    assert done.returncode == 2
    assert f"cdk {command} of dev is refused" in done.stderr
    assert "environments/dev.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_environment_is_refused_with_the_known_ones() -> None:
    done = cdk("synth", "-c", "env=devv", "--quiet")

    assert done.returncode != 0
    assert "one of dev, prod, staging, test" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("environment", "said"), [({}, "validation=false"), ({"CI": "1"}, "validation=\n")])
def test_template_validation_is_off_while_editing_and_on_in_ci(
    environment: dict[str, str], said: str, tmp_path: Path
) -> None:
    done = cdk("synth", "--app", SAY_VALIDATION, "-o", str(tmp_path / "out"), environment=environment)

    assert said in done.stderr
