"""Forgets what has served its time. Deletes in small batches, so that it never holds the database for long."""

from dataclasses import dataclass
from datetime import timedelta

from archer.clock import Clock
from archer.store.interface import Fence, Store

_BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class Janitor:
    """One database's janitor."""

    store: Store
    clock: Clock
    idempotency_days: int

    def step(self, fence: Fence) -> bool:
        """One batch of each kind; True when a batch was full, so that more may be left."""
        before = self.clock.now() - timedelta(days=self.idempotency_days)
        return self.store.prune_idempotency_keys(before=before, limit=_BATCH, fence=fence) == _BATCH
