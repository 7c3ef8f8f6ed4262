"""Data goes to stdout untouched by colour or width in a pipe; nothing said by a job can steer a terminal."""

import pytest

from archer.cli import output


def test_columns_are_plain_and_never_cut_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 300

    output.write_columns(["ID", "STATE", "NOTE"], [["1", "FAILED", long], ["22", "RUNNING", "[bold]not markup[/]"]])

    assert capsys.readouterr().out.splitlines() == [
        "ID  STATE    NOTE",
        f"1   FAILED   {long}",
        "22  RUNNING  [bold]not markup[/]",
    ]


def test_control_characters_never_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.write_columns(["NAME"], [["\x1b]0;pwned\x07a\x1b[2Jb\x9bc"]])
    output.say("\x1b[31mred")

    captured = capsys.readouterr()
    assert captured.out == "NAME\n]0;pwneda[2Jbc\n"
    assert captured.err == "archer: [31mred\n"


def test_json_keeps_every_character(capsys: pytest.CaptureFixture[str]) -> None:
    output.write_json({"name": "Größe", "list": []})

    assert capsys.readouterr().out == '{\n  "name": "Größe",\n  "list": []\n}\n'


def test_each_problem_is_one_line_with_the_fix(capsys: pytest.CaptureFixture[str]) -> None:
    output.say_problems([{"path": "driver.memory", "value": '"1x"', "allowed": "such as 2g", "fix": "write 1g"}])

    assert capsys.readouterr() == ("", '  `driver.memory` must be such as 2g, got "1x"; write 1g\n')
