"""A real SQLite store, with a clock that moves when told to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archer import ids
from archer.model import Job, JobState
from archer.store.connection import Database
from archer.store.interface import Change, IdempotencyKey, NewAttempt, NewJob, SubmitResult
from archer.store.migrate import upgrade
from archer.store.sql import SqlStore
from testbed.archer_builders import make_submission
from testbed.archer_fakes import FakeClock


class StoreKit:
    """The store and short ways to fill it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.file = folder / "archer.db"
        self.database = Database(f"sqlite:///{self.file}")
        upgrade(self.database)
        self.store = SqlStore(self.database, self.clock)

    def new_job(self, *, key: str | None = None, request_hash: str = "same", **fields: Any) -> NewJob:
        now = self.clock.now()
        job_id = ids.new_job_id(now)
        defaults: dict[str, Any] = {
            "id": job_id,
            "emr_id": ids.emr_id(job_id),
            "name": "report",
            "team": None,
            "queue": "root.default",
            "user": "ada",
            "cluster": "local",
            "max_attempts": 1,
            "labels": {},
            "submission": make_submission().model_dump(mode="json"),
            "actor": "api:ada",
            "at": now,
            "key": None if key is None else IdempotencyKey(scope="native", key=key, request_hash=request_hash),
        }
        return NewJob(**{**defaults, **fields})

    def submit(self, **fields: Any) -> Job:
        return self.submit_result(**fields).job

    def submit_result(self, **fields: Any) -> SubmitResult:
        return self.store.submit(self.new_job(**fields))

    def change(self, job: Job, to: JobState | None = None, **fields: Any) -> Change:
        defaults: dict[str, Any] = {"expect_version": job.version, "actor": "tracker:t", "at": self.clock.now()}
        return Change(**{**defaults, "message": "as told", "to": to, **fields})

    def move(self, job: Job, *path: JobState, **fields: Any) -> Job:
        """Through all states of `path`; `fields` belong to the last move."""
        for position, to in enumerate(path):
            more = dict(fields) if position == len(path) - 1 else {}
            if to is JobState.SUBMITTING:
                number = job.attempt + 1
                name = ids.attempt_name(job.id, number)
                more["new_attempt"] = NewAttempt(number=number, name=name, memory_rung=1.0, spec={"n": number})
            job = self.store.change(job.id, self.change(job, to, **more))
        return job


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[StoreKit]:
    made = StoreKit(tmp_path)
    yield made
    made.store.close()
