from pathlib import Path

import pytest

from testbed.real_spark_operator import VARIABLE, binary


def test_without_the_variable_there_is_no_real_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert binary() is None
    monkeypatch.setenv(VARIABLE, "")
    assert binary() is None


def test_a_file_that_is_missing_or_no_program_is_refused_and_never_replaced_by_the_stand_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = tmp_path / "text"
    text.write_text("no program")
    for wrong in (tmp_path / "missing", text, tmp_path):
        monkeypatch.setenv(VARIABLE, str(wrong))
        with pytest.raises(FileNotFoundError, match="must name an executable file"):
            binary()


def test_an_executable_file_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "spark-operator"
    program.touch(0o755)
    monkeypatch.setenv(VARIABLE, str(program))
    assert binary() == program
