"""What Archer asks of a store, and the words in which it asks.

Callers see jobs, attempts and events, never rows or SQL. Every method is one transaction: it happened as a whole and
is durable when the method returns, or it raises and nothing was written. Any method may raise StoreUnavailableError.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from archer.model import Attempt, Diagnosis, Event, EventKind, Job, JobState


@dataclass(frozen=True, kw_only=True)
class Fence:
    """Proof of holding a lease: a change that carries it is refused once the lease has a newer epoch."""

    lease: str
    owner: str
    epoch: int


@dataclass(frozen=True, kw_only=True)
class IdempotencyKey:
    """A submission's key and what was sent with it."""

    scope: str
    """Keys of different scopes (dialects of the API) don't meet."""
    key: str
    request_hash: str
    """Same key and same hash: the same request again. Same key, other hash: a mistake of the caller."""


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A job about to be born, QUEUED."""

    id: str
    emr_id: str
    name: str
    team: str | None
    queue: str
    user: str | None
    cluster: str | None
    """None: it waits for whichever cluster's dispatcher claims it first."""
    max_attempts: int
    labels: Mapping[str, str]
    submission: Mapping[str, Any]
    actor: str
    at: datetime
    queue_deadline: datetime | None = None
    """When it has waited too long for its first slot; None: never."""
    notes: Sequence[str] = ()
    """What the job's history should say about how the submission was understood."""
    key: IdempotencyKey | None = None


@dataclass(frozen=True, kw_only=True)
class SubmitResult:
    """The job, and whether it existed before under the same idempotency key."""

    job: Job
    replayed: bool


@dataclass(frozen=True, kw_only=True)
class NewAttempt:
    """The attempt that a move to SUBMITTING starts."""

    number: int
    name: str
    memory_rung: float
    spec: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of one job, decided on one version of it; refused when the job has another version by now.

    None leaves a field as it is, except `substate` and `reason`, which always become what is given here: they describe
    the present, and the present has changed.
    """

    expect_version: int
    actor: str
    at: datetime
    message: str
    """For the job's history."""
    to: JobState | None = None
    """New state; None for a change of substate or links only. Checked against the table of legal moves."""
    substate: str | None = None
    reason: str | None = None
    diagnosis: Diagnosis | None = None
    spark_app_id: str | None = None
    ui_url: str | None = None
    retry_at: datetime | None = None
    cluster: str | None = None
    """Where it goes from now on; only a waiting job may go elsewhere."""
    memory_rung: float | None = None
    new_attempt: NewAttempt | None = None
    attempt_state: JobState | None = None
    """State of the latest attempt, where it differs from `to` (a job in RETRY_WAIT has a FAILED attempt)."""
    backend_ref: str | None = None
    exit_code: int | None = None
    extra_events: Sequence[tuple[EventKind, str]] = ()
    """Further entries for the history, before the one about the state."""


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs to list; an empty field doesn't restrict."""

    states: Collection[JobState] = ()
    name: str | None = None
    queue: str | None = None
    user: str | None = None
    team: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """All of them must match."""


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """Jobs, newest first."""

    jobs: Sequence[Job]
    next_before: int | None
    """`before` of the next page; None on the last."""


class Store(Protocol):
    """The job store. Safe to use from many threads and many processes."""

    def submit(self, new: NewJob) -> SubmitResult:
        """Job, first event, counters and idempotency key in one transaction. Raises IdempotencyKeyReusedError."""
        ...

    def key_exists(self, scope: str, key: str) -> bool:
        """Whether an idempotency key stands for a job."""
        ...

    def job(self, key: str) -> Job:
        """By job id, number or EMR id. Raises NotFoundError."""
        ...

    def version(self, job_id: str) -> int:
        """The job's version, cheaply. Raises NotFoundError."""
        ...

    def jobs(self, wanted: JobFilter, *, limit: int, before: int | None = None) -> JobPage:
        """Newest first; `before` is a job number."""
        ...

    def attempts(self, job_id: str) -> Sequence[Attempt]:
        """First to last."""
        ...

    def events(self, job_id: str, *, after: int = 0, limit: int = 500) -> Sequence[Event]:
        """Oldest first, from the event after `after` on."""
        ...

    def change(self, job_id: str, change: Change, *, fence: Fence | None = None) -> Job:
        """The one way to change a job: job, attempt, counters and events in one transaction.

        Raises StaleJobError (another version), IllegalMoveError, FencedOutError, NotFoundError.
        """
        ...

    def due(self, cluster: str, *, now: datetime, limit: int) -> Sequence[Job]:
        """Jobs that may start in a cluster: QUEUED, and RETRY_WAIT whose pause is over; first come, first served.

        Those that have no cluster yet are among them.
        """
        ...

    def overdue(self, cluster: str, *, now: datetime, limit: int) -> Sequence[Job]:
        """QUEUED jobs of a cluster, or of none yet, whose queue deadline has passed."""
        ...

    def in_states(
        self, cluster: str, states: Collection[JobState], *, after: int = 0, limit: int = 500
    ) -> Sequence[tuple[Job, Attempt | None]]:
        """Jobs of a cluster with their latest attempt, by number, from the number after `after` on."""
        ...

    def count(self, cluster: str, states: Collection[JobState], *, before: int | None = None) -> int:
        """How many jobs of a cluster are in one of the states; with `before`, of those with a smaller number."""
        ...

    def counters(self) -> Mapping[tuple[str, JobState], int]:
        """Jobs per (queue, state), from counters kept with every change: cheap at any number of jobs."""
        ...

    def acquire(self, lease: str, owner: str, *, seconds: float) -> Fence | None:
        """Take or renew a lease; None while another owner's is alive. A new owner means a new epoch."""
        ...

    def release(self, fence: Fence) -> None:
        """Hand a lease back, so that the next owner needn't wait for its end."""
        ...

    def prune_idempotency_keys(self, *, before: datetime, limit: int = 1000, fence: Fence | None = None) -> int:
        """Forget keys older than `before`; how many went."""
        ...

    def probe(self) -> None:
        """Prove that a write would work just now, and that the schema is the one this code knows."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...
