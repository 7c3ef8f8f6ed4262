"""An empty database is used again only when nothing but its rows can tell that it was used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from testbed.postgres import PostgresServer
from testbed.postgres_databases import EmptyDatabases

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = """
CREATE TABLE alembic_version (version_num text);
INSERT INTO alembic_version VALUES ('1');
CREATE TABLE jobs (id serial PRIMARY KEY, name text);
CREATE TABLE events (job integer REFERENCES jobs, text text)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        server.create_database("template")
        run(server, "template", TABLES)
        yield server


@pytest.fixture
def databases(server: PostgresServer) -> Iterator[EmptyDatabases]:
    made = EmptyDatabases(server, "template")
    yield made
    names = [name for (name,) in run(server, "postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'test_%'")]
    for name in names:
        server.drop_database(str(name))


def run(server: PostgresServer, database: str, statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.dsn(database), autocommit=True) as connection:
        cursor = connection.execute(statements.encode())
        return cursor.fetchall() if cursor.description else []


FILL = "INSERT INTO jobs (name) VALUES ('a'), ('b'); INSERT INTO events VALUES (1, 'born')"


def test_rows_are_gone_and_numbers_begin_anew_when_a_database_is_taken_again(
    server: PostgresServer, databases: EmptyDatabases
) -> None:
    first = databases.take()
    run(server, first, FILL)
    databases.give_back(first)

    again = databases.take()

    assert again == first
    assert run(server, again, "SELECT * FROM jobs UNION ALL SELECT * FROM events") == []
    assert run(server, again, "INSERT INTO jobs (name) VALUES ('c') RETURNING id") == [(1,)]
    assert run(server, again, "SELECT version_num FROM alembic_version") == [("1",)]


def test_two_that_are_used_at_once_are_two(databases: EmptyDatabases) -> None:
    assert databases.take() != databases.take()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (x integer)",
        "DROP TABLE events",
        "ALTER TABLE jobs ADD COLUMN more text",
        "ALTER TABLE jobs ALTER COLUMN name SET DEFAULT 'x'",
        "CREATE INDEX more ON jobs (name)",
        "ALTER TABLE events DROP CONSTRAINT events_job_fkey",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "ALTER SEQUENCE jobs_id_seq INCREMENT 2",
        "GRANT SELECT ON jobs TO PUBLIC",
        "ANALYZE jobs",
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_read_only = on'; END $$",
        "UPDATE alembic_version SET version_num = '2'",
        "INSERT INTO jobs (name) SELECT repeat('x', 1000) FROM generate_series(1, 6000)",
    ],
    ids=lambda change: " ".join(change.split()[:3]),
)
def test_one_that_is_otherwise_than_it_was_made_is_not_given_again(
    server: PostgresServer, databases: EmptyDatabases, change: str
) -> None:
    name = databases.take()
    run(server, name, FILL)
    run(server, name, change)

    databases.give_back(name)

    assert databases.take() != name
    assert run(server, "postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'") == []


def test_whoever_is_still_connected_is_ended(server: PostgresServer, databases: EmptyDatabases) -> None:
    name = databases.take()
    with psycopg.connect(server.dsn(name)) as left:
        left.execute("LOCK TABLE jobs")

        databases.give_back(name)

        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
    assert databases.take() == name


def test_one_that_nobody_had_before_can_be_asked_for(databases: EmptyDatabases) -> None:
    name = databases.take()
    databases.give_back(name)

    assert databases.make() != name
