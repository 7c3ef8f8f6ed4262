"""Real stores, over SQLite and over PostgreSQL, with a clock that moves when told to.

`kit` runs a test on both. What is true of one of them alone takes `sqlite_kit` or `postgres_kit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from archer import ids
from archer.errors import ArcherError
from archer.model import Job, JobState
from archer.store.connection import Database
from archer.store.interface import Change, Claim, IdempotencyKey, NewAttempt, NewJob, SubmitResult
from archer.store.sql import SqlStore
from testbed.archer_builders import make_new_job
from testbed.archer_fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path


class StoreKit:
    """The store and short ways to fill it."""

    def __init__(self, url: str, *, file: Path | None = None) -> None:
        self.clock = FakeClock()
        self.url = url
        self._file = file
        self.database = Database(url)
        self.store = SqlStore(self.database, self.clock)

    @property
    def file(self) -> Path:
        """SQLite's."""
        assert self._file is not None
        return self._file

    def another_server(self) -> SqlStore:
        """A store of another process, as far as the database can tell."""
        return SqlStore(Database(self.url), self.clock)

    def new_job(self, *, key: str | None = None, request_hash: str = "same", **fields: Any) -> NewJob:
        defaults = {
            "cluster": "local",
            "at": self.clock.now(),
            "key": None if key is None else IdempotencyKey(scope="native", key=key, request_hash=request_hash),
        }
        return make_new_job(**{**defaults, **fields})

    def submit(self, **fields: Any) -> Job:
        return self.submit_result(**fields).job

    def submit_result(self, **fields: Any) -> SubmitResult:
        return self.store.submit(self.new_job(**fields))

    def change(self, job: Job, to: JobState | None = None, **fields: Any) -> Change:
        defaults: dict[str, Any] = {"expect_version": job.version, "actor": "tracker:t", "at": self.clock.now()}
        if to is JobState.SUBMITTING:
            number = job.attempt + 1
            rung = fields.pop("rung", 1.0)
            name = ids.attempt_name(job.id, number)
            defaults["new_attempt"] = NewAttempt(number=number, name=name, memory_rung=rung, spec={"n": number})
        return Change(**{**defaults, "message": "as told", "to": to, **fields})

    def move(self, job: Job, *path: JobState, **fields: Any) -> Job:
        """Through all states of `path`; `fields` belong to the last move."""
        for position, to in enumerate(path):
            more = dict(fields) if position == len(path) - 1 else {}
            job = self.store.change(job.id, self.change(job, to, **more))
        return job

    def move_many(self, jobs: list[Job], *path: JobState) -> list[Job]:
        """All of them through all states, each state in one transaction."""
        for to in path:
            answers = self.store.change_many([(job.id, self.change(job, to)) for job in jobs])
            jobs = [answer for answer in answers if not isinstance(answer, ArcherError)]
            assert len(jobs) == len(answers)
        return jobs

    def claim(self, owner: str, lasts: timedelta) -> Claim:
        return Claim(owner=owner, until=self.clock.now() + lasts)


@pytest.fixture
def postgres_kit(postgresql_url: str) -> Iterator[StoreKit]:
    made = StoreKit(postgresql_url)
    yield made
    made.store.close()


@pytest.fixture
def sqlite_kit(tmp_path: Path, sqlite_url: str) -> Iterator[StoreKit]:
    made = StoreKit(sqlite_url, file=tmp_path / "archer.db")
    yield made
    made.store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def kit(request: pytest.FixtureRequest) -> StoreKit:
    """Each of the two."""
    made: StoreKit = request.getfixturevalue("sqlite_kit" if request.param == "sqlite" else "postgres_kit")
    return made
