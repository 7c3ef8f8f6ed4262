"""Gives up a cluster that left the configuration for good: what runs there, as far as anybody knows, is written off.

No tracker looks at such a cluster any more, so its jobs would stay as they are for ever. Their attempts end as lost, and what
follows is decided as after any loss (D16). Refuses while this server's configuration has the cluster or another process
still tracks it: an attempt that is written off while it runs would run a second time beside itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from archer.backends.interface import Observation, Phase
from archer.clock import Clock
from archer.errors import ArcherError, ConflictError
from archer.launching import LaunchSettings
from archer.model import ACTIVE_STATES, WAITING_STATES, Attempt, Category, Diagnosis, EventKind, Job, JobState
from archer.retries import failures_before
from archer.scheduling.limits import never
from archer.store.interface import Change, Mode, Store, Switch
from archer.verdicts import next_change

_PAGE: Final = 200
"""Jobs that are changed in one transaction."""

_ROUNDS: Final = 5
"""A job takes two changes (LOST, and what follows); more than these mean that somebody else changes them all the time."""


class ClusterInUseError(ConflictError):
    """The cluster can't be forgotten: somebody still looks after it."""

    code = "cluster-in-use"


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What became of a cluster's jobs."""

    name: str
    repeated: int
    """Active jobs that wait for another attempt now."""
    ended: int
    """Active jobs that are FAILED or CANCELLED now."""
    waiting: int
    """Waiting jobs that name the cluster: they were told that they can never start."""


@dataclass(frozen=True, kw_only=True)
class Forgetting:
    """One cluster's."""

    store: Store
    clock: Clock
    name: str
    actor: str
    known: Collection[str]
    """Clusters of the configuration."""

    def run(self) -> Forgotten:
        """All of it; what is done already stays done, so a second call finishes a first one. Raises ClusterInUseError."""
        self._refuse()
        after = self._write_off()
        waiting = self._tell_waiting()
        self.store.set_switch(
            Switch(kind="cluster", name=self.name, mode=Mode.OPEN, message="", actor=self.actor, at=self.clock.now())
        )
        repeated = sum(state is JobState.RETRY_WAIT for state in after.values())
        return Forgotten(name=self.name, repeated=repeated, ended=len(after) - repeated, waiting=waiting)

    def was_there(self) -> bool:
        """Whether anything of it is known: a name with a slip of the pen has left no job."""
        switched = any((switch.kind, switch.name) == ("cluster", self.name) for switch in self.store.switches())
        return switched or self.store.count(self.name, tuple(JobState)) > 0

    def _refuse(self) -> None:
        if self.name in self.known:
            raise ClusterInUseError(
                f"cluster {self.name} is in this server's configuration; take it out there and start the servers again, "
                f"or drain it: `archer cluster drain {self.name}`"
            )
        held = self.store.lease_owners(f"tracker/{self.name}")
        owners = sorted({who for lease, who in held.items() if lease.split("/")[1] == self.name})
        if owners:
            raise ClusterInUseError(
                f"cluster {self.name} is still tracked by {', '.join(owners)}; "
                "stop these, or give them the configuration without it, and try again"
            )

    def _write_off(self) -> dict[str, JobState]:
        """How each active job stands now."""
        stands: dict[str, JobState] = {}
        for _ in range(_ROUNDS):
            number, left = 0, False
            while page := self.store.in_states(self.name, ACTIVE_STATES, after=number, limit=_PAGE):
                left, number = True, page[-1][0].number
                # an active job has an attempt; one that had none would be told below
                wanted = [(job.id, self._change(job, attempt)) for job, attempt in page if attempt is not None]
                changed = [answer for answer in self.store.change_many(wanted) if isinstance(answer, Job)]
                stands |= {job.id: job.state for job in changed if job.state not in ACTIVE_STATES}
            if not left:
                return stands
        raise ConflictError(f"jobs of cluster {self.name} change while it is forgotten; try again")

    def _change(self, job: Job, attempt: Attempt) -> Change:
        now = self.clock.now()
        diagnosis = self._diagnosis(job)
        if job.state is JobState.SUBMITTING:
            return self._given_back(job, diagnosis, now)
        change = next_change(
            job,
            attempt,
            Observation(phase=Phase.VANISHED, last_seen=diagnosis.detail),
            now=now,
            actor=self.actor,
            earlier=lambda: self._earlier(job),
            pause_seconds=LaunchSettings().attempt_pause_seconds,
        )
        assert change is not None  # a vanished attempt changes every job
        if change.diagnosis is not None:
            change = replace(change, diagnosis=diagnosis)
        return change if job.state is JobState.LOST else replace(change, extra_events=self._request())

    def _given_back(self, job: Job, diagnosis: Diagnosis, now: datetime) -> Change:
        """One that nobody knows to exist there: it was no try, and the job waits again."""
        return Change(
            expect_version=job.version,
            actor=self.actor,
            at=now,
            to=JobState.RETRY_WAIT,
            message=f"{diagnosis.detail}; the job may go elsewhere",
            attempt_state=JobState.FAILED,
            retry_at=now,
            diagnosis=diagnosis,
            extra_events=self._request(),
        )

    def _earlier(self, job: Job) -> Sequence[Category]:
        return failures_before(self.store.attempts(job.id), job.attempt)

    def _tell_waiting(self) -> int:
        """Jobs that named it, among them those whose next attempt could only go there."""
        number = told = 0
        why = never(f"cluster {self.name} was forgotten, and the job asks for it", "to another, or without `cluster`")
        while page := self.store.in_states(self.name, WAITING_STATES, after=number, limit=_PAGE):
            number = page[-1][0].number
            wanted = [
                (
                    job.id,
                    Change(
                        expect_version=job.version,
                        actor=self.actor,
                        at=self.clock.now(),
                        message=why,
                        reason=why,
                        extra_events=self._request(),
                    ),
                )
                for job, _ in page
                if job.submission.get("cluster") == self.name
            ]
            told += sum(not isinstance(answer, ArcherError) for answer in self.store.change_many(wanted))
        return told

    def _request(self) -> Sequence[tuple[EventKind, str]]:
        return ((EventKind.REQUEST, f"cluster {self.name} was forgotten by {self.actor}"),)

    def _diagnosis(self, job: Job) -> Diagnosis:
        last = f"; the job was {job.state} there" + ("" if job.substate is None else f" ({job.substate})")
        return Diagnosis(
            category=Category.LOST,
            summary=f"cluster {self.name} left the configuration for good, and the attempt with it",
            detail=f"{self.actor} had Archer forget cluster {self.name}{last}",
            resolution="nothing to do where another attempt follows; else submit it again, to a cluster that there is",
        )
