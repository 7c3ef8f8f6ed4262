"""Pieces of logs as text: offsets count bytes, and no character is ever cut in two.

Pure, over a function that reads bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from archer.backends.interface import LogPiece

DEFAULT_LIMIT_BYTES = 256 * 1024

ReadLog = Callable[[int, int], LogPiece]
"""Reads at most the second number of bytes from the first on."""


@dataclass(frozen=True, kw_only=True)
class LogText:
    """A piece of a log as text."""

    text: str
    offset: int
    """Byte at which the text starts."""
    next_offset: int
    """Byte at which the next piece starts."""
    complete: bool
    """True when nothing will follow."""


def read_from(read: ReadLog, offset: int, *, limit: int, ended: bool) -> LogText:
    """At most `limit` bytes from `offset` on. An offset beyond the end reads nothing, until the log is that long."""
    piece = read(offset, limit)
    at_end = offset + len(piece.data) >= piece.size
    data = piece.data if ended and at_end else piece.data[: whole_characters(piece.data)]
    next_offset = offset + len(data)
    return LogText(
        text=data.decode(errors="replace"),
        offset=offset,
        next_offset=next_offset,
        complete=ended and next_offset >= piece.size,
    )


def read_tail(read: ReadLog, lines: int, *, limit: int, ended: bool) -> LogText:
    """The last `lines` lines, as far as they fit into `limit` bytes."""
    size = read(0, 0).size
    start = max(0, size - limit)
    data = read(start, size - start).data
    # a newline at the very end closes the last line, it doesn't open another
    at = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _ in range(lines):
        at = data.rfind(b"\n", 0, max(at, 0))
        if at < 0:
            break
    if lines == 0:
        at = len(data) - 1
    if at < 0 and start > 0:
        # the first line is cut off by the limit: leave out the broken character it may start with
        at = next(index for index in range(5) if index == 4 or not _continues(data[index : index + 1])) - 1
    return read_from(read, start + at + 1, limit=limit, ended=ended)


def whole_characters(data: bytes) -> int:
    """Length of `data` without an incomplete UTF-8 character at its end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            return len(data)
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) if back >= length else len(data) - back
    return len(data)


def _continues(byte: bytes) -> bool:
    return bool(byte) and byte[0] & 0xC0 == 0x80
