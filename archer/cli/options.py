"""Options that several commands share, written once, and the parsers of `KEY=VALUE` and of lengths of time."""

from collections.abc import Iterable
from typing import Annotated

import typer

from archer.cli.output import OutputFormat
from archer.client import DEFAULT_URL
from archer.durations import parse_duration

Url = Annotated[
    str,
    typer.Option("--url", envvar="ARCHER_URL", metavar="URL", help="Archer's address."),
]
Output = Annotated[
    OutputFormat,
    typer.Option("--output", "-o", help="What standard output carries: a table for people, JSON for programs."),
]
JobId = Annotated[
    str,
    typer.Argument(metavar="JOB", help="The job's id (j-...), its number, or its EMR id."),
]

__all__ = ["DEFAULT_URL", "JobId", "Output", "Url", "duration", "pairs"]


def duration(text: str) -> float:
    """A parser for typer; seconds."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """`{"KEY": "VALUE"}` from repeated `--option KEY=VALUE`; a later one of the same key wins. All bad ones at once."""
    bad = [item for item in given if not item.partition("=")[0].strip() or "=" not in item]
    if bad:
        shown = ", ".join(repr(item) for item in bad)
        raise typer.BadParameter(f"must be KEY=VALUE, got {shown}", param_hint=f"'{option}'")
    return {key.strip(): value for key, _, value in (item.partition("=") for item in given)}
