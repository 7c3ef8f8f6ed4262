"""Reads the logs in an attempt's folder; a log that isn't there is an empty one."""

import os
from pathlib import Path

from archer.backends.interface import LogPiece


def read_piece(path: Path, offset: int, limit: int) -> LogPiece:
    """At most `limit` bytes from `offset` on."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if offset >= size:
                # a file system refuses to go where no file can reach
                return LogPiece(data=b"", offset=offset, size=size)
            file.seek(offset)
            return LogPiece(data=file.read(limit), offset=offset, size=size)
    except FileNotFoundError:
        return LogPiece(data=b"", offset=offset, size=0)


def tail(path: Path, limit: int) -> str:
    """The last `limit` bytes, as text."""
    size = read_piece(path, 0, 0).size
    return read_piece(path, max(0, size - limit), limit).data.decode(errors="replace")
