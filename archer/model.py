"""What a job is: its states, the legal moves between them, and the records that the store keeps.

Pure data: no I/O, no framework, standard library only, so that the command line can import it for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from archer.errors import IllegalMoveError


class JobState(StrEnum):
    """Where a job stands. What the cluster says beyond that is the substate, a short free text."""

    QUEUED = "QUEUED"
    """Accepted and committed; waits in Archer's database for a slot."""
    SUBMITTING = "SUBMITTING"
    """Claimed by a dispatcher, which is creating the attempt in the cluster."""
    SUBMITTED = "SUBMITTED"
    """The cluster has the attempt; Spark hasn't shown up yet."""
    RUNNING = "RUNNING"
    """The Spark application is up."""
    RETRY_WAIT = "RETRY_WAIT"
    """An attempt failed in a way worth repeating; the next one starts after a pause."""
    CANCELLING = "CANCELLING"
    """Somebody asked to kill it; the cluster hasn't confirmed that it is gone."""
    LOST = "LOST"
    """The attempt vanished without a result; what was last seen decides what follows."""
    SUCCEEDED = "SUCCEEDED"
    """Final: The driver said so explicitly, with exit code 0."""
    FAILED = "FAILED"
    """Final: The diagnosis says why."""
    CANCELLED = "CANCELLED"
    """Final: Killed on request, and confirmed."""

    @property
    def final(self) -> bool:
        return self in FINAL_STATES


_S = JobState
FINAL_STATES = frozenset({_S.SUCCEEDED, _S.FAILED, _S.CANCELLED})

WAITING_STATES = frozenset({_S.QUEUED, _S.RETRY_WAIT})
"""No attempt in the cluster: a kill needs nobody's confirmation."""

TRACKED_STATES = frozenset({_S.SUBMITTED, _S.RUNNING, _S.CANCELLING, _S.LOST})
"""The tracker's business."""

ACTIVE_STATES = frozenset({_S.SUBMITTING, *TRACKED_STATES})
"""Occupies a slot of the cluster."""

LEGAL_MOVES: Mapping[JobState, frozenset[JobState]] = {
    _S.QUEUED: frozenset({_S.SUBMITTING, _S.CANCELLED, _S.FAILED}),
    _S.SUBMITTING: frozenset({_S.SUBMITTED, _S.FAILED, _S.CANCELLING, _S.RETRY_WAIT}),
    # a short job ends between two looks of the tracker, so RUNNING may be skipped
    _S.SUBMITTED: frozenset({_S.RUNNING, _S.SUCCEEDED, _S.FAILED, _S.RETRY_WAIT, _S.CANCELLING, _S.LOST}),
    _S.RUNNING: frozenset({_S.SUCCEEDED, _S.FAILED, _S.RETRY_WAIT, _S.CANCELLING, _S.LOST}),
    _S.RETRY_WAIT: frozenset({_S.SUBMITTING, _S.CANCELLED, _S.FAILED}),
    # the attempt may have ended by itself before the kill arrived: its own result is the truth
    _S.CANCELLING: frozenset({_S.CANCELLED, _S.SUCCEEDED, _S.FAILED}),
    _S.LOST: frozenset({_S.RETRY_WAIT, _S.FAILED, _S.CANCELLED}),
    _S.SUCCEEDED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELLED: frozenset(),
}
"""The one table of state changes. `QUEUED` is the only state in which a job is born."""


def check_move(before: JobState, after: JobState) -> None:
    """Raise IllegalMoveError unless the table lists the move."""
    if after not in LEGAL_MOVES[before]:
        allowed = ", ".join(sorted(LEGAL_MOVES[before])) or "nothing, it is final"
        raise IllegalMoveError(f"a job can't go from {before} to {after}; from there it may go to {allowed}")


class Category(StrEnum):
    """Why an attempt failed. A stable contract: retries, dashboards and alerts key on it."""

    OOM_HEAP = "oom-heap"
    """The JVM ran out of heap."""
    OOM_CONTAINER = "oom-container"
    """The processes together used more memory than the attempt may."""
    OOM_PYTHON = "oom-python"
    """Python got no more memory."""
    SPOT_LOSS = "spot-loss"
    """A spot instance was taken back."""
    NODE_LOSS = "node-loss"
    """A node went away."""
    IMAGE_PULL = "image-pull"
    """The image could not be pulled."""
    UNSCHEDULABLE = "unschedulable"
    """No node fits, now or ever."""
    QUOTA = "quota"
    """The team's or queue's quota is used up."""
    USER_ERROR = "user-error"
    """The program failed by itself."""
    SUBMIT_ERROR = "submit-error"
    """Spark could not be started with what was asked for."""
    TIMEOUT = "timeout"
    """One of the job's own limits in time passed."""
    LOST = "lost"
    """The attempt vanished without a result."""


Role = Literal["driver", "executor"]


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What went wrong and what to do, as data."""

    category: Category
    summary: str
    """One line, at most 200 characters."""
    detail: str
    """The evidence: the last lines of a traceback, the numbers compared; at most 4,000 characters."""
    resolution: str
    """What the reader can do now."""
    exit_code: int | None = None
    """Exit code of the driver process; 128 + N for signal N; None when it was never seen."""
    role: Role | None = None
    """Whose memory, node or pod it is about, where that is known."""

    def as_json(self) -> dict[str, Any]:
        known = {} if self.role is None else {"role": self.role}
        return {
            "category": self.category.value,
            "summary": self.summary,
            "detail": self.detail,
            "resolution": self.resolution,
            "exit_code": self.exit_code,
            **known,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Diagnosis":
        return cls(**{**data, "category": Category(data["category"])})


@dataclass(frozen=True, kw_only=True)
class Job:
    """One submission and where it stands. Times are aware UTC datetimes of millisecond precision."""

    id: str
    """`j-` and a lower-case ULID."""
    number: int
    """The same job for clients that want an integer (Livy); increases, has gaps."""
    emr_id: str
    """The same job for clients that want `[0-9a-z]+` (EMR on EKS)."""
    name: str
    team: str | None
    queue: str
    user: str | None
    cluster: str | None
    """Where it runs; None until Archer has chosen."""
    namespace: str | None = None
    """Namespace of its team on every cluster; None where there are none (Spark on one machine)."""
    priority: int = 0
    """Among the jobs of its queue: higher starts first. -100 to 100, 0 unless the job says otherwise."""
    vcores: int = 0
    """vCPU that it asks for at most: driver and all executors."""
    memory_mib: int = 0
    """Memory that it asks for at most, overheads included, before any rung of the memory ladder; MiB."""
    state: JobState
    substate: str | None
    reason: str | None
    """Why the job isn't running yet, for people; None when there is nothing to wait for."""
    attempt: int
    """Number of the latest attempt; 0 before the first."""
    max_attempts: int
    created_at: datetime
    updated_at: datetime
    queued_at: datetime
    """When it last began to wait for a slot."""
    started_at: datetime | None
    """When its first attempt was handed to the cluster."""
    finished_at: datetime | None
    retry_at: datetime | None
    """In RETRY_WAIT: when the next attempt may start."""
    version: int
    """1 at birth, one more with every change."""
    spark_app_id: str | None
    ui_url: str | None
    """Spark's own page, while the application runs."""
    diagnosis: Diagnosis | None
    memory_rung: float
    """Factor on the requested memory for the next attempt: 1, 2, 3 or 4 (D16)."""
    labels: Mapping[str, str]
    submission: Mapping[str, Any]
    """The submission as accepted, defaults filled in."""

    def duration_seconds(self, now: datetime) -> float | None:
        """Seconds from the first attempt's start to the end, or to `now` while it isn't finished."""
        if self.started_at is None:
            return None
        return max(0.0, ((self.finished_at or now) - self.started_at).total_seconds())


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try at running a job."""

    job_id: str
    number: int
    """Counts from 1."""
    name: str
    """Name of its object in the cluster, computed from the two fields above."""
    cluster: str | None
    """Where it ran or runs: a job may go elsewhere for its next attempt. None for one of before this was written down."""
    state: JobState
    backend_ref: str | None
    """What the backend calls it: a process id on one machine, the resource's uid on Kubernetes."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    exit_code: int | None
    spark_app_id: str | None
    ui_url: str | None
    diagnosis: Diagnosis | None
    memory_rung: float
    spec: Mapping[str, Any] = field(default_factory=dict)
    """What the backend was asked to run."""


class EventKind(StrEnum):
    """What an entry of the job's history is about."""

    STATE = "state"
    NOTE = "note"
    DIAGNOSIS = "diagnosis"
    REQUEST = "request"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One entry of a job's history; written in the transaction that made it true."""

    id: int
    """Increases over all jobs, so that it serves as a cursor."""
    job_id: str
    at: datetime
    kind: EventKind
    from_state: JobState | None
    to_state: JobState | None
    attempt: int | None
    actor: str
    """`api:<user>`, `dispatcher:<owner>`, `tracker:<owner>` or `janitor:<owner>`."""
    message: str
