"""Admission: which waiting jobs start next and in which cluster, written down before anything is started.

One holder of the lease `admission` at a time makes usage grow, so no limit is ever passed by two servers at once
(decision 0007). A round reads what waits and what active jobs hold, picks by weighted fair share within every limit,
routes each pick, and commits all of them in one transaction under its fence. What is committed is then handed to the
launchers of this process; when it dies first, another launcher finds it by the end of the claim.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from archer import ids
from archer.backends.interface import Backend
from archer.clock import Clock
from archer.cluster_config import ClusterConfig
from archer.errors import ArcherError, BackendUnavailableError, InvalidInputError, LaunchRefusedError
from archer.launch_results import refusal
from archer.loops import isolated
from archer.model import Category, Diagnosis, EventKind, Job, JobState
from archer.scheduling import fair_share
from archer.scheduling.amounts import Ledger
from archer.scheduling.breaker import Circuit
from archer.scheduling.fair_share import Round
from archer.scheduling.judge import Judge, Picked, Surroundings
from archer.scheduling.limits import MAX_LIVE_PER_NAMESPACE, MAX_UNACKNOWLEDGED, Bounds
from archer.scheduling.pacing import TokenBucket
from archer.scheduling.queue_tree import QueueTree
from archer.scheduling.routing import Target
from archer.scheduling.targets import targets_of
from archer.scheduling.waits import own_reason
from archer.store.interface import Change, Claim, Fence, NewAttempt, Store

_LEAST_PER_QUEUE: Final = 200
_MOST_PER_QUEUE: Final = 20_000
"""Jobs of a queue that a round looks at. It looks deeper only when all that it saw were set aside, a user at their limit
perhaps, while others may wait behind them."""

_DEEPER_AGAIN_SECONDS: Final = 10

_OVERDUE: Final = 100

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """An attempt that its cluster should now be given."""

    job: Job
    name: str
    spec: Mapping[str, Any]
    until: datetime
    """End of this server's claim."""


@dataclass(frozen=True, kw_only=True)
class AdmissionSettings:
    """What an operator may turn."""

    per_round: int = 200
    """Jobs admitted in one transaction: a round stays short, so that the lease is renewed in time."""
    claim_seconds: float = 60.0
    """How long a launcher may take before another one may create the attempt."""
    creates_per_minute: float | None = None
    """For every cluster, instead of the environment's; None: the environment's."""
    burst: int | None = None
    """Creates that an idle cluster may be given at once; None: ten seconds' worth."""
    unacknowledged: int = MAX_UNACKNOWLEDGED
    """Applications of a cluster that may exist without Spark having shown up."""
    namespace_applications: int = MAX_LIVE_PER_NAMESPACE
    """Live applications of one namespace of one cluster."""


@dataclass(kw_only=True)
class Admission:
    """Steps under the lease `admission`."""

    store: Store
    backends: Mapping[str, Backend]
    """By cluster."""
    config: ClusterConfig | None
    clock: Clock
    owner: str
    settings: AdmissionSettings = AdmissionSettings()
    hand_over: Callable[[Sequence[Admitted]], None] = lambda _: None
    """Told what was committed; must not wait."""

    _epoch: int | None = None
    """Of the lease: with another one, somebody else may have admitted meanwhile."""
    _buckets: dict[str, TokenBucket] = field(default_factory=dict)
    _trials: dict[str, datetime] = field(default_factory=dict)
    """When a job was sent last to try a cluster that did not answer."""
    _per_queue: int = _LEAST_PER_QUEUE
    _deeper_after: datetime | None = None
    _waits: Mapping[tuple[str, str | None], str] | None = None
    """As last written; None: not known."""

    @property
    def actor(self) -> str:
        return f"dispatcher:{self.owner}"

    def step(self, fence: Fence) -> bool:
        """One round; True when more could be done at once. Raises what store and backends raise."""
        if fence.epoch != self._epoch:
            self._epoch = fence.epoch
            self._buckets.clear()
        self._end_overdue(fence)
        now = self.clock.now()
        waiting = self.store.waiting(now=now, per_queue=self._per_queue)
        if not waiting:
            self._write_waits({})
            return False
        rungs = self.store.rungs({(job.team, job.name) for job in waiting if job.attempt == 0})
        judge = Judge(self._surroundings(waiting, now), Ledger.of(self.store.usage()), rungs=rungs)
        most = self.settings.per_round
        round_ = fair_share.pick(waiting, judge.around.tree, judge.ledger, most=most, admit=judge.admit)
        started = self._commit(round_.picked, fence, now)
        self._explain(waiting, round_)
        deeper = self._look_deeper(waiting, round_, now)
        return deeper or (round_.full and started > 0)

    def _surroundings(self, waiting: Sequence[Job], now: datetime) -> Surroundings:
        config = self.config
        tree = QueueTree.flat(job.queue for job in waiting) if config is None else QueueTree.of(config)
        switches = self.store.switches()
        targets = targets_of(
            self.backends,
            config,
            switches=switches,
            health=self.store.health(),
            buckets=self._paces(now),
            trials=self._trials,
            now=now,
        )
        limits = self.settings
        return Surroundings(
            tree=tree,
            bounds=replace(
                Bounds.of(config),
                unacknowledged=limits.unacknowledged,
                namespace_applications=limits.namespace_applications,
            ),
            targets=targets,
            switches=switches,
            config=config,
            take=lambda c: self._take(c, now),
        )

    def _paces(self, now: datetime) -> Mapping[str, TokenBucket]:
        for view in () if self.config is None else self.config.clusters:
            per_minute = self.settings.creates_per_minute or view.creates_per_minute
            if view.name in self.backends and view.name not in self._buckets:
                bucket = TokenBucket(per_minute, burst=self.settings.burst)
                # full at each change of hands, a cluster would be given a burst each time
                bucket.others_took(self.store.begun_since(view.name, now - bucket.window))
                self._buckets[view.name] = bucket
        return self._buckets

    def _take(self, target: Target, now: datetime) -> None:
        if target.name in self._buckets:
            self._buckets[target.name].take(now)
        if target.circuit is Circuit.HALF_OPEN:
            self._trials[target.name] = now

    def _end_overdue(self, fence: Fence) -> None:
        wanted = []
        for job in self.store.overdue(list(self.backends), now=self.clock.now(), limit=_OVERDUE):
            with isolated(job.id):
                wanted.append((job.id, self._too_late(job)))
        self._change(wanted, fence)

    def _too_late(self, job: Job) -> Change:
        seconds = job.submission["timeouts"]["queue_seconds"]
        diagnosis = Diagnosis(
            category=Category.TIMEOUT,
            summary=f"no slot became free within {seconds} s, the job's own `timeouts.queue_seconds`",
            detail=f"it waited since {job.queued_at.isoformat()}",
            resolution="raise `timeouts.queue_seconds`, or submit when fewer jobs run",
        )
        return self._failed(job, "waited too long for a slot", diagnosis)

    def _commit(self, picked: Sequence[tuple[Job, Picked]], fence: Fence, now: datetime) -> int:
        """Write the picks down and hand them over; how many really start."""
        until = now + timedelta(seconds=self.settings.claim_seconds)
        wanted = []
        planned: dict[str, NewAttempt] = {}
        for job, pick in picked:
            with isolated(job.id):
                try:
                    new = self._plan(job, pick)
                except BackendUnavailableError as error:
                    _log.warning("not planned, will try again", job=job.id, error=str(error))
                except ArcherError as error:
                    wanted.append((job.id, self._failed(job, "could not be started", _unplannable(error))))
                except Exception as error:  # noqa: BLE001  # a defect that one job brings to light fails that job
                    _log.exception("plan failed", job=job.id)
                    wanted.append((job.id, self._failed(job, "could not be started", _defect(error))))
                else:
                    planned[job.id] = new
                    wanted.append((job.id, self._start(job, pick, new, Claim(owner=self.owner, until=until))))
        admitted = []
        for after in self._change(wanted, fence):
            if after.state is JobState.SUBMITTING:
                new = planned[after.id]
                admitted.append(Admitted(job=after, name=new.name, spec=new.spec, until=until))
        if admitted:
            self.hand_over(admitted)
        return len(admitted)

    def _plan(self, job: Job, pick: Picked) -> NewAttempt:
        number = job.attempt + 1
        spec = self.backends[pick.cluster].plan(job, attempt=number, memory_rung=pick.rung)
        return NewAttempt(number=number, name=ids.attempt_name(job.id, number), memory_rung=pick.rung, spec=spec)

    def _start(self, job: Job, pick: Picked, new: NewAttempt, claim: Claim) -> Change:
        notes = []
        if pick.rung != job.memory_rung:
            notes.append((EventKind.NOTE, f"starts with {pick.rung:g} times the memory: that worked last time"))
        why = f": {pick.why}" if pick.why else ""
        return Change(
            expect_version=job.version,
            actor=self.actor,
            at=self.clock.now(),
            to=JobState.SUBMITTING,
            message=f"attempt {new.number} goes to cluster {pick.cluster}{why}",
            extra_events=notes,
            new_attempt=new,
            cluster=pick.cluster,
            memory_rung=pick.rung,
            claim=claim,
        )

    def _failed(self, job: Job, message: str, diagnosis: Diagnosis) -> Change:
        return Change(
            expect_version=job.version,
            actor=self.actor,
            at=self.clock.now(),
            to=JobState.FAILED,
            message=message,
            diagnosis=diagnosis,
        )

    def _change(self, wanted: Sequence[tuple[str, Change]], fence: Fence) -> list[Job]:
        """Those that were changed; of the others a kill, perhaps, came first."""
        if not wanted:
            return []
        changed = []
        for (job_id, _), answer in zip(wanted, self.store.change_many(wanted, fence=fence), strict=True):
            if isinstance(answer, ArcherError):
                _log.info("overtaken", job=job_id, why=str(answer))
            else:
                changed.append(answer)
        return changed

    def _explain(self, waiting: Sequence[Job], round_: Round[Picked]) -> None:
        """Write why jobs wait, where it is something else than before."""
        self._write_waits(round_.waits)
        picked = {job.id for job, _ in round_.picked}
        changed = {
            job.id: round_.reasons.get(job.id, "")
            for job in waiting
            if job.id not in picked and own_reason(job) != round_.reasons.get(job.id, "")
        }
        if changed:
            self.store.set_reasons(changed)

    def _write_waits(self, waits: Mapping[tuple[str, str | None], str]) -> None:
        if waits != self._waits:
            self.store.set_waits(waits)
            self._waits = dict(waits)

    def _look_deeper(self, waiting: Sequence[Job], round_: Round[Picked], now: datetime) -> bool:
        """Whether to look again, at more of a queue whose first jobs were set aside: others may wait behind them."""
        seen = Counter(job.queue for job in waiting)
        picked = Counter(job.queue for job, _ in round_.picked)
        stuck = any(
            number >= self._per_queue and queue in round_.exhausted and picked[queue] < number / 2
            for queue, number in seen.items()
        )
        may = self._deeper_after is None or now >= self._deeper_after
        if stuck and may and self._per_queue < _MOST_PER_QUEUE:
            self._per_queue = min(self._per_queue * 4, _MOST_PER_QUEUE)
            return True
        if self._per_queue > _LEAST_PER_QUEUE:
            # a look at everything costs as much as waits: not at each round
            self._per_queue = _LEAST_PER_QUEUE
            self._deeper_after = now + timedelta(seconds=_DEEPER_AGAIN_SECONDS)
        return False


def _unplannable(error: ArcherError) -> Diagnosis:
    if isinstance(error, LaunchRefusedError):
        return refusal(error)
    summary, resolution = str(error)[:200], "correct the submission, or ask an administrator of Archer"
    if isinstance(error, InvalidInputError) and error.problems:
        summary = f"the submission can't run there: {error.problems[0]}"[:200]
        resolution = "correct it, and submit it again"
    return Diagnosis(category=Category.SUBMIT_ERROR, summary=summary, detail=str(error)[:4000], resolution=resolution)


def _defect(error: Exception) -> Diagnosis:
    return Diagnosis(
        category=Category.SUBMIT_ERROR,
        summary="its specification could not be written: a defect of Archer",
        detail=f"{type(error).__name__}: {error}"[:4000],
        resolution="tell an administrator of Archer, who finds more in the server's log",
    )
