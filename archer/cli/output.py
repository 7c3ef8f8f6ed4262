"""Where words go: data to stdout, talk to stderr; a table for people, JSON for programs.

Tables are plain columns. On a terminal they fit its width and states are coloured, always beside their word; in a pipe
nothing is cut, wrapped or coloured. What jobs and servers say is stripped of control characters, so that a job cannot
steer the terminal of whoever looks at it; logs alone are passed on as they are.
"""

import io
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from archer.cli.exit_codes import ExitCode

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_STATE_STYLES = {
    "SUCCEEDED": "green",
    "FAILED": "bold red",
    "LOST": "red",
    "CANCELLED": "yellow",
    "CANCELLING": "yellow",
    "RUNNING": "cyan",
    "RETRY_WAIT": "magenta",
}
_WHOLE = frozenset({"ID", "STATE", "ATTEMPT", "EXIT", "DURATION", "TIME", "KIND"})
# columns that are of no use when cut
_TEXTS = frozenset({"MESSAGE", "WHY"})
# sentences, the last in their row: wrapped rather than cut
_TEXT_AT_LEAST = 20
_UNBOUNDED = 100_000
# columns of a pipe: enough for any row, so that rich never cuts


class OutputFormat(StrEnum):
    """What a command writes to stdout."""

    TABLE = "table"
    JSON = "json"


def write(text: str) -> None:
    """Write data as it is, at once: the reader may be following. A reader that went away ends the command quietly."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # what Python still holds would fail again at exit (https://docs.python.org/3/library/signal.html#note-on-sigpipe)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(ExitCode.READER_GONE) from None


def write_json(value: Any) -> None:
    write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_columns(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table without lines: titles in capitals, one row each.

    On a terminal too narrow for it the widest cells are cut, but never an id, a state or a short number.
    """
    cells = [[" ".join(clean(value).split()) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(titles, *cells, strict=True)]
    if sys.stdout.isatty():
        # a long text at the end gets a part of the line and wraps from there
        end = _TEXT_AT_LEAST if titles[-1] in _TEXTS else widths[-1]
        widths[-1] = min(widths[-1], end)
        _shrink(widths, [title not in _WHOLE | _TEXTS for title in titles], shutil.get_terminal_size().columns)
    lines = [Text(_line(titles, titles, widths), style="bold")]
    for row in cells:
        line = Text(_line(titles, row, widths))
        for state in set(row) & set(_STATE_STYLES):
            line.highlight_words([state], _STATE_STYLES[state])
        lines.append(line)
    write(_rendered(Text("\n").join(lines), width=_UNBOUNDED))


def _line(titles: Sequence[str], cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = []
    for title, cell, width in zip(titles, cells, widths, strict=True):
        cut = cell_len(cell) > width and title not in _TEXTS
        fitted.append(set_cell_size(cell, width - 1) + "…" if cut else cell + " " * (width - cell_len(cell)))
    return "  ".join(fitted).rstrip()


def _shrink(widths: list[int], flexible: Sequence[bool], room: int) -> None:
    """Take from the widest flexible columns until all fit into `room`, or none is wider than a few letters."""
    few = 6
    while sum(widths) + 2 * (len(widths) - 1) > room:
        widest = max((number for number, bends in enumerate(flexible) if bends), key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= few:
            return
        widths[widest] -= 1


def write_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Two columns, name and value; long values wrap on a terminal."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(name, _cell(value))
    write(_rendered(table))


def say(message: str) -> None:
    """Talk: one line to stderr, marked as ours."""
    for line in clean(message).splitlines() or [""]:
        sys.stderr.write(f"archer: {line}\n")
    sys.stderr.flush()


def say_problems(problems: Iterable[Any]) -> None:
    """Every problem of a refused request: where, what was given, what is allowed, what to do."""
    for problem in problems:
        path, value, allowed, fix = (clean(str(problem.get(key, ""))) for key in ("path", "value", "allowed", "fix"))
        sys.stderr.write(f"  `{path}` must be {allowed}, got {value}; {fix}\n")
    sys.stderr.flush()


def clean(text: str) -> str:
    """`text` without control characters, line breaks and tabs aside."""
    return _CONTROL.sub("", text)


def state_text(state: str) -> Text:
    """A state's word, coloured where colour is shown."""
    return Text(state, style=_STATE_STYLES.get(state, ""))


def _cell(value: str) -> Text:
    return state_text(value) if value in _STATE_STYLES else Text(clean(value))


def _rendered(what: RenderableType, *, width: int | None = None) -> str:
    terminal = sys.stdout.isatty()
    buffer = io.StringIO()
    if width is None:
        width = shutil.get_terminal_size().columns if terminal else _UNBOUNDED
    Console(file=buffer, force_terminal=terminal, width=width, highlight=False).print(what)
    return "".join(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())
