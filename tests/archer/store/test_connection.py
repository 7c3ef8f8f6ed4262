"""Transactions, and the database's failures as one of ours."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from archer.errors import StoreUnavailableError
from archer.model import JobState
from archer.store import connection as connections
from archer.store.connection import Database

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

    from tests.archer.store.conftest import StoreKit


def pragma(sqlite_kit: StoreKit, name: str) -> object:
    with sqlite_kit.database.read() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def set_on_every_connection(sqlite_kit: StoreKit, statement: str) -> None:
    """As if the machine had become so: connections made from now on have it."""

    def prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.cursor().execute(statement)

    event.listen(sqlite_kit.database.engine, "connect", prepare)
    sqlite_kit.database.engine.dispose()


def test_sqlite_writes_ahead_syncs_every_commit_and_checks_foreign_keys(sqlite_kit: StoreKit) -> None:
    assert pragma(sqlite_kit, "journal_mode") == "wal"
    assert pragma(sqlite_kit, "synchronous") == 2
    assert pragma(sqlite_kit, "foreign_keys") == 1
    assert pragma(sqlite_kit, "busy_timeout") == 10_000


def test_nothing_of_a_failed_transaction_stays(sqlite_kit: StoreKit) -> None:
    job = sqlite_kit.submit()

    def delete_and_fail() -> None:
        with sqlite_kit.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM jobs")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        delete_and_fail()

    assert sqlite_kit.store.job(job.id) == job


def test_a_read_only_database_is_unavailable_for_writing_and_still_read(sqlite_kit: StoreKit) -> None:
    job = sqlite_kit.submit()
    set_on_every_connection(sqlite_kit, "PRAGMA query_only = ON")

    with pytest.raises(StoreUnavailableError, match=r"readonly database\); nothing was written, try again"):
        sqlite_kit.submit()
    with pytest.raises(StoreUnavailableError):
        sqlite_kit.move(job, JobState.CANCELLED)
    with pytest.raises(StoreUnavailableError):
        sqlite_kit.store.probe()
    assert sqlite_kit.store.job(job.id) == job


def test_a_full_disk_refuses_the_job_and_keeps_no_part_of_it(sqlite_kit: StoreKit) -> None:
    pages = pragma(sqlite_kit, "page_count")
    set_on_every_connection(sqlite_kit, f"PRAGMA max_page_count = {pages}")
    big = {"padding": "x" * 200_000}

    with pytest.raises(StoreUnavailableError, match="database or disk is full"):
        sqlite_kit.submit(key="k", submission=big)

    assert not sqlite_kit.store.key_exists("native", "k")
    assert sqlite_kit.store.counters() == {}


def test_a_file_that_is_no_database_is_unavailable(sqlite_kit: StoreKit) -> None:
    sqlite_kit.store.close()
    for suffix in ("-wal", "-shm"):
        sqlite_kit.file.with_name(sqlite_kit.file.name + suffix).unlink(missing_ok=True)
    sqlite_kit.file.write_bytes(b"not a database" * 1000)

    with pytest.raises(StoreUnavailableError, match="not a database"):
        sqlite_kit.store.job("1")


def test_a_lock_held_too_long_is_told_as_such(sqlite_kit: StoreKit) -> None:
    set_on_every_connection(sqlite_kit, "PRAGMA busy_timeout = 50")
    other = sqlite_kit.database.engine.raw_connection()
    other.cursor().execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailableError, match="locked"):
        sqlite_kit.submit()

    other.rollback()
    other.close()
    assert sqlite_kit.submit().number == 1


def test_a_stuck_writer_keeps_the_others_no_longer_than_the_database_would(
    sqlite_kit: StoreKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_SECONDS", 0.2)
    entered, leave = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with sqlite_kit.database.write():
            entered.set()
            leave.wait(60)

    slow = threading.Thread(target=write_slowly)
    slow.start()
    entered.wait(60)
    begun = time.monotonic()

    with pytest.raises(StoreUnavailableError, match="other writers kept the database"):
        sqlite_kit.submit()

    assert time.monotonic() - begun < 30
    leave.set()
    slow.join()
    assert sqlite_kit.submit().number == 1


@pytest.mark.parametrize("put_another_there", [False, True])
def test_a_file_that_was_removed_under_the_server_takes_no_more_jobs(
    sqlite_kit: StoreKit, put_another_there: bool
) -> None:
    """SQLite would go on writing to a file that nobody can open again."""
    job = sqlite_kit.submit()
    sqlite_kit.file.rename(sqlite_kit.file.with_suffix(".away"))
    if put_another_there:
        sqlite_kit.file.write_bytes(b"")

    with pytest.raises(StoreUnavailableError, match="was removed or replaced under this server; restart it"):
        sqlite_kit.submit()

    sqlite_kit.file.with_suffix(".away").rename(sqlite_kit.file)
    assert sqlite_kit.store.job(job.id) == job
    assert sqlite_kit.submit().number == 2


def test_the_database_is_for_the_owners_eyes_even_when_it_was_not_before(tmp_path: Path) -> None:
    """Submissions hold secrets."""
    file = tmp_path / "archer.db"
    for _ in range(2):
        database = Database(f"sqlite:///{file}")
        with database.write() as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (x)")
        side_files = sorted(tmp_path.iterdir())

        assert len(side_files) == 3
        assert [path.stat().st_mode & 0o777 for path in side_files] == [0o600] * 3
        database.close()
        file.chmod(0o644)
