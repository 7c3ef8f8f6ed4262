"""The store on an SQL database: SQLite on one machine, PostgreSQL for a team.

Each method is one transaction around functions of the modules beside this one. What meets another transaction is
repeated here, what finds its connection dead is tried once more, and everything else is told to the caller.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, select

from archer.clock import Clock, SystemClock, to_ms
from archer.errors import ArcherError, StoreUnavailableError
from archer.model import Attempt, Event, Job, JobState
from archer.store import (
    births,
    changes,
    claims,
    counters,
    leases,
    memory_rungs,
    queries,
    queues,
    retention,
    switchboard,
    texts,
    tokens,
)
from archer.store.connection import Database, UnfitValueError
from archer.store.interface import (
    Change,
    ClusterHealth,
    Fence,
    JobFilter,
    JobPage,
    NewJob,
    SubmitResult,
    Switch,
    Token,
    Usage,
)
from archer.store.migrate import check_schema
from archer.store.schema import idempotency_keys

T = TypeVar("T")
R = TypeVar("R")


class SqlStore:
    """`archer.store.interface.Store` over SQLAlchemy Core."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._schema_is_ours = False

    def _read(self, work: Callable[[Connection], T]) -> T:
        self._need_our_schema()
        return self._database.reading(work)

    def _write(self, work: Callable[[Connection], T]) -> T:
        self._need_our_schema()
        return self._database.writing(work)

    def _need_our_schema(self) -> None:
        """Once, and again after a probe that found another one: code of one version never writes tables of another."""
        if not self._schema_is_ours:
            check_schema(self._database)
            self._schema_is_ours = True

    def submit(self, new: NewJob) -> SubmitResult:
        answer = self.submit_many([new])[0]
        if isinstance(answer, ArcherError):
            raise answer
        return answer

    def submit_many(self, new: Sequence[NewJob]) -> Sequence[SubmitResult | ArcherError]:
        return self._each(new, births.bear_jobs)

    def _each(
        self, items: Sequence[T], work: Callable[[Connection, Sequence[T]], list[R | ArcherError]]
    ) -> list[R | ArcherError]:
        """`work` for all in one transaction; when the database refuses one of them, each in a transaction of its own.

        When it refuses all of them, it isn't them.
        """
        if not items:
            return []
        try:
            return self._write(lambda connection: work(connection, items))
        except UnfitValueError:
            if len(items) == 1:
                raise
        answers: list[R | ArcherError] = []
        for item in items:
            try:
                answers += self._each([item], work)
            except UnfitValueError as error:
                answers.append(error)
        refusals = [answer for answer in answers if isinstance(answer, UnfitValueError)]
        if len(refusals) == len(answers):
            raise refusals[0]
        return answers

    def key_exists(self, scope: str, key: str) -> bool:
        keys = idempotency_keys
        query = select(keys.c.job_id).where(keys.c.scope == scope, keys.c.key == key)
        return self._read(lambda connection: connection.execute(query).one_or_none() is not None)

    def job(self, key: str) -> Job:
        return self._read(lambda connection: queries.find_job(connection, key))

    def version(self, job_id: str) -> int:
        return self._read(lambda connection: queries.find_version(connection, job_id))

    def versions(self, job_ids: Collection[str]) -> Mapping[str, int]:
        return self._read(lambda connection: queries.find_versions(connection, job_ids))

    def jobs(self, wanted: JobFilter, *, limit: int, before: int | None = None) -> JobPage:
        return self._read(lambda connection: queries.list_jobs(connection, wanted, limit=limit, before=before))

    def attempts(self, job_id: str) -> Sequence[Attempt]:
        return self._read(lambda connection: queries.list_attempts(connection, job_id))

    def events(self, job_id: str, *, after: int = 0, limit: int = 500) -> Sequence[Event]:
        return self._read(lambda connection: queries.list_events(connection, job_id, after=after, limit=limit))

    def change(self, job_id: str, change: Change, *, fence: Fence | None = None) -> Job:
        answer = self.change_many([(job_id, change)], fence=fence)[0]
        if isinstance(answer, ArcherError):
            raise answer
        return answer

    def change_many(
        self, wanted: Sequence[tuple[str, Change]], *, fence: Fence | None = None
    ) -> Sequence[Job | ArcherError]:
        packed = [
            changes.Wanted(job_id=job_id, change=change, texts=texts.pack(change.texts)) for job_id, change in wanted
        ]
        return self._each(packed, lambda connection, some: changes.change_jobs(connection, some, fence))

    def waiting(self, *, now: datetime, per_queue: int) -> Sequence[Job]:
        return self._read(lambda connection: queues.list_waiting(connection, now=now, per_queue=per_queue))

    def usage(self) -> Sequence[Usage]:
        return self._read(queues.add_up_usage)

    def unclaimed(
        self, cluster: str, *, owner: str, now: datetime, seconds: float, limit: int
    ) -> Sequence[tuple[Job, Attempt]]:
        return self._write(
            lambda connection: claims.claim_unclaimed(
                connection, cluster, owner=owner, now=now, seconds=seconds, limit=limit
            )
        )

    def by_attempts(self, names: Collection[str]) -> Mapping[str, tuple[Job, Attempt]]:
        return self._read(lambda connection: queries.find_by_attempts(connection, names))

    def known_attempts(self, names: Collection[str]) -> Mapping[str, Attempt]:
        return self._read(lambda connection: queries.find_attempts(connection, names))

    def standing(self, job: Job) -> tuple[str | None, int]:
        return self._read(
            lambda connection: (
                queues.read_wait(connection, job.queue, job.user),
                queues.count_before(connection, job),
            )
        )

    def set_waits(self, waits: Mapping[tuple[str, str | None], str]) -> None:
        self._write(lambda connection: queues.replace_waits(connection, waits))

    def set_reasons(self, reasons: Mapping[str, str]) -> None:
        if reasons:
            self._write(lambda connection: queues.write_reasons(connection, reasons))

    def wait_reason(self, queue: str, user: str | None) -> str | None:
        return self._read(lambda connection: queues.read_wait(connection, queue, user))

    def rungs(self, of: Collection[tuple[str | None, str]]) -> Mapping[tuple[str | None, str], float]:
        return self._read(lambda connection: memory_rungs.read_rungs(connection, of))

    def text(self, job_id: str, attempt: int, kind: str) -> str | None:
        return self._read(lambda connection: texts.read_text(connection, job_id, attempt, kind))

    def switches(self) -> Sequence[Switch]:
        return self._read(switchboard.list_switches)

    def set_switch(self, switch: Switch) -> None:
        self._write(lambda connection: switchboard.write_switch(connection, switch))

    def report_health(self, health: ClusterHealth) -> None:
        self._write(lambda connection: switchboard.write_health(connection, health))

    def health(self) -> Mapping[str, ClusterHealth]:
        return self._read(switchboard.read_health)

    def add_token(self, token: Token) -> None:
        self._write(lambda connection: tokens.insert_token(connection, token))

    def token(self, digest: str) -> Token | None:
        return self._read(lambda connection: tokens.find_token(connection, digest))

    def tokens(self) -> Sequence[Token]:
        return self._read(tokens.list_tokens)

    def revoke_token(self, token_id: str, *, at: datetime) -> None:
        self._write(lambda connection: tokens.revoke(connection, token_id, at=at))

    def overdue(self, clusters: Collection[str], *, now: datetime, limit: int) -> Sequence[Job]:
        return self._read(lambda connection: queries.list_overdue(connection, clusters, now=now, limit=limit))

    def in_states(
        self,
        cluster: str,
        states: Collection[JobState],
        *,
        namespace: str | None = None,
        after: int = 0,
        limit: int = 500,
    ) -> Sequence[tuple[Job, Attempt | None]]:
        return self._read(
            lambda connection: queries.list_in_states(
                connection, cluster, states, namespace=namespace, after=after, limit=limit
            )
        )

    def count(self, cluster: str, states: Collection[JobState]) -> int:
        return self._read(lambda connection: queries.count_in_states(connection, cluster, states))

    def counters(self) -> Mapping[tuple[str, JobState], int]:
        return self._read(counters.read_counters)

    def begun_since(self, cluster: str, since: datetime) -> int:
        return self._read(lambda connection: queues.count_begun(connection, cluster, since))

    def oldest_queued(self) -> Mapping[str, datetime]:
        return self._read(queues.find_oldest)

    def acquire(self, lease: str, owner: str, *, seconds: float) -> Fence | None:
        return self._write(
            lambda connection: leases.take_lease(
                connection, lease, owner, now_ms=to_ms(self._clock.now()), seconds=seconds
            )
        )

    def release(self, fence: Fence) -> None:
        self._write(lambda connection: leases.give_back(connection, fence))

    def lease_owners(self, prefix: str) -> Mapping[str, str]:
        now_ms = to_ms(self._clock.now())
        return self._read(lambda connection: leases.list_owners(connection, prefix, now_ms=now_ms))

    def prune_idempotency_keys(self, *, before: datetime, limit: int = 1000, fence: Fence | None = None) -> int:
        def prune(connection: Connection) -> int:
            changes.check_fence(connection, fence)
            return retention.delete_keys(connection, before=before, limit=limit)

        return self._write(prune)

    def prune_jobs(self, *, before: datetime, limit: int = 200, fence: Fence | None = None) -> int:
        def prune(connection: Connection) -> int:
            changes.check_fence(connection, fence)
            return retention.delete_jobs(connection, before=before, limit=limit)

        return self._write(prune)

    def probe(self) -> None:
        self._schema_is_ours = False
        self._need_our_schema()
        # a lease of nobody: written for real, so that a full disk or a read-only file is noticed
        if self.acquire("probe", "probe", seconds=0) is None:
            raise StoreUnavailableError("the write probe was not written")

    def close(self) -> None:
        self._database.close()
