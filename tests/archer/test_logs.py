"""Pieces of logs as text."""

import pytest

from archer.backends.interface import LogPiece
from archer.logs import LogText, ReadLog, read_from, read_tail


def log_of(data: bytes) -> ReadLog:
    return lambda offset, limit: LogPiece(data=data[offset : offset + limit], offset=offset, size=len(data))


def test_reading_on_from_each_piece_gives_the_whole_log_and_cuts_no_character() -> None:
    text = "größer 😀 als alles\n" * 20
    read = log_of(text.encode())
    got, offset = "", 0
    while True:
        piece = read_from(read, offset, limit=17, ended=True)
        got += piece.text
        offset = piece.next_offset
        if piece.complete:
            break

    assert got == text


def test_a_log_that_still_grows_is_never_complete() -> None:
    assert not read_from(log_of(b"abc"), 0, limit=100, ended=False).complete
    assert read_from(log_of(b"abc"), 0, limit=100, ended=True).complete
    assert read_from(log_of(b""), 0, limit=100, ended=True).complete


def test_half_a_character_at_the_growing_end_waits_for_its_other_half() -> None:
    half = "é".encode()[:1]

    assert read_from(log_of(b"a" + half), 0, limit=100, ended=False) == LogText(
        text="a", offset=0, next_offset=1, complete=False
    )
    assert read_from(log_of(b"a" + half), 0, limit=100, ended=True).text == "a\N{REPLACEMENT CHARACTER}"


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert read_from(log_of(b"\xff\xfe\x80ok"), 0, limit=100, ended=True).text.endswith("ok")


def test_an_offset_beyond_the_end_reads_nothing() -> None:
    piece = read_from(log_of(b"abc"), 10, limit=100, ended=True)

    assert (piece.text, piece.next_offset, piece.complete) == ("", 10, True)


@pytest.mark.parametrize(
    ("data", "lines", "text"),
    [
        (b"a\nb\nc\n", 2, "b\nc\n"),
        (b"a\nb\nc", 2, "b\nc"),
        (b"a\nb\nc\n", 9, "a\nb\nc\n"),
        (b"a\n", 1, "a\n"),
        (b"a\n", 0, ""),
        (b"", 5, ""),
        (b"\n\n\n", 2, "\n\n"),
    ],
)
def test_a_tail_is_the_last_lines(data: bytes, lines: int, text: str) -> None:
    piece = read_tail(log_of(data), lines, limit=1000, ended=True)

    assert piece.text == text
    assert piece.next_offset == len(data)
    assert piece.complete


def test_a_tail_that_does_not_fit_starts_at_a_whole_character() -> None:
    data = ("😀" * 10).encode()

    piece = read_tail(log_of(data), 1, limit=18, ended=True)

    assert piece.text == "😀" * 4
