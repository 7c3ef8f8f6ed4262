"""The database's schema and this code's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect

from archer.errors import CannotServeError, StoreNotOpenedError, StoreUnavailableError
from archer.store import schema
from archer.store.connection import Database
from archer.store.migrate import _config, check_schema, head_revision, migrate, open_database, upgrade
from archer.store.sql import SqlStore

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_migrations_make_exactly_the_tables_that_the_code_describes(kit: StoreKit) -> None:
    # it can't compare indexes with a direction; the next test does
    options = {"include_object": lambda _object, name, _kind, _reflected, _compared: name != "ix_jobs_waiting"}
    with kit.database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata) == []
        assert set(inspect(connection).get_table_names()) == {*schema.metadata.tables, "alembic_version"}


def indexes(connection: Connection) -> dict[str, str]:
    """By name, as the database would make them again."""
    told = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        if connection.dialect.name == "sqlite"
        else "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    )
    rows = connection.exec_driver_sql(told)
    return {row[0]: row[1] for row in rows if "alembic" not in row[0]}


def test_the_migrations_make_exactly_the_indexes_that_the_code_describes(kit: StoreKit) -> None:
    with kit.database.read() as connection:
        migrated = indexes(connection)
    with kit.database.write() as connection:
        schema.metadata.drop_all(connection)
        schema.metadata.create_all(connection)
        described = indexes(connection)

    assert migrated == described
    assert "ix_jobs_waiting" in described


def test_migrating_twice_changes_nothing(kit: StoreKit) -> None:
    job = kit.submit()

    assert upgrade(kit.database) == head_revision()
    assert kit.store.job(job.id) == job


def test_servers_that_start_together_on_a_new_folder_all_find_it_ready(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/archer.db"
    program = f"from archer.store.migrate import migrate; print(migrate({url!r}))"
    started = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]

    answers = [process.communicate(timeout=60) for process in started]

    assert [(out.strip(), err) for out, err in answers] == [(head_revision(), "")] * 3


def test_a_database_from_a_newer_archer_is_left_alone(kit: StoreKit) -> None:
    with kit.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(CannotServeError, match=r"'9999', newer than this archer .*; install the newer archer"):
        upgrade(kit.database)
    with pytest.raises(StoreUnavailableError, match="9999"):
        check_schema(kit.database)


def test_attempts_of_a_database_of_before_are_told_where_they_ran(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/old.db")
    with database.write() as connection:
        command.upgrade(_config(connection), "0001")
        now = 1_700_000_000_000
        connection.execute(
            insert(schema.jobs).values(
                id="j-1", emr_id="1", name="n", queue="q", cluster="blue", state="RUNNING", attempt=1, max_attempts=1,
                created_at=now, updated_at=now, queued_at=now, version=3, memory_rung=1.0, labels={}, submission={},
            )
        )  # fmt: skip
        connection.exec_driver_sql(
            "INSERT INTO attempts (job_id, number, name, state, created_at, memory_rung, spec) "
            f"VALUES ('j-1', 1, 'j-1-1', 'RUNNING', {now}, 1.0, '{{}}')"
        )

    assert upgrade(database) == head_revision()

    assert [attempt.cluster for attempt in SqlStore(database).attempts("j-1")] == ["blue"]
    database.close()


def test_an_empty_database_is_not_ready(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.db")

    with pytest.raises(StoreUnavailableError, match="run `archer migrate`"):
        check_schema(database)
    database.close()


def test_migrate_makes_the_folder_that_the_url_names(tmp_path: Path) -> None:
    assert migrate(f"sqlite:///{tmp_path}/a/b/archer.db") == head_revision()
    assert (tmp_path / "a" / "b" / "archer.db").exists()


def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "archer.db"
    file.write_text("something else, long enough to be looked at")

    with pytest.raises(StoreNotOpenedError) as refused:
        open_database(f"sqlite:///{file}")

    assert str(refused.value) == (
        f"can't use the database {file} (file is not a database); "
        "free or repair it, or choose another place with --data, then start again"
    )


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CannotServeError, match=r"can't use .*/file as data folder .*; choose another --data"):
        open_database(f"sqlite:///{tmp_path}/file/archer.db")
