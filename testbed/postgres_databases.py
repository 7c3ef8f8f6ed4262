"""Databases for tests that each want an empty one with Archer's tables: used again, for making one costs more than most tests.

A database that comes back with anything but other rows (a trigger, a setting, statistics, much that was written) isn't given
again. What asks for the plans of statements wants one that was never used: they follow the sizes of tables and of indexes.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from testbed.postgres import PostgresServer

_FIRST_OF_OURS: Final = 16384
"""PostgreSQL numbers its own objects below."""

_SHAPE: Final = f"""
WITH ours AS (SELECT * FROM pg_class WHERE oid >= {_FIRST_OF_OURS}), lines AS (
    SELECT row(oid, relname, relnamespace, relkind, relowner, relacl, reloptions, reltuples)::text AS line FROM ours
    UNION ALL SELECT each::text FROM pg_attribute each WHERE attrelid >= {_FIRST_OF_OURS}
    UNION ALL SELECT each::text FROM pg_attrdef each
    UNION ALL SELECT each::text FROM pg_constraint each WHERE oid >= {_FIRST_OF_OURS}
    UNION ALL SELECT each::text FROM pg_index each WHERE indexrelid >= {_FIRST_OF_OURS}
    UNION ALL SELECT each::text FROM pg_sequence each
    UNION ALL SELECT each::text FROM pg_trigger each
    UNION ALL SELECT each::text FROM pg_proc each WHERE oid >= {_FIRST_OF_OURS}
    UNION ALL SELECT each::text FROM pg_namespace each
    UNION ALL SELECT row(starelid, staattnum)::text FROM pg_statistic WHERE starelid >= {_FIRST_OF_OURS}
    UNION ALL SELECT each::text FROM pg_db_role_setting each JOIN pg_database ON setdatabase = pg_database.oid
        WHERE datname = current_database()
    UNION ALL SELECT each::text FROM alembic_version each
    UNION ALL SELECT 'written much' WHERE (SELECT sum(pg_relation_size(oid)) FROM ours) > {4 << 20}
)
SELECT string_agg(line, chr(10) ORDER BY line) FROM lines
"""  # noqa: S608 - numbers of our own

_ALONE: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_SEQUENCES: Final = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"


class EmptyDatabases:
    """Copies of a migrated database without rows."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        """Nobody may be connected to `template`, now or later."""
        self._server = server
        self._template = template
        self._names = (f"test_{number}" for number in count(1))
        self._clean: list[str] = []
        with self._connect(template) as connection:
            self._shape = _answer(connection, _SHAPE)
            tables, sequences = _answer(connection, _TABLES), _answer(connection, _SEQUENCES)
        # whatever points where: rows of all tables go
        words: list[sql.Composable] = [sql.SQL("SET session_replication_role = replica")]
        words += [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in tables]
        words += [sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(name)) for name in sequences]
        self._emptying = sql.SQL(";").join(words)

    def take(self) -> str:
        """The name of an empty database."""
        return self._clean.pop() if self._clean else self.make()

    def make(self) -> str:
        """The name of one that nobody has used."""
        name = next(self._names)
        self._server.create_database(name, template=self._template)
        return name

    def give_back(self, name: str) -> None:
        """End whoever is connected to it still; empty it, or drop it when it isn't what it was."""
        if self._emptied(name):
            self._clean.append(name)
        else:
            self._server.drop_database(name)

    def _emptied(self, name: str) -> bool:
        try:
            with self._connect(name) as connection:
                connection.execute(_ALONE)
                as_made = _answer(connection, _SHAPE) == self._shape
                if as_made:
                    connection.execute(self._emptying)
                return as_made
        except psycopg.Error:
            return False

    def _connect(self, name: str) -> psycopg.Connection:
        return psycopg.connect(self._server.dsn(name), autocommit=True)


def _answer(connection: psycopg.Connection, question: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(sql.SQL(question)).fetchall()]
