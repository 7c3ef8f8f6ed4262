"""Rows that are written whether or not they are there: one statement, on both databases."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, add: str | None = None) -> None:
    """Write `rows`, all with the same columns, in place of those with the same primary key.

    The number in column `add` is added to what is there. Rows are locked in the order given: whoever writes several
    sorts them, so that two writers never wait for each other.
    """
    if not rows:
        return
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement: Any = build(table)
    keys = [column.name for column in table.primary_key]
    new = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if add is not None:
        new[add] = table.c[add] + statement.excluded[add]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=new), [dict(row) for row in rows])
