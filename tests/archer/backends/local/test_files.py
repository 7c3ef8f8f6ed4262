"""Small files that appear whole or not at all, and can be taken once."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archer.backends.local import files


def test_a_file_is_taken_by_one_of_many(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda number: files.take(tmp_path / "x.json", {"who": number}), range(32)))

    assert sum(taken) == 1
    found = files.read(tmp_path / "x.json")
    assert found == {"who": taken.index(True)}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_writing_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    files.write(tmp_path / "x.json", {"a": 1})
    files.write(tmp_path / "x.json", {"a": 2})

    assert files.read(tmp_path / "x.json") == {"a": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert files.read(tmp_path / "x.json") is None


def test_only_the_owner_reads_what_may_hold_secrets(tmp_path: Path) -> None:
    files.write(tmp_path / "x.json", {"environment": {"TOKEN": "t"}})

    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) == 0o600


def test_what_can_not_be_written_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    files.write(tmp_path / "x.json", {"a": 1})

    with pytest.raises(TypeError):
        files.write(tmp_path / "x.json", {"a": object()})

    assert files.read(tmp_path / "x.json") == {"a": 1}
