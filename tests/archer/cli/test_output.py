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


def test_a_narrow_terminal_cuts_cells_but_never_an_id_or_a_state(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    job_id = "j-01jd0000000000000000000000"

    output.write_columns(["ID", "NAME", "STATE"], [[job_id, "a-name-" + "x" * 60, "SUCCEEDED"]])

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[1].startswith(f"{job_id}  a-name-")
    assert lines[1].endswith("SUCCEEDED")
    assert "\N{HORIZONTAL ELLIPSIS}" in lines[1]
