"""Submissions that arrive together are committed together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from archer.errors import ArcherError, IdempotencyKeyReusedError, StoreUnavailableError
from archer.gathering import Gatherer
from archer.store.connection import Database
from archer.store.interface import IdempotencyKey, JobFilter, NewJob, SubmitResult
from archer.store.sql import SqlStore
from testbed.archer_builders import make_new_job


@pytest.fixture
def store(sqlite_url: str) -> SqlStore:
    return SqlStore(Database(sqlite_url))


@dataclass
class SlowStore:
    """A real store whose first commit waits until it is told to go on."""

    store: SqlStore
    batches: list[int] = field(default_factory=list)
    first_is_under_way: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def submit_many(self, new: Sequence[NewJob]) -> Sequence[SubmitResult | ArcherError]:
        self.batches.append(len(new))
        self.first_is_under_way.set()
        assert self.go_on.wait(30)
        if self.error is not None:
            raise self.error
        return self.store.submit_many(new)


def submit_together(gatherer: Gatherer, slow: SlowStore, new: Sequence[NewJob]) -> list[Any]:
    """The first job's commit is under way while all others arrive; each one's answer or error."""

    def submit(job: NewJob) -> Any:
        try:
            return gatherer.submit(job).result(30)
        except ArcherError as error:
            return error

    with ThreadPoolExecutor(len(new)) as pool:
        futures = [pool.submit(submit, new[0])]
        assert slow.first_is_under_way.wait(30)
        futures += [pool.submit(submit, job) for job in new[1:]]
        while len(gatherer._waiting) < len(new) - 1:  # nothing else tells that all have arrived
            pass
        slow.go_on.set()
        return [future.result(30) for future in futures]


def test_what_arrives_during_a_commit_shares_the_next_one(store: SqlStore) -> None:
    slow = SlowStore(store)

    answers = submit_together(Gatherer(slow), slow, [make_new_job() for _ in range(9)])  # type: ignore[arg-type]

    assert slow.batches == [1, 8]
    assert {answer.job.id for answer in answers} == {job.id for job in store.jobs(JobFilter(), limit=100).jobs}
    assert len(answers) == 9


def test_a_batch_has_an_upper_limit_and_nobody_is_left_behind(store: SqlStore) -> None:
    slow = SlowStore(store)

    submit_together(Gatherer(slow, most=3), slow, [make_new_job() for _ in range(9)])  # type: ignore[arg-type]

    assert slow.batches == [1, 3, 3, 2]


def test_each_gets_its_own_answer_and_a_refusal_is_nobody_elses(store: SqlStore) -> None:
    slow = SlowStore(store)
    key = {"scope": "native", "key": "k"}
    first = make_new_job(key=IdempotencyKey(**key, request_hash="a"))
    same = make_new_job(key=IdempotencyKey(**key, request_hash="a"))
    other = make_new_job(key=IdempotencyKey(**key, request_hash="b"))

    answers = submit_together(Gatherer(slow), slow, [first, same, other, make_new_job()])  # type: ignore[arg-type]

    assert [getattr(answer, "replayed", None) for answer in answers] == [False, True, None, False]
    assert answers[1].job.id == first.id
    assert isinstance(answers[2], IdempotencyKeyReusedError)


def test_a_store_that_is_gone_is_everybodys_error_and_the_next_submission_goes_through(store: SqlStore) -> None:
    slow = SlowStore(store, error=StoreUnavailableError("gone"))
    gatherer = Gatherer(slow)  # type: ignore[arg-type]

    answers = submit_together(gatherer, slow, [make_new_job() for _ in range(4)])
    slow.error = None

    assert [type(answer) for answer in answers] == [StoreUnavailableError] * 4
    assert gatherer.submit(make_new_job()).result(30).job.state == "QUEUED"
