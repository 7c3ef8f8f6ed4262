"""What people can do with jobs: submit, look, kill. Each door (API, page, later dialects) is a thin layer over this.

Knows the store and the backend by their interfaces, and nothing of HTTP.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from archer import ids, spark_application
from archer.backends.fleet import Fleet
from archer.backends.interface import LogPiece
from archer.clock import Clock
from archer.cluster_config import ClusterConfig
from archer.errors import (
    ConflictError,
    InvalidQueryError,
    InvalidSubmissionError,
    JobAlreadyFinishedError,
    NotFoundError,
    Problem,
    StaleJobError,
)
from archer.gathering import Gatherer
from archer.logs import DEFAULT_LIMIT_BYTES, LogText, read_from, read_tail
from archer.model import ACTIVE_STATES, WAITING_STATES, Attempt, Event, EventKind, Job, JobState
from archer.problems import shown
from archer.scheduling.limits import NEVER
from archer.scheduling.waits import own_reason
from archer.steering import Steering
from archer.store.interface import MOST_COUNTED, Change, IdempotencyKey, JobFilter, NewJob, Store, SubmitResult
from archer.submission import Submission
from archer.tenancy import Admission, Tenancy

_SCOPE = "native"
"""Idempotency keys of this API; other dialects get scopes of their own."""

_READERS = 8
"""Threads for repeated submissions that would be refused today."""

_KILL_TRIES = 20
"""A running job changes a few times a second at most; more conflicts than this are a defect."""


@dataclass(frozen=True, kw_only=True)
class JobList:
    """One page of jobs, newest first."""

    jobs: Sequence[Job]
    next_cursor: str | None


class Service:
    """The use cases. Safe to use from many threads."""

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        clock: Clock,
        *,
        news: Callable[[], None] = lambda: None,
        history_server: Callable[[], str | None] = lambda: None,
        config: ClusterConfig | None = None,
    ) -> None:
        self._store = store
        self._gatherer = Gatherer(store)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="repeated")
        self._fleet = fleet
        self.steering = Steering(store, fleet, clock, config)
        self._clock = clock
        self._config = config
        self._news = news
        self._history_server = history_server
        self._tenancy = Tenancy(config)

    def now(self) -> datetime:
        """The service's clock: durations of running jobs count up to here."""
        return self._clock.now()

    def submit(
        self, submission: Submission, *, header_key: str | None = None, actor: str, keys_of: str | None = None
    ) -> Future[SubmitResult]:
        """A new job, or the one that the idempotency key stands for; `keys_of`: whose keys these are, where that is proven.

        Never blocks. Raises InvalidSubmissionError (all that the environment forbids or the place can't honour); the
        result may be that too, IdempotencyKeyReusedError or QueueFullError. Where the job stands in its queue is not
        counted for this answer: `job` tells it.
        """
        key = _idempotency_key(submission, header_key, keys_of)
        admitted = self._tenancy.admit(submission)
        refused = self._fleet.check(admitted.submission)
        problems = [*admitted.problems, *map(admitted.profiled.attributed, refused)]
        if problems and key is None:
            raise InvalidSubmissionError(problems)
        new = self._new_job(admitted, key, actor)
        answer = self._readers.submit(self._submit_again, new, problems) if problems else self._gatherer.submit(new)
        answer.add_done_callback(lambda _: self._news())
        return answer

    def _submit_again(self, new: NewJob, problems: Sequence[Problem]) -> SubmitResult:
        # a repeated request is answered even when its file is gone by now: the job exists
        if new.key is None or not self._store.key_exists(new.key.scope, new.key.key):
            raise InvalidSubmissionError(problems)
        return self._gatherer.submit(new).result()

    def _new_job(self, admitted: Admission, key: IdempotencyKey | None, actor: str) -> NewJob:
        submission = admitted.submission
        now = self._clock.now()
        job_id = ids.new_job_id(now)
        wait = submission.timeouts.queue_seconds
        vcores, memory_mib = spark_application.amount(submission, self._config)
        place = self._fleet.only
        return NewJob(
            id=job_id,
            emr_id=ids.emr_id(job_id),
            name=submission.name,
            team=submission.team,
            queue=admitted.queue,
            user=submission.user,
            # where there is a choice, admission makes it when the job's turn comes
            cluster=submission.cluster if place is None else place.cluster,
            namespace=admitted.namespace,
            priority=submission.priority,
            vcores=vcores,
            memory_mib=memory_mib,
            waiting_limits=admitted.waiting_limits,
            max_attempts=submission.retry.max_attempts,
            labels=submission.labels,
            submission=submission.model_dump(mode="json"),
            actor=actor,
            at=now,
            queue_deadline=None if wait is None else now + timedelta(seconds=wait),
            notes=[*admitted.notes, *self._fleet.notes(submission)],
            key=key,
        )

    def job(self, key: str) -> Job:
        """By job id, number or EMR id; a waiting job says what it waits for. Raises NotFoundError."""
        return self._with_reason(self._store.job(key))

    def _with_reason(self, job: Job) -> Job:
        if job.state is not JobState.QUEUED:
            return job
        place = self._fleet.only
        told, before = self._store.standing(job)
        told = own_reason(job) or told
        if told is not None and told.startswith(NEVER):
            # its turn never comes, whoever waits before it
            return replace(job, reason=told)
        if place is not None and place.capacity is not None:
            active = self._store.count(place.cluster, ACTIVE_STATES)
            slots = f"waits for a slot: {active} of {place.capacity} are taken"
            why = slots if active >= place.capacity else told or slots
        else:
            why = told or "waits for its turn"
        number = str(before) if before <= MOST_COUNTED else f"more than {MOST_COUNTED}"
        few = {0: "no job waits before it", 1: "1 job waits before it"}
        waiting = few.get(before, f"{number} jobs wait before it")
        return replace(job, reason=f"{why}, {waiting}")

    def _with_wait(self, job: Job, waits: dict[tuple[str, str | None], str | None]) -> Job:
        """What it waits for without its place, which would have to be counted for each; `waits` are those known already."""
        if job.state is not JobState.QUEUED or own_reason(job):
            return job
        place = (job.queue, job.user)
        if place not in waits:
            waits[place] = self._store.wait_reason(*place)
        return replace(job, reason=waits[place] or job.reason)

    def versions(self, job_ids: Collection[str]) -> Mapping[str, int]:
        """As `Store.versions`: for those who were given the jobs before."""
        return self._store.versions(job_ids)

    def jobs(self, wanted: JobFilter, *, limit: int, cursor: str | None = None) -> JobList:
        """Newest first. Raises InvalidQueryError for a cursor that no page gave."""
        page = self._store.jobs(wanted, limit=limit, before=None if cursor is None else _number_of(cursor))
        waits: dict[tuple[str, str | None], str | None] = {}
        jobs = [self._with_wait(job, waits) for job in page.jobs]
        return JobList(jobs=jobs, next_cursor=None if page.next_before is None else _cursor(page.next_before))

    def attempts(self, key: str) -> Sequence[Attempt]:
        """First to last. Raises NotFoundError."""
        return self._store.attempts(self._store.job(key).id)

    def events(self, key: str, *, after: int = 0, limit: int = 500) -> Sequence[Event]:
        """Oldest first. Raises NotFoundError."""
        return self._store.events(self._store.job(key).id, after=after, limit=limit)

    def counters(self) -> Mapping[tuple[str, JobState], int]:
        """Jobs per (queue, state)."""
        return self._store.counters()

    def queue_ages(self) -> Mapping[str, float]:
        """Seconds that the oldest QUEUED job of each queue has waited."""
        now = self._clock.now()
        return {queue: max(0.0, (now - at).total_seconds()) for queue, at in self._store.oldest_queued().items()}

    def kill(self, key: str, *, actor: str) -> Job:
        """A waiting job is CANCELLED at once; one in the cluster is CANCELLING until its end is confirmed.

        A second kill changes nothing. Raises NotFoundError, JobAlreadyFinishedError.
        """
        for _ in range(_KILL_TRIES):
            job = self._store.job(key)
            if job.state.final:
                raise JobAlreadyFinishedError(job.id, job.state)
            if job.state is JobState.CANCELLING:
                return job
            try:
                killed = self._store.change(job.id, self._kill_change(job, actor))
            except StaleJobError:
                continue
            self._news()
            return killed
        raise ConflictError(f"job {key} changes too fast to be killed; try again")

    def _kill_change(self, job: Job, actor: str) -> Change:
        to, message = JobState.CANCELLING, "waits for the cluster to confirm the end"
        if job.state in WAITING_STATES:
            to, message = JobState.CANCELLED, "killed before it ran"
        elif job.state is JobState.LOST:
            # its attempt is known to be gone: there is nothing to confirm
            to, message = JobState.CANCELLED, "killed while nothing of it ran"
        return Change(
            expect_version=job.version,
            actor=actor,
            at=self._clock.now(),
            to=to,
            message=message,
            extra_events=((EventKind.REQUEST, f"kill requested by {actor}"),),
        )

    def logs(
        self,
        key: str,
        *,
        attempt: int | None = None,
        stream: str = "driver",
        offset: int | None = None,
        tail: int | None = None,
        limit: int = DEFAULT_LIMIT_BYTES,
    ) -> LogText:
        """A piece of an attempt's log, of the latest attempt by default; from the start, `offset` bytes, or the end.

        Raises NotFoundError for an unknown job or attempt. A job without attempts has an empty log.
        """
        job = self._store.job(key)
        attempts = self._store.attempts(job.id)
        chosen = next((found for found in attempts if found.number == (attempt or job.attempt)), None)
        if chosen is None and attempt is not None:
            raise NotFoundError("attempt", f"{job.id}-{attempt}")
        if chosen is None:
            return LogText(text="", offset=0, next_offset=0, complete=job.state.final)
        where, name = chosen.cluster or job.cluster, chosen.name

        def read(start: int, count: int) -> LogPiece:
            return self._fleet.read_log(where, name, stream, offset=start, limit=count)

        ended = chosen.state.final
        if tail is not None:
            return read_tail(read, tail, limit=limit, ended=ended)
        return read_from(read, offset or 0, limit=limit, ended=ended)

    @property
    def in_pods(self) -> bool:
        """Whether jobs run as pods of clusters, each with one log; else as programs of this machine."""
        place = self._fleet.only
        return place is None or place.capacity is None

    @property
    def history_server_url(self) -> str | None:
        """Front page of Spark's History Server; None when there is none."""
        return self._history_server()

    def history_url(self, job: Job) -> str | None:
        """The job's page in the History Server; None before Spark's application exists."""
        server = self._history_server()
        return None if server is None or job.spark_app_id is None else f"{server}/history/{job.spark_app_id}/jobs/"

    def probe(self) -> None:
        """Raise StoreUnavailableError unless a submission would be stored just now."""
        self._store.probe()


def _idempotency_key(submission: Submission, header_key: str | None, keys_of: str | None) -> IdempotencyKey | None:
    key = header_key if submission.idempotency_key is None else submission.idempotency_key
    if key is None:
        return None
    # as it was sent: what an environment fills in may change between two tries of one request, and under a profile a
    # value that is left out is another request than the default written out
    unset = submission.profile is not None
    # without defaults: a field that a later version knows must not make the same body another request
    body = submission.model_dump(
        mode="json", exclude={"idempotency_key"}, exclude_unset=unset, exclude_defaults=not unset
    )
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    # a name may be longer than the column, and what somebody else chose must not be in anybody's way
    scope = _SCOPE if keys_of is None else f"{_SCOPE}:{hashlib.sha256(keys_of.encode()).hexdigest()[:32]}"
    return IdempotencyKey(scope=scope, key=key, request_hash=hashlib.sha256(canonical.encode()).hexdigest())


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"before:{number}".encode()).decode().rstrip("=")


def _number_of(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        word, _, number = text.partition(":")
        if word == "before" and number.isascii() and number.isdigit():
            return min(int(number), 2**63 - 1)
    except (binascii.Error, ValueError):
        pass
    problem = Problem(path="cursor", value=shown(cursor), allowed="a `next_cursor` of a page", fix="start without it")
    raise InvalidQueryError([problem])
