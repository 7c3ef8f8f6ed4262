"""Follows attempts to their end: one look at all of them, then what each observation means is committed.

Level-triggered: it compares what is with what is written, so it needs no memory of its own, and an event that nobody
saw (a crash, a restart) is found at the next look.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from archer.backends.interface import Backend, Observation, StopReason
from archer.clock import Clock
from archer.errors import BackendUnavailableError, StaleJobError
from archer.loops import isolated
from archer.model import TRACKED_STATES, Attempt, Category, Job, JobState
from archer.store.interface import Fence, Store
from archer.verdicts import next_change, stop_reason

_BATCH = 500

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """One cluster's tracker."""

    store: Store
    backend: Backend
    clock: Clock
    owner: str
    retry_pause_seconds: float
    slot_freed: Callable[[], None] = lambda: None
    """Told when an attempt ended, so that the dispatcher needn't wait for its next look."""

    @property
    def actor(self) -> str:
        return f"tracker:{self.owner}"

    def step(self, fence: Fence) -> bool:
        """One look at all attempts, page by page; True when something changed. Raises what store and backend raise."""
        changed = False
        after = 0
        while True:
            page = self.store.in_states(self.backend.cluster, TRACKED_STATES, after=after, limit=_BATCH)
            changed |= self._look_at([(job, attempt) for job, attempt in page if attempt is not None], fence)
            if len(page) < _BATCH:
                return changed
            after = page[-1][0].number

    def _look_at(self, page: Sequence[tuple[Job, Attempt]], fence: Fence) -> bool:
        if not page:
            return False
        for job, attempt in page:
            with isolated(job.id):
                why = stop_reason(job, attempt, self.clock.now())
                if why is not None:
                    self._stop(attempt, why)
        seen = self.backend.observe([attempt.name for _, attempt in page])
        changed = False
        for job, attempt in page:
            with isolated(job.id):
                changed |= self._record(job, attempt, seen[attempt.name], fence)
        return changed

    def _stop(self, attempt: Attempt, why: StopReason) -> None:
        try:
            self.backend.stop(attempt.name, why)
        except BackendUnavailableError as error:
            # asked again at the next look; the other attempts mustn't wait for this one
            _log.warning("stop failed, will try again", attempt=attempt.name, error=str(error))

    def _record(self, job: Job, attempt: Attempt, seen: Observation, fence: Fence) -> bool:
        change = next_change(
            job,
            attempt,
            seen,
            now=self.clock.now(),
            actor=self.actor,
            earlier=lambda: self._earlier_failures(attempt),
            pause_seconds=self.retry_pause_seconds,
        )
        if change is None:
            return False
        try:
            after = self.store.change(job.id, change, fence=fence)
        except StaleJobError as error:
            _log.info("overtaken", job=job.id, why=str(error))
            return True
        if after.state.final or after.state in {JobState.RETRY_WAIT, JobState.LOST}:
            # only now: what the backend kept for us may go once its meaning is committed (D14)
            self.backend.release(attempt.name)
            self.slot_freed()
            _log.info("attempt ended", job=job.id, attempt=attempt.name, state=after.state.value)
        return True

    def _earlier_failures(self, attempt: Attempt) -> Sequence[Category]:
        return [
            earlier.diagnosis.category
            for earlier in self.store.attempts(attempt.job_id)
            if earlier.number < attempt.number and earlier.diagnosis is not None
        ]
