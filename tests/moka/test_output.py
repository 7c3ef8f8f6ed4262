"""stdout's tables are cut to no terminal where there is none, and never end in blanks."""

from __future__ import annotations

import io

from rich.table import Table

from moka.output import write


def test_lines_have_no_trailing_blanks_and_no_colour() -> None:
    table = Table("name", "value", box=None, header_style="bold red")
    table.add_row("a", "x" * 100)
    table.add_row("longer", "y")
    out = io.StringIO()

    write(table, out)

    lines = out.getvalue().splitlines()
    assert [line.split() for line in lines] == [["name", "value"], ["a", "x" * 100], ["longer", "y"], []]
    assert all(line == line.rstrip() for line in lines)
    assert "\x1b" not in out.getvalue()
