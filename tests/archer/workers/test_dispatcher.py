"""Who starts when, and what a crash between two steps leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from archer.errors import BackendUnavailableError, FencedOutError, LaunchRefusedError
from archer.model import Category, EventKind
from testbed.archer_fakes import FakeBackend

if TYPE_CHECKING:
    from tests.archer.workers.conftest import Shop


def test_jobs_start_in_order_as_far_as_slots_are_free(shop: Shop) -> None:
    jobs = [shop.submit() for _ in range(3)]

    shop.dispatch()

    assert shop.states(*jobs) == ["SUBMITTED", "SUBMITTED", "QUEUED"]
    assert shop.backend.launched == [f"{jobs[0].id}-1", f"{jobs[1].id}-1"]
    shop.backend.end(f"{jobs[0].id}-1")
    shop.track()
    shop.dispatch()
    assert shop.states(*jobs) == ["SUCCEEDED", "SUBMITTED", "SUBMITTED"]


def test_what_was_launched_is_kept_with_the_attempt(shop: Shop) -> None:
    job = shop.submit()

    shop.dispatch()

    (attempt,) = shop.store.attempts(job.id)
    assert attempt.spec == {"name": "report", "attempt": 1, "rung": 1.0}
    assert attempt.backend_ref == f"ref of {attempt.name}"


def test_a_claim_whose_dispatcher_died_is_launched_under_the_same_name(shop: Shop) -> None:
    job = shop.submit()
    shop.backend.launch_error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        shop.dispatch()
    assert shop.states(job) == ["SUBMITTING"]

    shop.backend.launch_error = None
    shop.dispatch()

    assert shop.states(job) == ["SUBMITTED"]
    assert shop.backend.launched == [f"{job.id}-1"]
    assert len(shop.store.attempts(job.id)) == 1


def test_a_launch_that_was_done_but_not_written_down_is_not_done_twice(shop: Shop) -> None:
    job = shop.submit()
    stale = shop.fence("dispatcher")
    shop.backend.launch_error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        shop.dispatcher.step(stale)
    shop.backend.launch_error = None
    shop.backend.launched.append(f"{job.id}-1")

    shop.dispatch()

    assert shop.backend.launched == [f"{job.id}-1"]
    assert shop.states(job) == ["SUBMITTED"]


def test_a_place_that_is_away_is_tried_again_and_said_once(shop: Shop) -> None:
    job = shop.submit()
    shop.backend.launch_error = BackendUnavailableError("no space left")

    for _ in range(3):
        shop.dispatch()

    assert shop.states(job) == ["SUBMITTING"]
    notes = [event.message for event in shop.store.events(job.id) if event.kind is EventKind.NOTE]
    assert notes == ["start is being tried again: no space left"]
    shop.backend.launch_error = None
    shop.dispatch()
    assert shop.states(job) == ["SUBMITTED"]
    assert shop.job(job).substate is None


def test_an_attempt_that_can_never_start_fails_the_job_with_what_to_do(shop: Shop) -> None:
    job = shop.submit()
    shop.backend.launch_error = LaunchRefusedError("the file is gone", "put it back", "it was there")

    shop.dispatch()

    diagnosis = shop.job(job).diagnosis
    assert shop.states(job) == ["FAILED"]
    assert diagnosis is not None
    assert (diagnosis.category, diagnosis.summary) == (Category.SUBMIT_ERROR, "the file is gone")
    assert diagnosis.resolution == "put it back"


def test_one_job_with_a_defect_does_not_keep_the_others_waiting(shop: Shop) -> None:
    bad = shop.submit()
    shop.dispatch()
    with shop.database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'SUBMITTING'")
    shop.backend.launch_error = TypeError("a defect of ours")
    good = shop.submit()
    shop.dispatch()

    assert shop.states(bad, good) == ["SUBMITTING", "SUBMITTING"]
    shop.backend.launch_error = None
    shop.dispatch()
    assert shop.states(bad, good) == ["SUBMITTED", "SUBMITTED"]


def test_a_job_that_waited_too_long_fails_without_an_attempt(shop: Shop) -> None:
    shop.backend.capacity = 0
    job = shop.submit(timeouts={"queue_seconds": 60})
    shop.clock.advance(59)
    shop.dispatch()
    assert shop.states(job) == ["QUEUED"]

    shop.clock.advance(1)
    shop.dispatch()

    found = shop.job(job)
    assert found.state == "FAILED"
    assert found.diagnosis is not None
    assert found.diagnosis.category is Category.TIMEOUT
    assert "60 s" in found.diagnosis.summary
    assert shop.store.attempts(job.id) == []


def test_a_job_without_a_cluster_goes_to_the_one_whose_dispatcher_claims_it(shop: Shop) -> None:
    job = shop.submit()
    with shop.database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET cluster = ''")
    assert shop.job(job).cluster is None

    shop.dispatch()

    assert shop.job(job).cluster == "local"
    assert [attempt.cluster for attempt in shop.store.attempts(job.id)] == ["local"]


def test_of_many_claims_that_a_dead_dispatcher_left_none_waits_behind_a_stuck_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archer.launching._IN_HAND", 2)
    shop.backend.capacity = 5
    jobs = [shop.submit() for _ in range(5)]
    shop.dispatch()
    shop.dispatch()
    shop.dispatch()
    with shop.database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'SUBMITTING'")
    launch = FakeBackend.launch

    def stuck(backend: FakeBackend, name: str, spec: Any) -> str:
        if name in {f"{job.id}-1" for job in jobs[:2]}:
            raise BackendUnavailableError("stuck")
        return launch(backend, name, spec)

    monkeypatch.setattr(FakeBackend, "launch", stuck)
    shop.dispatch()

    assert shop.states(*jobs) == ["SUBMITTING", "SUBMITTING", "SUBMITTED", "SUBMITTED", "SUBMITTED"]


def test_a_job_that_can_not_be_ended_keeps_no_other_waiting(shop: Shop) -> None:
    bad = shop.submit(timeouts={"queue_seconds": 60})
    with shop.database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET submission = '{}'")
    good = shop.submit()
    shop.clock.advance(61)

    shop.dispatch()

    assert shop.states(bad, good)[1] == "SUBMITTED"


def test_a_killed_job_never_starts(shop: Shop) -> None:
    job = shop.submit()
    shop.service.kill(job.id, actor="api:ada")

    shop.dispatch()

    assert shop.backend.launched == []
    assert shop.states(job) == ["CANCELLED"]


def test_a_dispatcher_that_lost_its_lease_claims_nothing(shop: Shop) -> None:
    job = shop.submit()
    old = shop.fence("dispatcher")
    shop.store.release(old)
    shop.store.acquire("dispatcher", "another", seconds=100)

    with pytest.raises(FencedOutError):
        shop.dispatcher.step(old)

    assert shop.states(job) == ["QUEUED"]
    assert shop.backend.launched == []
