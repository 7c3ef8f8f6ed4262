"""Starts jobs: takes them from the queue as slots become free, and hands their attempts to the backend.

A claim is committed before anything is started, and an attempt's name is computed, so after a crash at any point the
next dispatcher finds the job in SUBMITTING and launches the same name again, which does nothing when it exists (D13).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from archer import ids
from archer.backends.interface import Backend
from archer.clock import Clock
from archer.errors import BackendUnavailableError, LaunchRefusedError, StaleJobError
from archer.loops import isolated
from archer.model import ACTIVE_STATES, Category, Diagnosis, Job, JobState
from archer.store.interface import Change, Fence, NewAttempt, Store

_BATCH = 100
"""Jobs looked at in one round: a round stays short, so that the lease is renewed in time."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Dispatcher:
    """One cluster's dispatcher."""

    store: Store
    backend: Backend
    clock: Clock
    owner: str

    @property
    def actor(self) -> str:
        return f"dispatcher:{self.owner}"

    def step(self, fence: Fence) -> bool:
        """One round; True when slots and jobs are left. Raises what store and backend raise."""
        self._end_overdue(fence)
        self._resume(fence)
        return self._start_due(fence)

    def _end_overdue(self, fence: Fence) -> None:
        for job in self.store.overdue(self.backend.cluster, now=self.clock.now(), limit=_BATCH):
            with isolated(job.id):
                self._end(job, fence)

    def _end(self, job: Job, fence: Fence) -> None:
        seconds = job.submission["timeouts"]["queue_seconds"]
        diagnosis = Diagnosis(
            category=Category.TIMEOUT,
            summary=f"no slot became free within {seconds} s, the job's own `timeouts.queue_seconds`",
            detail=f"it waited since {job.queued_at.isoformat()}",
            resolution="raise `timeouts.queue_seconds`, or submit when fewer jobs run",
        )
        self._change(job, fence, to=JobState.FAILED, message="waited too long for a slot", diagnosis=diagnosis)

    def _resume(self, fence: Fence) -> None:
        """Attempts that were claimed but not confirmed: by an earlier round, or by a dispatcher that died."""
        after = 0
        while True:
            page = self.store.in_states(self.backend.cluster, {JobState.SUBMITTING}, after=after, limit=_BATCH)
            for job, attempt in page:
                if attempt is not None:
                    with isolated(job.id):
                        self._launch(job, attempt.name, attempt.spec, fence)
            if len(page) < _BATCH:
                return
            after = page[-1][0].number

    def _start_due(self, fence: Fence) -> bool:
        free = self.backend.capacity - self.store.count(self.backend.cluster, ACTIVE_STATES)
        if free <= 0:
            return False
        batch = min(free, _BATCH)
        due = self.store.due(self.backend.cluster, now=self.clock.now(), limit=batch)
        for job in due:
            with isolated(job.id):
                claimed = self._claim(job, fence)
                if claimed is not None:
                    self._launch(*claimed, fence)
        return len(due) == batch and free > batch

    def _claim(self, job: Job, fence: Fence) -> tuple[Job, str, Any] | None:
        number = job.attempt + 1
        spec = self.backend.plan(job, attempt=number, memory_rung=job.memory_rung)
        new = NewAttempt(number=number, name=ids.attempt_name(job.id, number), memory_rung=job.memory_rung, spec=spec)
        message = f"attempt {number} goes to cluster {self.backend.cluster}"
        claimed = self._change(
            job, fence, to=JobState.SUBMITTING, message=message, new_attempt=new, cluster=self.backend.cluster
        )
        return None if claimed is None else (claimed, new.name, spec)

    def _launch(self, job: Job, name: str, spec: Any, fence: Fence) -> None:
        try:
            reference = self.backend.launch(name, spec)
        except LaunchRefusedError as refusal:
            diagnosis = Diagnosis(
                category=Category.SUBMIT_ERROR,
                summary=refusal.summary,
                detail=refusal.detail,
                resolution=refusal.resolution,
            )
            self._change(job, fence, to=JobState.FAILED, message="could not be started", diagnosis=diagnosis)
        except BackendUnavailableError as error:
            _log.warning("launch failed, will try again", job=job.id, attempt=name, error=str(error))
            trouble = f"start is being tried again: {error}"
            if job.substate != trouble:
                self._change(job, fence, message=trouble, substate=trouble)
        else:
            self._change(
                job, fence, to=JobState.SUBMITTED, message=f"attempt {name} exists: {reference}", backend_ref=reference
            )

    def _change(self, job: Job, fence: Fence, **fields: Any) -> Job | None:
        """None when somebody else, a kill perhaps, changed the job first: the next round sees what became of it."""
        now: datetime = self.clock.now()
        change = Change(expect_version=job.version, actor=self.actor, at=now, **fields)
        try:
            return self.store.change(job.id, change, fence=fence)
        except StaleJobError as error:
            _log.info("overtaken", job=job.id, why=str(error))
            return None
