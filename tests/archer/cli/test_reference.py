"""The committed reference of the command line is what --help says."""

from pathlib import Path

import pytest

from archer.cli import reference

COMMITTED = Path(__file__).parents[3] / "docs" / "reference" / "archer-cli.md"


def test_the_committed_reference_is_fresh() -> None:
    # when this fails: python -m archer.cli.reference docs/reference/archer-cli.md
    assert COMMITTED.read_text(encoding="utf-8") == reference.reference()


def test_it_has_every_command_option_and_exit_code() -> None:
    text = reference.reference()

    for command in ["submit", "wait", "list", "status", "logs", "events", "attempts", "kill", "serve", "migrate"]:
        assert f"\n## `archer {command}`\n" in text
    for option in (
        "--idempotency-key KEY",
        "--from FILE",
        "-f, --follow",
        "--strict-port",
        "-- ARGUMENT",
        "--stop-on-stdin-eof",
    ):
        assert option in text
    for code in ("| 0 | success", "| 5 | the time", "| 141 | the reader"):
        assert code in text


def test_it_can_be_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference.main([str(tmp_path / "cli.md")])
    reference.main([])

    assert capsys.readouterr().out == (tmp_path / "cli.md").read_text(encoding="utf-8")
