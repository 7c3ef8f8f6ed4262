"""The report for people: a row per verdict with its state as a word, and below each that does not pass, the fix."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from moka.preflight.rows import Report, Row, State

_STYLES = {State.PASS: "green", State.WARN: "yellow", State.FAIL: "bold red", State.UNKNOWN: "magenta"}


def report_table(report: Report) -> RenderableType:
    """Return the table, the fixes and a last line that counts."""
    parts: list[RenderableType] = [_rows(report)]
    open_rows = [row for row in report.rows if row.verdict.fix]
    if open_rows:
        parts += [Text(), _fixes(open_rows)]
    if report.not_made:
        parts += [Text(), Text(f"Not made before the account fits: {', '.join(report.not_made)}.")]
    parts += [Text(), Text(_summary(report))]
    return Group(*parts)


def _rows(report: Report) -> Table:
    title = f"Preflight of {report.environment} ({report.account}, {report.region})"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    table.add_column("state", no_wrap=True)
    table.add_column("check", no_wrap=True)
    for column in ("subject", "value", "needed"):
        table.add_column(column, overflow="fold")
    for row in report.rows:
        verdict = row.verdict
        state = Text(verdict.state.value, style=_STYLES[verdict.state])
        table.add_row(state, row.check, Text(verdict.subject), Text(verdict.value), Text(verdict.needed))
    return table


def _fixes(rows: list[Row]) -> RenderableType:
    """Return each fix once, below the rows that it mends: commands stay on lines of their own to be copied."""
    lines = [Text("Fixes", style="bold")]
    for fix in dict.fromkeys(row.verdict.fix for row in rows):
        lines += [_head(row) for row in rows if row.verdict.fix == fix]
        lines.append(Text(f"      {fix}", no_wrap=True, overflow="ignore"))
    return Group(*lines)


def _head(row: Row) -> Text:
    state = row.verdict.state
    return Text.assemble((state.value, _STYLES[state]), f"  {row.check}: {row.verdict.subject}")


def _summary(report: Report) -> str:
    counts = ", ".join(f"{report.counts[state]} {state.value}" for state in State if report.counts[state])
    return f"{counts}: {'ready' if report.exit_code == 0 else 'not ready'}"
