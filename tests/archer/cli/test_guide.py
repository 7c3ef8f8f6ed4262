"""The guide's commands exist, with these options, and its exit codes are the program's."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from archer.cli.application import application
from archer.cli.exit_codes import ExitCode

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "archer-on-one-machine.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("id=$(").removesuffix(")")
    for block in re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_is_accepted_with_its_options(line: str) -> None:
    program, name, *words = shlex.split(line)
    command = typer.main.get_group(application()).commands[name]

    # raises for an option that there is not, or one argument too many
    command.make_context(f"{program} {name}", words)

    assert program == "archer"


def test_the_table_of_exit_codes_is_complete() -> None:
    told = [int(code) for code in re.findall(r"^\| (\d) \|", GUIDE, flags=re.MULTILINE)]

    assert told == [code for code in ExitCode if code < ExitCode.INTERRUPTED]


def test_every_option_that_the_prose_names_exists() -> None:
    commands = typer.main.get_group(application()).commands.values()
    known = {name for command in commands for item in command.params for name in [*item.opts, *item.secondary_opts]}

    assert set(re.findall(r"`(--[a-z-]+)", GUIDE)) <= known
