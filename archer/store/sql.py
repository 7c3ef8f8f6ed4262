"""The store on an SQL database: SQLite on one machine. SQL is written so that PostgreSQL is a second dialect.

Each method is one transaction around functions of the modules beside this one.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import structlog
from sqlalchemy import Connection, delete, select, tuple_
from sqlalchemy.exc import IntegrityError

from archer.clock import Clock, SystemClock, to_ms
from archer.errors import StoreUnavailableError
from archer.model import Attempt, Event, Job, JobState
from archer.store import births, changes, counters, leases, queries
from archer.store.connection import Database
from archer.store.interface import Change, Fence, JobFilter, JobPage, NewJob, SubmitResult
from archer.store.migrate import check_schema
from archer.store.schema import idempotency_keys

T = TypeVar("T")

_log = structlog.get_logger()


class SqlStore:
    """`archer.store.interface.Store` over SQLAlchemy Core."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    def submit(self, new: NewJob) -> SubmitResult:
        return self._written(lambda connection: births.bear_job(connection, new))

    def _written(self, work: Callable[[Connection], T]) -> T:
        """`work` in a transaction, and once more when another server inserted the same key or counter row meanwhile."""
        try:
            with self._database.write() as connection:
                return work(connection)
        except IntegrityError:
            _log.info("transaction repeated")
        try:
            with self._database.write() as connection:
                return work(connection)
        except IntegrityError as error:
            raise StoreUnavailableError(str(error.orig)) from error

    def key_exists(self, scope: str, key: str) -> bool:
        keys = idempotency_keys
        with self._database.read() as connection:
            query = select(keys.c.job_id).where(keys.c.scope == scope, keys.c.key == key)
            return connection.execute(query).one_or_none() is not None

    def job(self, key: str) -> Job:
        with self._database.read() as connection:
            return queries.find_job(connection, key)

    def version(self, job_id: str) -> int:
        with self._database.read() as connection:
            return queries.find_version(connection, job_id)

    def jobs(self, wanted: JobFilter, *, limit: int, before: int | None = None) -> JobPage:
        with self._database.read() as connection:
            return queries.list_jobs(connection, wanted, limit=limit, before=before)

    def attempts(self, job_id: str) -> Sequence[Attempt]:
        with self._database.read() as connection:
            return queries.list_attempts(connection, job_id)

    def events(self, job_id: str, *, after: int = 0, limit: int = 500) -> Sequence[Event]:
        with self._database.read() as connection:
            return queries.list_events(connection, job_id, after=after, limit=limit)

    def change(self, job_id: str, change: Change, *, fence: Fence | None = None) -> Job:
        return self._written(lambda connection: changes.change_job(connection, job_id, change, fence))

    def due(self, cluster: str, *, now: datetime, limit: int) -> Sequence[Job]:
        with self._database.read() as connection:
            return queries.list_due(connection, cluster, now=now, limit=limit)

    def overdue(self, cluster: str, *, now: datetime, limit: int) -> Sequence[Job]:
        with self._database.read() as connection:
            return queries.list_overdue(connection, cluster, now=now, limit=limit)

    def in_states(
        self, cluster: str, states: Collection[JobState], *, after: int = 0, limit: int = 500
    ) -> Sequence[tuple[Job, Attempt | None]]:
        with self._database.read() as connection:
            return queries.list_in_states(connection, cluster, states, after=after, limit=limit)

    def count(self, cluster: str, states: Collection[JobState], *, before: int | None = None) -> int:
        with self._database.read() as connection:
            return queries.count_in_states(connection, cluster, states, before=before)

    def counters(self) -> Mapping[tuple[str, JobState], int]:
        with self._database.read() as connection:
            return counters.read_counters(connection)

    def acquire(self, lease: str, owner: str, *, seconds: float) -> Fence | None:
        with self._database.write() as connection:
            now_ms = to_ms(self._clock.now())
            return leases.take_lease(connection, lease, owner, now_ms=now_ms, seconds=seconds)

    def release(self, fence: Fence) -> None:
        with self._database.write() as connection:
            leases.give_back(connection, fence)

    def prune_idempotency_keys(self, *, before: datetime, limit: int = 1000, fence: Fence | None = None) -> int:
        keys = idempotency_keys
        with self._database.write() as connection:
            changes.check_fence(connection, fence)
            old = select(keys.c.scope, keys.c.key).where(keys.c.created_at < to_ms(before)).limit(limit)
            found = [tuple(row) for row in connection.execute(old)]
            if found:
                connection.execute(delete(keys).where(tuple_(keys.c.scope, keys.c.key).in_(found)))
            return len(found)

    def probe(self) -> None:
        check_schema(self._database)
        # a lease of nobody: written for real, so that a full disk or a read-only file is noticed
        if self.acquire("probe", "probe", seconds=0) is None:
            raise StoreUnavailableError("the write probe was not written")

    def close(self) -> None:
        self._database.close()
