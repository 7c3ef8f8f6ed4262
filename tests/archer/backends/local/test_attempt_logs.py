"""Pieces of logs, at any offset and of any size."""

from pathlib import Path

import pytest

from archer.backends.local.attempt_logs import read_piece, tail

GIB = 1024**3


def test_a_piece_starts_where_it_is_asked_to_and_knows_the_logs_size(tmp_path: Path) -> None:
    log = tmp_path / "driver.log"
    log.write_bytes(b"0123456789")

    piece = read_piece(log, 3, 4)

    assert (piece.data, piece.offset, piece.size) == (b"3456", 3, 10)


@pytest.mark.parametrize("offset", [10, 11, 2**62, 2**63 - 1])
def test_there_is_nothing_beyond_the_end_however_far(tmp_path: Path, offset: int) -> None:
    log = tmp_path / "driver.log"
    log.write_bytes(b"0123456789")

    piece = read_piece(log, offset, 4)

    assert (piece.data, piece.offset, piece.size) == (b"", offset, 10)


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_piece(tmp_path / "driver.log", 0, 4).size == 0
    assert tail(tmp_path / "driver.log", 4) == ""


def test_of_a_huge_log_only_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "driver.log"
    with log.open("wb") as file:
        file.seek(3 * GIB)
        file.write(b"the end")

    assert tail(log, 7) == "the end"
    assert read_piece(log, 0, 4).size == 3 * GIB + 7
