"""What Archer asks of a place where attempts run.

All calls are short and never wait for a job: a backend that must listen (a watch on Kubernetes) does so by itself and
answers `observe` from what it knows. Every call may be repeated, after a crash or by another server, with the same
effect as once: attempts are named by the caller, and the name is taken by whoever comes first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol, runtime_checkable

from archer.diagnosis import Evidence
from archer.errors import Problem
from archer.model import Category, Job
from archer.submission import Submission


class Phase(StrEnum):
    """Where an attempt stands in the backend's eyes."""

    STARTING = "starting"
    """It exists; Spark's application isn't up."""
    RUNNING = "running"
    """Spark's application is up."""
    ENDED = "ended"
    """There is an outcome."""
    VANISHED = "vanished"
    """It isn't there, and left no outcome. Nothing of it runs any more."""

    @property
    def alive(self) -> bool:
        """Whether something of it runs, or may begin to."""
        return self in {Phase.STARTING, Phase.RUNNING}


class StopReason(StrEnum):
    """Why Archer stops an attempt; comes back in the outcome."""

    CANCEL = "cancel"
    RUN_TIMEOUT = "run-timeout"
    START_TIMEOUT = "start-timeout"
    STUCK = "stuck"
    """It would never start: see `Observation.stuck`."""


STOPPED_FOR: Final = "stopped-for"
"""Kind of an attempt's text in the store: the `StopReason` that its tracker wrote down before it asked for the end. Where
nothing is left of the attempt, nobody else knows, least of all the tracker that comes next."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an attempt ended."""

    succeeded: bool
    """Only an explicit success counts."""
    stopped_for: str | None
    """As in `Evidence.stopped_for`."""
    exit_code: int | None
    evidence: Evidence
    """For the diagnosis, when it didn't succeed."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Long texts to keep with the attempt (`driver-log`), as for `Change.texts`: soon nobody can read them any more."""
    note: str = ""
    """Added to the history's line about a success: how it is known, where the cluster itself didn't say it plainly."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What a backend knows of one attempt just now."""

    phase: Phase
    substate: str | None = None
    """Short text beyond the phase: "stopping", "image pull", …"""
    spark_app_id: str | None = None
    ui_url: str | None = None
    outcome: Outcome | None = None
    """Present when, and only when, the phase is ENDED."""
    last_seen: str = ""
    """In phase VANISHED: what is known of the end."""
    stuck: Category | None = None
    """In phase STARTING: what keeps it from starting (IMAGE_PULL, UNSCHEDULABLE, SUBMIT_ERROR, LOST: nobody takes it up); None: nothing is known
    to be wrong. Its tracker ends it by StopReason.STUCK when that lasts too long."""


@dataclass(frozen=True, kw_only=True)
class LogPiece:
    """Bytes of a log from `offset` on."""

    data: bytes
    offset: int
    size: int
    """Bytes that the log has at this moment."""


class Backend(Protocol):
    """One cluster. Safe to use from many threads and processes."""

    cluster: str
    """Its name in jobs."""
    capacity: int | None
    """Attempts that may exist at the same time; None: the limits of queues, teams and pacing decide alone."""
    namespaces: Sequence[str]
    """What trackers share out among themselves, one lease each; `("",)` where there are none."""

    def check(self, submission: Submission) -> Sequence[Problem]:
        """What this backend can't honour; empty when it can run the job."""
        ...

    def notes(self, submission: Submission) -> Sequence[str]:
        """What the owner should know about how the submission will be understood here."""
        ...

    def listen(self, namespace: str) -> None:
        """Begin to follow a namespace, as its tracker does while it holds the lease; a second time changes nothing."""
        ...

    def unlisten(self, namespace: str) -> None:
        """Stop following it."""
        ...

    def news(self, namespace: str) -> Collection[str] | None:
        """Names with something new since the last call, and each name once after `listen`; None: look at all of them.

        Raises BackendUnavailableError while the namespace isn't known yet or any more.
        """
        ...

    def plan(self, job: Job, *, attempt: int, memory_rung: float) -> Mapping[str, Any]:
        """What to launch, as data: kept with the attempt before anything is started. No side effects."""
        ...

    def top_rung(self, job: Job) -> float:
        """Highest rung of the memory ladder (1 to 4) with which the job still fits its queue and the nodes there are."""
        ...

    def launch(self, name: str, spec: Mapping[str, Any]) -> str:
        """Start the attempt unless it exists already; its reference. At most one process ever runs under a name.

        Raises LaunchRefusedError (never possible), BackendUnavailableError (try again; it may or may not have started).
        """
        ...

    def observe(self, names: Collection[str]) -> Mapping[str, Observation]:
        """One look at many attempts; an answer for each name. Raises BackendUnavailableError."""
        ...

    def stop(self, name: str, why: StopReason) -> None:
        """Ask for the end, or take the name so that it can never start; `observe` tells when it is true."""
        ...

    def release(self, name: str) -> None:
        """The attempt's final state is committed: what was kept only to learn it may go."""
        ...

    def read_log(self, name: str, stream: str, *, offset: int, limit: int) -> LogPiece:
        """At most `limit` bytes from `offset`; an empty piece while there is no log. `stream`: `driver` or `stdout`."""
        ...

    def close(self) -> None:
        """Let go of what this object holds; attempts run on."""
        ...


@runtime_checkable
class Sweeping(Protocol):
    """A backend that keeps things for Archer which a crash could leave behind."""

    def sweep(self, namespace: str) -> int:
        """Let go of what is kept for attempts whose end is committed; how many there were. Raises BackendUnavailableError."""
        ...
