"""Transactions on the database: how they begin, and how the database's failures are told.

Reads and writes are kept apart because SQLite must be told at the start of a transaction that it will write, else two
writers deadlock on their read locks (https://www.sqlite.org/lang_transaction.html). No exception of SQLAlchemy or
sqlite3 leaves this package, except that `IntegrityError` is for the caller inside it.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from archer.errors import StoreUnavailableError

BUSY_TIMEOUT_SECONDS = 10
"""How long a writer waits for another process's transaction; ours last milliseconds."""


class Database:
    """One engine, with `read()` and `write()` transactions."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.dialect = make_url(url).get_backend_name()
        options: dict[str, Any] = {"connect_args": {"timeout": BUSY_TIMEOUT_SECONDS}} if self._is_sqlite else {}
        self._file = Path(make_url(url).database or "") if self._is_sqlite else None
        if self._file is not None:
            _keep_private(self._file)
        self.engine: Engine = create_engine(url, pool_size=8, max_overflow=40, pool_timeout=10, **options)
        # SQLite's own queue of waiting writers is not fair: within a process, take turns
        self._turn = Lock()
        if self._is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "connect", self._remember_file)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writer = self.engine.execution_options(archer_write=True)

    @property
    def _is_sqlite(self) -> bool:
        return self.dialect == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view. Raises StoreUnavailableError."""
        with _translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Committed and on disk after the block; nothing of it when anything raises. Raises StoreUnavailableError."""
        with self._own_turn(), _translated(), self._writer.begin() as connection:
            self._check_file(connection)
            yield connection

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        """Waits no longer than SQLite itself would: else a stuck database keeps every thread of a server, one by one."""
        if not self._is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_TIMEOUT_SECONDS):
            raise StoreUnavailableError(f"other writers kept the database for {BUSY_TIMEOUT_SECONDS} s")
        try:
            yield
        finally:
            self._turn.release()

    def _check_file(self, connection: Connection) -> None:
        """A file that was removed can still be written to, and what is written is lost with the last connection."""
        if self._file is not None and connection.info["file"] != _identity(self._file):
            raise StoreUnavailableError(f"{self._file} was removed or replaced under this server; restart it")

    def _remember_file(self, _connection: Any, entry: ConnectionPoolEntry) -> None:
        if self._file is not None:
            entry.info["file"] = _identity(self._file)

    def close(self) -> None:
        self.engine.dispose()


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _keep_private(file: Path) -> None:
    """For the owner only, as submissions hold secrets; SQLite gives its side files the same rights."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        mode = file.stat().st_mode
        if mode & 0o077:
            file.chmod(mode & 0o700)
    except OSError:
        # the first connection tells what is wrong, better than we could; another user's file keeps its rights
        return


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise StoreUnavailableError(str(error.orig)) from error
    except SQLAlchemyError as error:
        raise StoreUnavailableError(str(error)) from error


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # the driver must not begin transactions by itself: _begin_sqlite does
    connection.isolation_level = None
    cursor = connection.cursor()
    _set_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _set_wal(cursor: Any) -> None:
    """Write-ahead log: readers don't wait for the writer. A property of the file, set once."""
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # two servers starting on a new file: SQLite doesn't wait for a lock here
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("archer_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
