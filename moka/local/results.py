"""What the jobs found, how long they took, why one failed, and where to look further: stdout's share of `moka local`.

Tables come from the `summary/` that a job wrote beside its Parquet; nothing is computed here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from archer.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from archer.client_errors import Json
    from moka.local.server import Address
    from moka.local.session import Step

_TEXT_COLUMNS = 40
"""Most of a text column that is shown: a comment must not squeeze the numbers beside it."""
_NUMBERS = ("int", "bigint", "smallint", "tinyint", "float", "double", "decimal")


def report(steps: Sequence[Step], address: Address, attempts: Path) -> RenderableType:
    """Everything about jobs that are final; `attempts` is the folder of their logs."""
    parts: list[RenderableType] = []
    for step in steps:
        assert step.job is not None
        if step.job["state"] == "SUCCEEDED":
            parts += _found(step.work.name, step.work.results)
        else:
            parts += [_failed(step.job, attempts), Text()]
    return Group(*parts, _jobs(steps, address), Text(), _addresses(address))


def _found(name: str, results: Path | None) -> list[RenderableType]:
    if results is None:
        return []
    summary = read_summary(results)
    facts = ", ".join(
        f"{value:,} {what}" if isinstance(value, int) else f"{what} {value}" for what, value in summary["facts"].items()
    )
    heading = Text.assemble((name, "bold"), f": {facts}; all of it as Parquet in {results}")
    parts: list[RenderableType] = [heading, Text()]
    for table in summary["tables"]:
        parts += [*_table(table), Text()]
    return parts


def read_summary(results: Path) -> dict[str, Any]:
    """The document in `RESULTS/summary/`: `{facts: {name: value}, tables: [{name, title, columns, rows, total_rows}]}`."""
    (part,) = sorted((results / "summary").glob("part-*"))
    summary: dict[str, Any] = json.loads(part.read_text(encoding="utf-8"))
    return summary


def _table(described: dict[str, Any]) -> list[RenderableType]:
    rows, total = described["rows"], described["total_rows"]
    more = f" (the first {len(rows)} of {total} rows)" if total > len(rows) else ""
    # rich would wrap a title to the width of its table
    title = Text(described["title"] + more, style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for position, column in enumerate(described["columns"]):
        numeric = column["type"].startswith(_NUMBERS)
        table.add_column(
            column["name"],
            justify="right" if numeric else "left",
            no_wrap=True,
            overflow="ellipsis",
            # numbers keep their width, whatever the terminal's
            min_width=max([0, *(len(str(row[position])) for row in rows)]) if numeric else None,
            max_width=None if numeric else _TEXT_COLUMNS,
        )
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    return [title, table]


def _failed(job: Json, attempts: Path) -> Text:
    diagnosis = job["diagnosis"] or {}
    lines = [f"{job['name']} {job['state']}: {diagnosis.get('summary', 'no diagnosis')}"]
    lines += [f"  {line}" for line in str(diagnosis.get("detail", "")).splitlines()]
    if diagnosis.get("resolution"):
        lines.append(f"  what to do: {diagnosis['resolution']}")
    log = attempts / f"{job['id']}-{job['attempt']}" / "driver.log"
    if log.exists():  # an attempt that could not be launched has none
        lines.append(f"  log: {log}")
    return Text("\n".join(lines), no_wrap=True, overflow="ignore")


def _jobs(steps: Sequence[Step], address: Address) -> Text:
    """Addresses stand on lines of their own, never wrapped: they are to be clicked or copied."""
    lines = []
    for step in steps:
        job = step.job
        assert job is not None
        took = "" if job["duration_seconds"] is None else f" in {format_duration(job['duration_seconds'])}"
        lines += [f"{job['name']} {job['state']}{took}", f"  page     {urljoin(address.url, job['links']['page'])}"]
        if job["history_url"]:
            lines.append(f"  history  {job['history_url']}")
    return Text("\n".join(lines), no_wrap=True, overflow="ignore")


def _addresses(address: Address) -> Text:
    history = address.history_url or "not running; see the log of archer"
    return Text(f"Archer          {address.url}\nHistory Server  {history}", no_wrap=True, overflow="ignore")
