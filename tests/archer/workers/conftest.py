"""A real store, a fake backend, a fake clock, and dispatcher and tracker between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from archer.backends.fleet import Fleet
from archer.dispatcher import Dispatcher
from archer.model import Job
from archer.service import Service
from archer.store.connection import Database
from archer.store.interface import Fence
from archer.store.sql import SqlStore
from archer.tracker import Tracker
from testbed.archer_builders import make_submission
from testbed.archer_fakes import FakeBackend, FakeClock


class Shop:
    """One cluster's workers, stepped by hand."""

    def __init__(self, url: str) -> None:
        self.clock = FakeClock()
        self.backend = FakeBackend()
        self.database = Database(url)
        self.store = SqlStore(self.database, self.clock)
        self.service = Service(self.store, Fleet([self.backend]), self.clock)
        self.dispatcher = Dispatcher(store=self.store, backend=self.backend, clock=self.clock, owner="d")
        self.freed = 0
        self.tracker = Tracker(
            store=self.store,
            backend=self.backend,
            clock=self.clock,
            owner="t",
            retry_pause_seconds=5,
            slot_freed=self._count_freed,
        )

    def _count_freed(self) -> None:
        self.freed += 1

    def fence(self, lease: str) -> Fence:
        fence = self.store.acquire(lease, lease, seconds=1_000_000)
        assert fence is not None
        return fence

    def submit(self, **fields: Any) -> Job:
        return self.service.submit(make_submission(**fields), actor="api:ada").result().job

    def dispatch(self) -> bool:
        return self.dispatcher.step(self.fence("dispatcher"))

    def track(self) -> None:
        while self.tracker.step(self.fence("tracker")):
            pass

    def job(self, job: Job) -> Job:
        return self.store.job(job.id)

    def states(self, *jobs: Job) -> list[str]:
        return [self.job(job).state.value for job in jobs]


@pytest.fixture
def shop(sqlite_url: str) -> Iterator[Shop]:
    made = Shop(sqlite_url)
    yield made
    made.store.close()
