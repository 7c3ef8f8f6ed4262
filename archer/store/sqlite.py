"""What SQLite needs to be told: a log ahead of writes, every commit on disk, foreign keys, and who may read the file."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT_SECONDS = 10
"""How long a writer waits for another process's transaction; ours last milliseconds."""


def options() -> dict[str, Any]:
    """For `create_engine`."""
    return {"connect_args": {"timeout": BUSY_TIMEOUT_SECONDS}}


def prepare(engine: Engine, file: Path) -> None:
    """Every connection that `engine` makes from now on."""

    def remember_file(_connection: Any, entry: ConnectionPoolEntry) -> None:
        entry.info["file"] = _identity(file)

    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "connect", remember_file)
    event.listen(engine, "begin", _begin)


def was_replaced(connection: Connection, file: Path) -> bool:
    """Whether the connection's file is no longer the one at its place."""
    return bool(connection.info["file"] != _identity(file))


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def keep_private(file: Path) -> None:
    """For the owner only, as submissions hold secrets; SQLite gives its side files the same rights."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        mode = file.stat().st_mode
        if mode & 0o077:
            file.chmod(mode & 0o700)
    except OSError:
        # the first connection tells what is wrong, better than we could; another user's file keeps its rights
        return


def _prepare_connection(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # the driver must not begin transactions by itself: _begin does
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


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("archer_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
