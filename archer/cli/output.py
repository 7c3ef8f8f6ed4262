"""Where words go: data to stdout, talk to stderr; a table for people, JSON for programs.

Tables are plain columns. On a terminal they fit its width and states are coloured, always beside their word; in a pipe
nothing is cut, wrapped or coloured. What jobs and servers say is stripped of control characters, so that a job cannot
steer the terminal of whoever looks at it; logs alone are passed on as they are.
"""

import io
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

import typer
from rich.console import Console
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
    """A table without lines: titles in capitals, one row each."""
    table = Table(*titles, box=None, pad_edge=False, header_style="bold", show_header=bool(titles))
    for column in table.columns:
        column.no_wrap = True
        column.overflow = "ellipsis"
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    write(_rendered(table))


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


def _rendered(table: Table) -> str:
    terminal = sys.stdout.isatty()
    buffer = io.StringIO()
    # `width` None: rich asks the terminal itself, or COLUMNS
    console = Console(file=buffer, force_terminal=terminal, width=None if terminal else _UNBOUNDED, highlight=False)
    console.print(table)
    lines = buffer.getvalue().splitlines()
    return "".join(line.rstrip() + "\n" for line in lines)
