"""From what is seen of attempts to what jobs are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from archer.backends.interface import STOPPED_FOR, StopReason
from archer.errors import BackendUnavailableError, FencedOutError, StoreUnavailableError
from archer.hands import Hands
from archer.model import Category, EventKind

if TYPE_CHECKING:
    from archer.model import Job
    from tests.archer.workers.conftest import Shop


def running(shop: Shop, **fields: Any) -> Job:
    job = shop.submit(**fields)
    shop.dispatch()
    shop.backend.run(f"{job.id}-1")
    shop.track()
    assert shop.states(job) == ["RUNNING"]
    return job


def test_an_application_that_is_up_is_running_with_its_links(shop: Shop) -> None:
    job = shop.job(running(shop))

    assert (job.spark_app_id, job.ui_url) == (f"app-{job.id}-1", "http://127.0.0.1:4040")


def test_an_explicit_success_is_success_and_frees_the_slot(shop: Shop) -> None:
    job = running(shop)
    shop.backend.end(f"{job.id}-1")

    shop.track()

    assert shop.states(job) == ["SUCCEEDED"]
    assert shop.backend.released == [f"{job.id}-1"]
    assert shop.freed == 1


def test_a_round_that_has_had_its_time_leaves_the_rest_of_its_calls_to_the_next_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, killed = running(shop), running(shop)
    shop.backend.end(f"{ended.id}-1")
    shop.service.kill(killed.id, actor="api:ada")
    shop.tracker.ends.hands = Hands(seconds=1, clock=lambda: shop.clock.now().timestamp())

    with monkeypatch.context() as slow:
        # the answer of the cluster takes longer than the round has time
        slow.setattr(shop.backend, "stop", lambda *_: shop.clock.advance(2))
        assert shop.tracker.step(shop.fence("tracker")), "there is more to do at once"
    assert shop.states(ended) == ["SUCCEEDED"]
    assert shop.backend.released == []

    shop.tracker.step(shop.fence("tracker"))

    assert shop.backend.released == [f"{ended.id}-1"]


def test_a_short_job_may_end_before_it_was_seen_running(shop: Shop) -> None:
    job = shop.submit()
    shop.dispatch()
    shop.backend.end(f"{job.id}-1")

    shop.track()

    assert shop.states(job) == ["SUCCEEDED"]
    assert shop.job(job).spark_app_id == f"app-{job.id}-1"


def test_a_failure_carries_its_diagnosis_and_exit_code(shop: Shop) -> None:
    job = running(shop)
    shop.backend.end(f"{job.id}-1", exit_code=3)

    shop.track()

    found = shop.job(job)
    assert found.state == "FAILED"
    assert found.diagnosis is not None
    assert found.diagnosis.exit_code == 3
    assert shop.store.attempts(job.id)[0].exit_code == 3


def test_nothing_is_released_before_its_end_is_committed(shop: Shop) -> None:
    job = running(shop)
    shop.backend.end(f"{job.id}-1")
    with shop.database.write() as connection:
        connection.exec_driver_sql("CREATE TRIGGER x BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'full'); END")

    with pytest.raises(StoreUnavailableError):
        shop.track()

    assert shop.states(job) == ["RUNNING"]
    assert shop.backend.released == []


def test_a_lack_of_memory_is_tried_again_with_more_after_a_pause(shop: Shop) -> None:
    job = running(shop, retry={"max_attempts": 2})
    shop.backend.end(f"{job.id}-1", exit_code=137, stopped_for="memory-limit")
    shop.track()
    found = shop.job(job)
    assert (found.state, found.memory_rung, found.reason) == (
        "RETRY_WAIT",
        2.0,
        "attempt 2 follows in 5 s with 2 times the memory",
    )
    shop.dispatch()
    assert shop.states(job) == ["RETRY_WAIT"]

    shop.clock.advance(5)
    shop.dispatch()

    second = shop.store.attempts(job.id)[1]
    assert (second.memory_rung, second.spec["rung"]) == (2.0, 2.0)
    shop.backend.end(second.name, exit_code=137, stopped_for="memory-limit")
    shop.track()
    assert shop.states(job) == ["FAILED"]
    assert [attempt.state for attempt in shop.store.attempts(job.id)] == ["FAILED", "FAILED"]


def test_a_vanished_attempt_is_lost_then_repeated_and_told_once(shop: Shop) -> None:
    job = running(shop)
    shop.backend.lose(f"{job.id}-1")

    shop.track()

    found = shop.job(job)
    assert found.state == "RETRY_WAIT"
    events = shop.store.events(job.id)
    assert [event.to_state for event in events if event.kind is EventKind.STATE][-2:] == ["LOST", "RETRY_WAIT"]
    assert len([event for event in events if event.kind is EventKind.DIAGNOSIS]) == 1
    (attempt,) = shop.store.attempts(job.id)
    assert attempt.state == "FAILED"
    assert attempt.diagnosis is not None
    assert attempt.diagnosis.category is Category.LOST


def test_a_killed_job_is_cancelled_only_when_its_end_is_confirmed(shop: Shop) -> None:
    job = running(shop)
    shop.service.kill(job.id, actor="api:ada")

    shop.track()

    assert shop.states(job) == ["CANCELLING"]
    assert (f"{job.id}-1", StopReason.CANCEL) in shop.backend.stopped
    shop.backend.end(f"{job.id}-1", exit_code=143, stopped_for="cancel")
    shop.track()
    assert shop.states(job) == ["CANCELLED"]
    assert shop.job(job).diagnosis is None


def test_a_stop_that_fails_keeps_no_other_job_waiting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, other = running(shop), running(shop)
    shop.service.kill(stuck.id, actor="api:ada")
    shop.backend.end(f"{other.id}-1")

    def fail(name: str, _why: StopReason) -> None:
        raise BackendUnavailableError(f"can't stop attempt {name}")

    with monkeypatch.context() as broken:
        broken.setattr(shop.backend, "stop", fail)
        shop.track()

    assert shop.states(stuck, other) == ["CANCELLING", "SUCCEEDED"]
    shop.track()
    assert (f"{stuck.id}-1", StopReason.CANCEL) in shop.backend.stopped


def test_a_job_whose_limits_can_not_be_read_keeps_no_other_job_waiting(shop: Shop) -> None:
    bad, good = shop.submit(), shop.submit()
    shop.dispatch()
    with shop.database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET submission = '{\"timeouts\": 7}' WHERE number = 1")
    shop.backend.end(f"{good.id}-1")

    shop.track()

    assert shop.states(bad, good) == ["SUBMITTED", "SUCCEEDED"]


def test_a_job_that_succeeded_before_the_kill_arrived_succeeded(shop: Shop) -> None:
    job = running(shop)
    shop.service.kill(job.id, actor="api:ada")
    shop.backend.end(f"{job.id}-1")

    shop.track()

    assert shop.states(job) == ["SUCCEEDED"]
    assert "came too late" in shop.store.events(job.id)[-1].message


def test_a_job_that_failed_by_itself_while_being_killed_failed_and_is_not_repeated(shop: Shop) -> None:
    job = running(shop, retry={"max_attempts": 5})
    shop.service.kill(job.id, actor="api:ada")
    shop.backend.end(f"{job.id}-1", exit_code=137, stopped_for="memory-limit")

    shop.track()

    assert shop.states(job) == ["FAILED"]
    assert "being killed" in shop.store.events(job.id)[-1].message


def test_a_job_that_vanishes_while_being_killed_is_cancelled(shop: Shop) -> None:
    job = running(shop)
    shop.service.kill(job.id, actor="api:ada")
    shop.backend.lose(f"{job.id}-1")

    shop.track()

    assert shop.states(job) == ["CANCELLED"]


def test_a_job_killed_while_it_was_being_started_is_stopped_and_cancelled(shop: Shop) -> None:
    job = shop.submit()
    shop.backend.launch_error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        shop.dispatch()
    shop.backend.launch_error = None
    shop.service.kill(job.id, actor="api:ada")
    shop.clock.advance(2)  # what was claimed a moment ago is not asked for its version again
    shop.dispatch()
    assert shop.backend.launched == []

    shop.backend.end(f"{job.id}-1", exit_code=None, stopped_for="cancel")
    shop.track()

    assert shop.states(job) == ["CANCELLED"]


def test_a_run_longer_than_allowed_is_stopped_and_fails_as_a_timeout(shop: Shop) -> None:
    job = running(shop, timeouts={"run_seconds": 60})
    shop.clock.advance(60)
    shop.track()
    assert shop.backend.stopped == []
    shop.clock.advance(1)
    shop.track()
    assert shop.backend.stopped == [(f"{job.id}-1", StopReason.RUN_TIMEOUT)]

    shop.backend.end(f"{job.id}-1", exit_code=143, stopped_for="run-timeout")
    shop.track()

    diagnosis = shop.job(job).diagnosis
    assert diagnosis is not None
    assert diagnosis.category is Category.TIMEOUT
    assert "60 s" in diagnosis.summary


def test_a_start_longer_than_allowed_is_stopped_and_a_start_in_time_is_not(shop: Shop) -> None:
    slow = shop.submit(timeouts={"start_seconds": 60})
    quick = shop.submit(timeouts={"start_seconds": 60})
    shop.dispatch()
    shop.backend.run(f"{quick.id}-1")
    shop.track()

    shop.clock.advance(61)
    shop.track()

    assert shop.backend.stopped == [(f"{slow.id}-1", StopReason.START_TIMEOUT)]


def test_looking_again_at_the_same_thing_writes_nothing(shop: Shop) -> None:
    job = running(shop)
    before = shop.job(job)

    for _ in range(3):
        shop.track()

    assert shop.job(job) == before


def test_a_tracker_that_lost_its_lease_writes_nothing(shop: Shop) -> None:
    job = running(shop)
    old = shop.fence("tracker")
    shop.store.release(old)
    shop.store.acquire("tracker", "another", seconds=100)
    shop.backend.end(f"{job.id}-1")

    with pytest.raises(FencedOutError):
        shop.tracker.step(old)

    assert shop.states(job) == ["RUNNING"]
    assert shop.backend.released == []


def test_a_start_that_was_in_time_is_not_stopped_because_it_is_seen_late(shop: Shop) -> None:
    job = shop.submit(timeouts={"start_seconds": 60})
    shop.dispatch()
    shop.backend.run(f"{job.id}-1")
    shop.clock.advance(3600)

    shop.track()

    assert shop.backend.stopped == []
    assert shop.states(job) == ["RUNNING"]


def test_what_ended_before_anybody_asked_for_its_end_is_not_said_to_have_been_stopped(shop: Shop) -> None:
    job = running(shop, timeouts={"run_seconds": 60})
    shop.backend.end(f"{job.id}-1")
    shop.clock.advance(3600)

    shop.track()

    assert shop.states(job) == ["SUCCEEDED"]
    assert shop.store.text(job.id, 1, STOPPED_FOR) is None
