"""Transactions on the database: how they begin, and how the database's failures are told.

Reads and writes are kept apart because SQLite must be told at the start of a transaction that it will write, else two
writers deadlock on their read locks (https://www.sqlite.org/lang_transaction.html). No exception of SQLAlchemy or of a
driver leaves this package, except that `IntegrityError` is for the caller inside it. What is peculiar to one of the two
databases stands in `sqlite.py` and `postgresql.py`.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from archer.errors import StoreUnavailableError
from archer.store import postgresql, sqlite
from archer.store.address import DatabaseAddress
from archer.store.iam_login import sign_each_connection
from archer.store.json_text import from_json, to_json

T = TypeVar("T")

BUSY_TIMEOUT_SECONDS = sqlite.BUSY_TIMEOUT_SECONDS

_REPEATS = 8
"""Of a transaction that met another one: a deadlock, a serialization failure, a key that both inserted."""

_SAME_ROW_REPEATS = 4
"""Of a transaction that inserted a row which was there: the next one finds it, so more than a few mean a defect."""

_log = structlog.get_logger()


class TransientError(StoreUnavailableError):
    """The transaction met another one, and may be repeated at once."""


class DisconnectedError(StoreUnavailableError):
    """The connection broke: before the commit, or during it, and then nobody knows whether it happened."""


class UnfitValueError(StoreUnavailableError):
    """The database can't hold a value that it was given: too long, too large."""


class Database:
    """One engine, with `read()` and `write()` transactions, and `reading(work)`, `writing(work)` that repeat."""

    def __init__(self, address: str | DatabaseAddress) -> None:
        address = DatabaseAddress.of(address)
        self.url = address.url
        self.is_sqlite = not address.is_postgresql
        options: dict[str, Any] = (
            sqlite.options() if self.is_sqlite else postgresql.options(connect_seconds=address.connect_seconds)
        )
        self._file = Path(make_url(self.url).database or "") if self.is_sqlite else None
        if self._file is not None:
            sqlite.keep_private(self._file)
        self.engine: Engine = create_engine(
            self.url,
            **{"pool_size": 8, "max_overflow": 40, "pool_timeout": 10, **options},
            json_serializer=to_json,
            json_deserializer=from_json,
        )
        # SQLite's own queue of waiting writers is not fair: within a process, take turns
        self._turn = Lock()
        if self._file is not None:
            sqlite.prepare(self.engine, self._file)
        else:
            postgresql.prepare(self.engine)
        if address.iam is not None:
            sign_each_connection(self.engine, address.iam)
        self._writer = self.engine.execution_options(archer_write=True)
        self._reader = self.engine if self.is_sqlite else self.engine.execution_options(**postgresql.READ)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view. Raises StoreUnavailableError."""
        with _translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Committed and on disk after the block; nothing of it when anything raises. Raises StoreUnavailableError."""
        with self._own_turn(), _translated(), self._writer.begin() as connection:
            self._check_file(connection)
            yield connection

    def reading(self, work: Callable[[Connection], T]) -> T:
        """`work` on a consistent view; once more on a new connection when an old one turns out to be dead."""
        try:
            with self.read() as connection:
                return work(connection)
        except DisconnectedError:
            with self.read() as connection:
                return work(connection)

    def writing(self, work: Callable[[Connection], T]) -> T:
        """`work` in a transaction, repeated when it met another one, and once when the connection was dead.

        A connection may break after the commit and before its answer, so `work` must be one that finds what it did
        before: a submission finds its job's id, a change finds another version.
        """
        broken = 0
        for repeat in range(_REPEATS):
            try:
                with self.write() as connection:
                    return work(connection)
            except DisconnectedError:
                broken += 1
                if broken > 1:
                    raise
                _log.info("database connection lost, trying a new one")
            except (IntegrityError, TransientError) as error:
                if repeat == _REPEATS - 1 and isinstance(error, TransientError):
                    raise
                if isinstance(error, IntegrityError) and repeat == _SAME_ROW_REPEATS - 1:
                    # nobody else's row: one of the values breaks a rule of the tables
                    raise UnfitValueError(_sentence(error)) from error
                _log.info("transaction repeated")
                if not self.is_sqlite:
                    time.sleep(random.uniform(0, 0.01 * 2**repeat))  # noqa: S311  # spreads, hides nothing
        raise AssertionError  # the last repeat returned or raised

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        """Waits no longer than SQLite itself would: else a stuck database keeps every thread of a server, one by one."""
        if not self.is_sqlite:
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
        if self._file is not None and sqlite.was_replaced(connection, self._file):
            raise StoreUnavailableError(f"{self._file} was removed or replaced under this server; restart it")

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DataError as error:
        raise UnfitValueError(_sentence(error)) from error
    except DBAPIError as error:
        if postgresql.met_another(error):
            raise TransientError(_sentence(error)) from error
        if error.connection_invalidated:
            raise DisconnectedError(_sentence(error)) from error
        raise StoreUnavailableError(_sentence(error)) from error
    except SQLAlchemyError as error:
        raise StoreUnavailableError(str(error)) from error


def _sentence(error: DBAPIError) -> str:
    """What the driver says, in one line."""
    return "; ".join(line.strip() for line in str(error.orig).splitlines() if line.strip())
