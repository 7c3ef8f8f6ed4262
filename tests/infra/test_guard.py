import subprocess
import sys
from pathlib import Path

import pytest

from environments.loading import FOLDER
from infra import guard

ROOT = Path(__file__).parents[2]


@pytest.fixture
def own_account(tmp_path: Path) -> Path:
    """A copy of dev.yaml with an account of one's own."""
    file = tmp_path / "dev.yaml"
    file.write_text((FOLDER / "dev.yaml").read_text().replace("111111111111", "222222222222"))
    return file


@pytest.mark.parametrize("command", sorted(guard.CHANGING_COMMANDS))
def test_a_command_that_writes_to_the_placeholder_account_is_refused(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard.main([command, "dev/**"]) == 2

    first, second, *rest = capsys.readouterr().err.splitlines()
    assert first == f"moka: cdk {command} of dev is refused: its file names the placeholder account 111111111111"
    assert second.startswith("  edit  environments/dev.yaml: write your own account into account, ")
    assert "clusters[0].access[0].role_arn" in second
    assert "archer.endpoint.certificate_arn" in second
    assert rest == []


@pytest.mark.parametrize("command", ["synth", "list", "diff", "bootstrap", "doctor", "--version"])
def test_a_command_that_writes_nothing_goes_on(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard.main([command, "dev/**"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_of_a_command_that_writes_is_given(option: str) -> None:
    assert guard.main(["deploy", option]) == 0
    assert guard.main(["destroy", "prod/**", option]) == 0


def test_no_arguments_go_on() -> None:
    assert guard.main([]) == 0


def test_a_deploy_to_an_account_of_ones_own_goes_on(own_account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard.main(["deploy", "-c", f"env={own_account}", "dev/**"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (["deploy", "dev/**"], ["dev"]),
        (["deploy", "dev/network", "prod/data"], ["dev", "prod"]),
        (["deploy", "*/network"], ["dev", "prod", "staging", "test"]),
        (["deploy", "--all"], ["dev", "prod", "staging", "test"]),
        (["deploy", "-c", "env=test", "--all"], ["test"]),
        (["deploy", "--context=env=test,dev", "**"], ["test", "dev"]),
        (["deploy", "{dev,test}/network"], ["dev", "prod", "staging", "test"]),
        (["--profile", "prod", "deploy", "dev/**"], ["dev"]),
        (["deploy", "dev/**", "--require-approval", "never", "-r", "arn:aws:iam::111111111111:role/X"], ["dev"]),
        (["deploy", "moka-dev-network"], ["dev", "prod", "staging", "test"]),
    ],
)
def test_every_environment_that_the_patterns_can_reach_is_judged(
    arguments: list[str], refused: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard.main(arguments) == 2

    told = [line.split(" of ")[1].split(" is ")[0] for line in capsys.readouterr().err.splitlines() if " of " in line]
    assert told == refused


def test_an_unknown_environment_is_told_and_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        guard.main(["deploy", "-c", "env=dve"])

    assert end.value.code == 2
    assert "dve" in capsys.readouterr().err


def test_the_module_is_a_command_and_needs_no_cdk() -> None:
    code = "import sys, runpy; sys.argv = ['guard', 'deploy', 'dev/**']\n"
    code += "try: runpy.run_module('infra.guard', run_name='__main__')\n"
    code += "except SystemExit as end: print(end.code, 'aws_cdk' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "2 False\n"
