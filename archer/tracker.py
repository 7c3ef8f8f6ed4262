"""Follows attempts to their end: what was seen of each is compared with what is written, and the difference is committed.

Level-triggered: it needs no memory of what happened, so an event that nobody saw (a crash, a restart) is found at a later
look. Where the backend listens (`Backend.news`), attempts with news are looked at at once, and all others in turn, a page
in each round; where it doesn't, all of them in each round.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import structlog

from archer.backends.interface import Backend, Observation, Phase, StopReason
from archer.clock import Clock
from archer.ends import Ends, Pair
from archer.errors import ArcherError, StaleJobError, StoreUnavailableError
from archer.hands import Hands
from archer.loops import isolated
from archer.model import TRACKED_STATES, Attempt, Category, Job, JobState
from archer.retries import failures_before
from archer.store.interface import Change, Fence, Store
from archer.verdicts import next_change, stop_reason
from archer.worker_metrics import WorkerMetrics

_PAGE: Final = 500
_BATCH: Final = 200
"""Changes of one transaction: it stays short, so that the lease is renewed in time and nobody waits long for a row."""
_ROUND: Final = 2000
"""Attempts with news that are looked at before the lease is renewed; what is left is looked at in the next round."""

_URGENT: Final = frozenset({JobState.CANCELLING, JobState.LOST})
"""Somebody waits for what follows, and no news tells of it: a kill is asked for at another server."""

_log = structlog.get_logger()

_T = TypeVar("_T")


@dataclass(kw_only=True)
class Tracker:
    """The tracker of one cluster, or of one namespace of it."""

    store: Store
    backend: Backend
    clock: Clock
    owner: str
    retry_pause_seconds: float
    namespace: str = ""
    slot_freed: Callable[[], None] = lambda: None
    """Told when an attempt ended, so that admission needn't wait for its next look."""
    all_within_seconds: float = 15.0
    """How soon each attempt is looked at again when nothing is heard of it: as exact are limits in time."""
    image_seconds: int = 600
    """How long an image that can't be pulled is waited for, or a container that can't be made."""
    pending_seconds: int = 3600
    """How long a driver without a node is waited for, and an operator that doesn't take the attempt up."""
    monotonic: Callable[[], float] = time.monotonic
    hands: Hands = field(default_factory=Hands)
    """What stops and releases: many jobs may be killed, or end, at once."""
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)

    _again: set[str] = field(default_factory=set)
    """Names whose last look isn't the end of it: they changed meanwhile, or one change follows another."""
    _after: int = 0
    """Where the look at all of them has come to."""
    _begun: float | None = None
    _stuck: dict[str, tuple[Category, float]] = field(default_factory=dict)
    """What an attempt waits for in vain, and since when."""

    def __post_init__(self) -> None:
        self.ends = Ends(
            store=self.store,
            backend=self.backend,
            clock=self.clock,
            actor=self.actor,
            monotonic=self.monotonic,
            hands=self.hands,
        )

    @property
    def actor(self) -> str:
        return f"tracker:{self.owner}"

    def step(self, fence: Fence) -> bool:
        """One round; True when there is more to do at once. Raises what store and backend raise."""
        self.ends.begin()
        return self._round(fence) or self.ends.left

    def _round(self, fence: Fence) -> bool:
        news = self.backend.news(self.namespace)
        if news is None:
            return self._look_at_all(fence)
        self._again.update(news)
        self._look_at(self._pairs(_URGENT), fence)
        now = list(self._again)[:_ROUND]
        waiting = len(self._again) > len(now)
        self._again.difference_update(now)
        try:
            for names in _batches(now):
                begun = self.monotonic()
                self._look_at(self._of_names(names), fence)
                self.metrics.looked(self.backend.cluster, self.monotonic() - begun)
        except Exception:
            # nobody tells it twice
            self._again.update(now)
            raise
        self._look_at_next_page(fence)
        return waiting

    def pause(self) -> None:
        """Somebody else tracks now: what was remembered may be wrong by the time it comes back."""
        self._again.clear()
        self._stuck.clear()
        self.ends.forget()
        self._after, self._begun = 0, None

    def _look_at_all(self, fence: Fence) -> bool:
        changed = False
        after = 0
        while True:
            page = self._page(TRACKED_STATES, after=after)
            changed |= self._look_at(_with_attempts(page), fence)
            if len(page) < _PAGE:
                return changed
            after = page[-1][0].number

    def _look_at_next_page(self, fence: Fence) -> None:
        """A page of all attempts; a pass over all of them begins every `all_within_seconds`."""
        now = self.monotonic()
        if self._after == 0 and self._begun is not None and now - self._begun < self.all_within_seconds:
            return
        if self._after == 0:
            self._begun = now
            self.ends.forget_old()
        page = self._page(TRACKED_STATES, after=self._after)
        self._after = page[-1][0].number if len(page) == _PAGE else 0
        for pairs in _batches(_with_attempts(page)):
            self._look_at(pairs, fence)

    def _pairs(self, states: Collection[JobState]) -> Sequence[Pair]:
        return _with_attempts(self._page(states, after=0))

    def _page(self, states: Collection[JobState], *, after: int) -> Sequence[tuple[Job, Attempt | None]]:
        namespace = self.namespace or None
        return self.store.in_states(self.backend.cluster, states, namespace=namespace, after=after, limit=_PAGE)

    def _of_names(self, names: Collection[str]) -> Sequence[Pair]:
        """The jobs behind names with news, as far as it is the tracker's turn."""
        found = self.store.by_attempts(names)
        tracked = []
        for name, (job, attempt) in found.items():
            if job.state in TRACKED_STATES:
                tracked.append((job, attempt))
            elif job.state is JobState.SUBMITTING:
                # it exists before its launcher has written so; all that is left to hear of it may have been heard
                self._again.add(name)
        self._stop_strays([name for name in names if name not in found or not _may_exist(found[name][0])])
        return tracked

    def _stop_strays(self, names: Collection[str]) -> None:
        """What runs although its end is written: a create that came late, after a kill or a loss. Unknown names stay."""
        if not names:
            return
        suspects = [name for name, attempt in self.store.known_attempts(names).items() if _may_come_late(attempt)]
        seen = self.backend.observe(suspects)
        alive = [name for name in suspects if seen[name].phase.alive]
        for name in alive:
            _log.warning("attempt runs although its end is written", attempt=name)
        self.ends.stop(dict.fromkeys(alive, StopReason.CANCEL))
        self._again.update(alive)

    def _look_at(self, pairs: Sequence[Pair], fence: Fence) -> bool:
        """Commit what is new of these attempts; True when something changed."""
        if not pairs:
            return False
        killed = [attempt.name for job, attempt in pairs if job.state is JobState.CANCELLING]
        self.ends.stop(dict.fromkeys(killed, StopReason.CANCEL))
        seen = self.backend.observe([attempt.name for _, attempt in pairs])
        pairs, overtaken = self.ends.stop_with_reason(pairs, self._overdue(pairs, seen), fence)
        self._again.update(overtaken)
        wanted: list[tuple[Pair, Change]] = []
        for job, attempt in pairs:
            with isolated(job.id):
                change = self._change(job, attempt, seen[attempt.name])
                if change is not None:
                    wanted.append(((job, attempt), change))
        changed = [self._commit(some, fence) for some in _batches(wanted)]
        return any(changed)

    def _overdue(self, pairs: Sequence[Pair], seen: Mapping[str, Observation]) -> Mapping[str, StopReason]:
        """What lives for longer than it may, or would never start."""
        stops = {}
        for job, attempt in pairs:
            with isolated(job.id):
                phase, stuck = seen[attempt.name].phase, self._is_stuck(job, attempt, seen[attempt.name])
                why = stop_reason(job, attempt, self.clock.now()) or (StopReason.STUCK if stuck else None)
                # what was seen is newer than what is written
                started = why is StopReason.START_TIMEOUT and phase is Phase.RUNNING
                if why not in {None, StopReason.CANCEL} and phase.alive and not started:
                    stops[attempt.name] = why
        return stops

    def _is_stuck(self, job: Job, attempt: Attempt, seen: Observation) -> bool:
        """Whether it has waited long enough for what doesn't come; what it waited for before doesn't count."""
        if job.state is not JobState.SUBMITTED or seen.stuck is None:
            self._stuck.pop(attempt.name, None)
            return False
        now = self.monotonic()
        known, since = self._stuck.setdefault(attempt.name, (seen.stuck, now))
        if known is not seen.stuck:
            self._stuck[attempt.name] = (seen.stuck, now)
            return False
        slow = seen.stuck in {Category.UNSCHEDULABLE, Category.LOST}
        patience = self.pending_seconds if slow else self.image_seconds
        return now - since > patience

    def _change(self, job: Job, attempt: Attempt, seen: Observation) -> Change | None:
        return next_change(
            job,
            attempt,
            seen,
            now=self.clock.now(),
            actor=self.actor,
            earlier=lambda: self._earlier_failures(attempt),
            pause_seconds=self.retry_pause_seconds,
            top_rung=lambda: self.backend.top_rung(job),
        )

    def _commit(self, wanted: Sequence[tuple[Pair, Change]], fence: Fence) -> bool:
        answers = self.store.change_many([(job.id, change) for (job, _), change in wanted], fence=fence)
        for ((job, attempt), change), answer in zip(wanted, answers, strict=True):
            if isinstance(answer, StaleJobError):
                _log.info("overtaken", job=job.id, attempt=attempt.name, why=str(answer))
                self._again.add(attempt.name)
            elif isinstance(answer, StoreUnavailableError):
                raise answer
            elif isinstance(answer, ArcherError):
                _log.error("change refused", job=job.id, attempt=attempt.name, code=answer.code, error=str(answer))
            else:
                with isolated(job.id):
                    self._committed(attempt, change, answer)
        self.ends.release()
        return any(isinstance(answer, Job | StaleJobError) for answer in answers)

    def _committed(self, attempt: Attempt, change: Change, after: Job) -> None:
        if change.to is not None:
            self.metrics.moved(self.backend.cluster, change.to)
        if change.to is JobState.RETRY_WAIT:
            self.metrics.retried(after.diagnosis.category if after.diagnosis else None)
        if after.state.final or after.state in {JobState.RETRY_WAIT, JobState.LOST}:
            self._ended(attempt, after)
        else:
            self._again.add(attempt.name)

    def _ended(self, attempt: Attempt, after: Job) -> None:
        self._again.discard(attempt.name)
        self._stuck.pop(attempt.name, None)
        self.ends.committed(attempt.name)
        self.slot_freed()
        _log.info("attempt ended", job=after.id, attempt=attempt.name, state=after.state.value)

    def _earlier_failures(self, attempt: Attempt) -> Sequence[Category]:
        return failures_before(self.store.attempts(attempt.job_id), attempt.number)


def _may_exist(job: Job) -> bool:
    return job.state in TRACKED_STATES or job.state is JobState.SUBMITTING


def _may_come_late(attempt: Attempt) -> bool:
    """Its end was written without anybody having seen it end: a create under way could still arrive."""
    lost = attempt.diagnosis is not None and attempt.diagnosis.category is Category.LOST
    return attempt.state is JobState.CANCELLED or lost


def _with_attempts(page: Iterable[tuple[Job, Attempt | None]]) -> list[Pair]:
    return [(job, attempt) for job, attempt in page if attempt is not None]


def _batches(things: Sequence[_T]) -> Iterable[Sequence[_T]]:
    return (things[start : start + _BATCH] for start in range(0, len(things), _BATCH))
