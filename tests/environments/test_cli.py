"""The command: what it prints, where, and its exit codes."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from environments import cli, load_or_exit
from environments.loading import FOLDER


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exited:
        cli.main(arguments)
    assert isinstance(exited.value.code, int)
    return exited.value.code


def test_a_good_file_is_ok_and_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", "dev") == 0

    printed = capsys.readouterr()
    assert printed.out == "environments/dev.yaml: ok\n"
    assert printed.err == ""


def test_all_checks_every_shipped_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", "--all") == 0

    printed = capsys.readouterr()
    assert [line for line in printed.out.splitlines() if line.endswith(": ok")] == [
        "environments/dev.yaml: ok",
        "environments/prod.yaml: ok",
        "environments/staging.yaml: ok",
        "environments/test.yaml: ok",
    ]


def test_the_json_form_is_an_object_on_stdout(
    tmp_path: Path, edited: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(json.dumps(edited("dev", {"archer.cluster": "bath"})), encoding="utf-8")

    assert _run("check", str(file), "--output", "json") == 2

    printed = capsys.readouterr()
    assert printed.err == ""
    assert json.loads(printed.out) == {
        "errors": 1,
        "warnings": 0,
        "problems": [
            {
                "file": str(file),
                "line": 1,
                "path": "archer.cluster",
                "value": '"bath"',
                "allowed": "one of batch",
                "fix": "write batch",
                "level": "error",
            }
        ],
    }


def test_no_file_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check") == 2

    assert capsys.readouterr().err == "name an environment (dev, prod, staging, test), a file, or --all\n"


def test_warnings_are_printed_and_exit_with_0(
    tmp_path: Path, edited: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(json.dumps(edited("dev", {"clusters.0.kubernetes_version": "1.36"})), encoding="utf-8")
    text = file.read_text(encoding="utf-8").replace("1.35.6-20260714", "1.36.2-20260714")
    file.write_text(text, encoding="utf-8")

    assert _run("check", str(file)) == 0

    printed = capsys.readouterr()
    assert printed.out.startswith(f"warning: {file}:1  clusters[batch].kubernetes_version\n")
    assert printed.out.endswith(f"1 warning\n{file}: ok\n")


def test_a_command_loads_or_exits_with_2_and_no_stack_trace() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from environments import load_or_exit; load_or_exit(['dev', 'nope'])"],
        cwd=FOLDER.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: environment nope\n")
    assert "Traceback" not in done.stderr


def test_a_command_gets_the_environments_that_it_names() -> None:
    assert [environment.name for environment in load_or_exit(["test", "dev"])] == ["test", "dev"]


def test_loading_imports_neither_the_sdk_nor_the_cdk() -> None:
    code = "import sys, environments; environments.load('prod'); print(*sorted(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], cwd=FOLDER.parent, capture_output=True, text=True, check=True)

    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"boto3", "botocore", "aws_cdk", "jsii", "cdk8s", "jsonschema", "requests", "httpx"}
