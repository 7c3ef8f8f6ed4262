"""What Archer asks of a store, and the words in which it asks.

Callers see jobs, attempts and events, never rows or SQL. Every method is one transaction: it happened as a whole and
is durable when the method returns, or it raises and nothing was written. Any method may raise StoreUnavailableError.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from archer.errors import ArcherError
from archer.model import Attempt, Event, Job, JobState
from archer.store.records import (
    MAX_TEXT_CHARACTERS,
    Change,
    Claim,
    ClusterHealth,
    Fence,
    IdempotencyKey,
    JobFilter,
    JobPage,
    Mode,
    NewAttempt,
    NewJob,
    SubmitResult,
    Switch,
    Token,
    Usage,
    WaitingLimit,
)

__all__ = [
    "MAX_TEXT_CHARACTERS",
    "MOST_COUNTED",
    "WAITS_FOR_ITS_TURN",
    "Change",
    "Claim",
    "ClusterHealth",
    "Fence",
    "IdempotencyKey",
    "JobFilter",
    "JobPage",
    "Mode",
    "NewAttempt",
    "NewJob",
    "Store",
    "SubmitResult",
    "Switch",
    "Token",
    "Usage",
    "WaitingLimit",
]

MOST_COUNTED: Final = 1000
"""Jobs that are counted before a job that waits: of a longer queue nobody needs to know more."""

WAITS_FOR_ITS_TURN: Final = "waits for a slot"
"""The reason that a new job is born with: nothing is known yet that it alone waits for."""


class Store(Protocol):
    """The job store. Safe to use from many threads and many processes."""

    def submit(self, new: NewJob) -> SubmitResult:
        """Job, first event, counters and idempotency key in one transaction. Raises IdempotencyKeyReusedError."""
        ...

    def submit_many(self, new: Sequence[NewJob]) -> Sequence[SubmitResult | ArcherError]:
        """As `submit`, for several in one transaction: an answer for each, in order; a refusal refuses that one alone.

        Refusals: IdempotencyKeyReusedError, QueueFullError.
        """
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

    def versions(self, job_ids: Collection[str]) -> Mapping[str, int]:
        """The jobs' versions, by id, as cheaply; a job that isn't there is left out."""
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

    def change_many(
        self, wanted: Sequence[tuple[str, Change]], *, fence: Fence | None = None
    ) -> Sequence[Job | ArcherError]:
        """As `change`, for several jobs in one transaction: an answer for each, in order; each job at most once.

        A StaleJobError, IllegalMoveError or NotFoundError is the answer for its job alone, and nothing of that change is
        written. Raises FencedOutError, and then nothing at all is written.
        """
        ...

    def waiting(self, *, now: datetime, per_queue: int) -> Sequence[Job]:
        """Jobs that may start: of each queue the first `per_queue`, by priority (highest first), then by number.

        QUEUED, and RETRY_WAIT whose pause is over. On any cluster or none yet; whether they may, is the caller's.
        """
        ...

    def usage(self) -> Sequence[Usage]:
        """What active jobs hold, added up in the database."""
        ...

    def begun_since(self, cluster: str, since: datetime) -> int:
        """How many active jobs of a cluster had their latest attempt written after `since`."""
        ...

    def unclaimed(
        self, cluster: str, *, owner: str, now: datetime, seconds: float, limit: int
    ) -> Sequence[tuple[Job, Attempt]]:
        """SUBMITTING jobs of a cluster whose claim is over, from now on claimed by `owner` for `seconds`.

        Rows that another dispatcher takes at this moment are passed over (SKIP LOCKED on PostgreSQL).
        """
        ...

    def by_attempts(self, names: Collection[str]) -> Mapping[str, tuple[Job, Attempt]]:
        """Jobs whose LATEST attempt has one of the names, by that name; a name that is nobody's latest is left out.

        The attempts come without their specification (`known_attempts` has it).
        """
        ...

    def known_attempts(self, names: Collection[str]) -> Mapping[str, Attempt]:
        """Attempts of these names, latest or not."""
        ...

    def standing(self, job: Job) -> tuple[str | None, int]:
        """`wait_reason` for the job's queue and user, and how many QUEUED jobs of its queue go first, at one moment.

        By priority and number. Anything above MOST_COUNTED means more than that.
        """
        ...

    def set_waits(self, waits: Mapping[tuple[str, str | None], str]) -> None:
        """Replace why jobs wait: by queue, or by queue and user. Read by `wait_reason`."""
        ...

    def set_reasons(self, reasons: Mapping[str, str]) -> None:
        """Why single QUEUED or RETRY_WAIT jobs wait, by job id; neither a version nor an event comes of it."""
        ...

    def wait_reason(self, queue: str, user: str | None) -> str | None:
        """What `set_waits` said of the user in the queue, else of the queue."""
        ...

    def rungs(self, of: Collection[tuple[str | None, str]]) -> Mapping[tuple[str | None, str], float]:
        """The memory rungs that worked last, by team and job name; what none is known of is left out."""
        ...

    def text(self, job_id: str, attempt: int, kind: str) -> str | None:
        """A long text of an attempt, as `Change.texts` gave it."""
        ...

    def switches(self) -> Sequence[Switch]:
        """What is not open."""
        ...

    def set_switch(self, switch: Switch) -> None:
        """Set, or with Mode.OPEN take away."""
        ...

    def report_health(self, health: ClusterHealth) -> None:
        """The latest report of a cluster replaces the one before."""
        ...

    def health(self) -> Mapping[str, ClusterHealth]:
        """The latest report of each cluster."""
        ...

    def add_token(self, token: Token) -> None:
        """Raises ConflictError when the id or digest is taken."""
        ...

    def token(self, digest: str) -> Token | None:
        """The token with this digest, revoked and expired ones included."""
        ...

    def tokens(self) -> Sequence[Token]:
        """All of them, by id."""
        ...

    def revoke_token(self, token_id: str, *, at: datetime) -> None:
        """Raises NotFoundError. A second time changes nothing."""
        ...

    def lease_owners(self, prefix: str) -> Mapping[str, str]:
        """Live leases whose names begin with `prefix`, and who holds them."""
        ...

    def prune_jobs(self, *, before: datetime, limit: int = 200, fence: Fence | None = None) -> int:
        """Forget finished jobs that ended before `before`, with all that belongs to them; how many went.

        A small batch in a transaction of its own: it never locks what others need for long.
        """
        ...

    def overdue(self, clusters: Collection[str], *, now: datetime, limit: int) -> Sequence[Job]:
        """QUEUED jobs of these clusters, or of none yet, whose queue deadline has passed."""
        ...

    def in_states(
        self,
        cluster: str,
        states: Collection[JobState],
        *,
        namespace: str | None = None,
        after: int = 0,
        limit: int = 500,
    ) -> Sequence[tuple[Job, Attempt | None]]:
        """Jobs of a cluster, or of one namespace of it, with their latest attempt, by number, from after `after` on.

        The attempts come without their specification (`known_attempts` has it).
        """
        ...

    def count(self, cluster: str, states: Collection[JobState]) -> int:
        """How many jobs of a cluster are in one of the states."""
        ...

    def counters(self) -> Mapping[tuple[str, JobState], int]:
        """Jobs per (queue, state), from counters kept with every change: cheap at any number of jobs."""
        ...

    def oldest_queued(self) -> Mapping[str, datetime]:
        """Since when the oldest QUEUED job of each queue waits; queues without one are left out.

        It costs as much as waits, read from an index, and nothing for what has ended.
        """
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
