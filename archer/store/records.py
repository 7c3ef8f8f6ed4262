"""The words in which Archer talks to its store: what is born, what changes, what is asked for, what operators set.

Plain records, frozen; `archer.store.interface` says what is done with them, and gives them out as its own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from archer.model import Diagnosis, EventKind, Job, JobState


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
    namespace: str | None = None
    priority: int = 0
    vcores: int = 0
    memory_mib: int = 0
    waiting_limits: Sequence["WaitingLimit"] = ()
    """Refused when any of them is reached; judged in the transaction that would add the job."""


@dataclass(frozen=True, kw_only=True)
class WaitingLimit:
    """How many jobs may wait (QUEUED) at once, in a queue or for one user over all queues."""

    most: int
    queue: str | None = None
    user: str | None = None
    """Exactly one of `queue` and `user` is given."""


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
class Claim:
    """Whose it is to create an attempt in its cluster; anybody's when the time is over."""

    owner: str
    until: datetime


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
    claim: Claim | None = None
    """With a move to SUBMITTING: who creates the attempt. Every other move ends the claim."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Long texts of the latest attempt, by kind (`driver-log`): kept whole, up to MAX_TEXT_CHARACTERS of their end."""
    remember_rung: bool = False
    """The attempt's memory rung worked: the next run of the same team's job of this name begins with it."""


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


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What the active jobs (SUBMITTING to LOST) of one queue, user, cluster and namespace hold together."""

    queue: str
    user: str | None
    cluster: str
    namespace: str | None
    jobs: int
    unacknowledged: int
    """Of these, SUBMITTING or SUBMITTED: Spark hasn't shown up yet."""
    vcores: int
    memory_mib: int
    """On the rungs of the memory ladder that they have come to."""


class Mode(StrEnum):
    """Whether jobs go to a cluster or leave a queue."""

    OPEN = "open"
    DRAINING = "draining"
    """Nothing new; what runs goes on. Jobs that wait for this cluster go elsewhere when they may."""
    PAUSED = "paused"
    """Nothing new; what waits for it stays."""


@dataclass(frozen=True, kw_only=True)
class Switch:
    """What an operator set, and why."""

    kind: str
    """`cluster`, `queue` or `all`."""
    name: str
    """Name of the cluster, full path of the queue (and everything below it), or empty for `all`."""
    mode: Mode
    message: str
    actor: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ClusterHealth:
    """How a cluster answered lately, as its dispatcher saw it. Written a few times a minute, read by routing and the page."""

    name: str
    healthy: bool
    message: str
    """Why not, or an empty text."""
    create_seconds: float | None
    """Median of the latest creates; None before the first."""
    breaker: str
    """`closed`, `open` or `half-open`."""
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Token:
    """A door's token. The secret itself is never stored."""

    id: str
    """Short public name, for listing and revoking."""
    digest: str
    """SHA-256 of the secret, hexadecimal."""
    subject: str
    """The user that it stands for."""
    roles: Sequence[str]
    """`viewer`, `submitter:<queue>`, `operator`, `admin`."""
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None


MAX_TEXT_CHARACTERS = 262_144
"""Kept of a long text; its end, where a program says why it stops."""
