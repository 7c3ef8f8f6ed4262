"""What `moka` says about itself, and how it ends when it cannot do what it was asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MOKA = str(Path(sys.executable).with_name("moka"))


def moka(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([MOKA, *arguments], capture_output=True, text=True, check=False, timeout=120, cwd=cwd)


def test_help_lists_the_commands_and_exit_codes() -> None:
    said = moka("--help")

    assert said.returncode == 0
    for word in (
        "local",
        "show",
        "render",
        "apply",
        "diff",
        "plan",
        "draw",
        "images",
        "preflight",
        "Exit codes:",
        "bad input",
    ):
        assert word in said.stdout


@pytest.mark.parametrize(
    ("command", "own", "foreign"),
    [
        ("render", "   3  with --check: the files on disk differ", "--once"),
        ("local", "   1  it was tried and failed; with --once: a job did not succeed", "--check"),
        ("preflight", "   2  bad input: options, an environment file, no credentials", "--once"),
    ],
)
def test_help_of_a_command_lists_its_own_exit_codes_one_below_the_other(command: str, own: str, foreign: str) -> None:
    lines = [line.rstrip() for line in moka(command, "--help").stdout.splitlines()]

    codes = lines[lines.index(" Exit codes:") :]
    assert own in codes
    assert codes[1] == "   0  done"
    assert " 130  stopped by Ctrl-C (143: by SIGTERM) before the end" in codes
    assert not any(foreign in line for line in codes)


@pytest.mark.parametrize("command", ["--help", "local --help", "show --help", "plan --help", "draw --help"])
def test_help_needs_neither_cdk_nor_web_framework_nor_spark(command: str) -> None:
    program = (
        "import sys, moka.cli\n"
        f"try: moka.cli.main({command.split()!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'aws_cdk', 'jsii', 'cdk8s', 'fastapi', 'sqlalchemy', 'pyspark', 'pandas', 'pyarrow', 'boto3'}\n"
        "sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))\n"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert ran.stderr == ""


def test_unknown_command_is_bad_input() -> None:
    refused = moka("deploy-all")

    assert refused.returncode == 2
    assert "No such command 'deploy-all'" in refused.stderr


@pytest.mark.parametrize("arguments", [(), ("dev", "--all")])
def test_show_wants_one_environment_or_all(arguments: tuple[str, ...]) -> None:
    refused = moka("show", *arguments)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "moka: give one environment, or --all: `moka show dev`, `moka show --all`\n"


def test_show_of_a_folder_that_is_no_assembly_says_what_to_do(tmp_path: Path) -> None:
    refused = moka("show", "--all", "--assembly", str(tmp_path))

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"moka: {tmp_path}/manifest.json cannot be read (No such file or directory); synthesise first: ./cdk synth\n"
    )
