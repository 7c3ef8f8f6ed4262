"""Forgets what has served its time. Deletes in small batches, so that it never holds the database for long."""

from dataclasses import dataclass
from datetime import timedelta

from archer.clock import Clock
from archer.store.interface import Fence, Store

_KEYS = 1000
_JOBS = 200


@dataclass(frozen=True, kw_only=True)
class Janitor:
    """One database's janitor."""

    store: Store
    clock: Clock
    idempotency_days: int
    job_retention_days: int | None = None
    """Days that finished jobs stay, at least as many as their keys; None: for ever."""

    def step(self, fence: Fence) -> bool:
        """One batch of each kind; True when a batch was full, so that more may be left."""
        now = self.clock.now()
        before = now - timedelta(days=self.idempotency_days)
        more = self.store.prune_idempotency_keys(before=before, limit=_KEYS, fence=fence) == _KEYS
        if self.job_retention_days is not None:
            # a key stands for its job, so the job can't go first
            days = max(self.job_retention_days, self.idempotency_days)
            before = now - timedelta(days=days)
            more |= self.store.prune_jobs(before=before, limit=_JOBS, fence=fence) == _JOBS
        return more
