"""stdout's tables: as wide as the terminal, or of a fixed width in a pipe, never with trailing blanks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

_PIPE_COLUMNS = 160
"""Width outside of a terminal; what is wider is wrapped or cut with a mark."""


def write(what: RenderableType, stream: TextIO) -> None:
    """Writes it with an empty line after it, at once."""
    console = Console(file=stream, width=None if stream.isatty() else _PIPE_COLUMNS, highlight=False)
    with console.capture() as capture:
        console.print(what, crop=False)  # an address that was not to be wrapped is not to be cut either
    stream.write("".join(line.rstrip() + "\n" for line in capture.get().splitlines()) + "\n")
    stream.flush()
