"""The tracker of a backend that listens: news first, everything else in turn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from archer.backends.interface import Observation, Phase, StopReason
from archer.errors import StoreUnavailableError
from archer.model import Category, JobState
from archer.store.interface import Change

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from archer.model import Job
    from tests.archer.workers.conftest import Shop


@pytest.fixture
def shop(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose backend listens, and which says what it was asked for."""
    shop.backend.told = set()
    shop.backend.capacity = 100
    shop.tracker.monotonic = shop.tracker.ends.monotonic = lambda: shop.clock.now().timestamp()
    looked: list[str] = []

    def observe(names: Collection[str]) -> Mapping[str, Observation]:
        looked.extend(names)
        return {name: shop.backend.seen.get(name, Observation(phase=Phase.STARTING)) for name in names}

    monkeypatch.setattr(shop.backend, "observe", observe)
    monkeypatch.setattr(shop, "looked", looked, raising=False)
    return shop


def submitted(shop: Shop, **fields: Any) -> Job:
    job = shop.submit(**fields)
    shop.dispatch()
    return job


def settled(shop: Shop, count: int) -> list[Job]:
    """Jobs in the cluster, each looked at once already."""
    jobs = [submitted(shop) for _ in range(count)]
    shop.track()
    looked(shop).clear()
    return jobs


def looked(shop: Shop) -> list[str]:
    return shop.looked  # type: ignore[attr-defined,no-any-return]  # the fixture above


def tell(shop: Shop, *jobs: Job) -> None:
    shop.backend.told = {f"{job.id}-1" for job in jobs}


def test_only_attempts_with_news_are_looked_at(shop: Shop) -> None:
    first, second, _third = settled(shop, 3)
    shop.backend.run(f"{second.id}-1")
    shop.backend.run(f"{first.id}-1")
    tell(shop, second)

    shop.tracker.step(shop.fence("tracker"))

    assert looked(shop) == [f"{second.id}-1"]
    assert shop.states(first, second) == ["SUBMITTED", "RUNNING"]


def test_changes_that_follow_each_other_need_no_further_news(shop: Shop) -> None:
    (job,) = settled(shop, 1)
    shop.backend.seen[f"{job.id}-1"] = Observation(phase=Phase.VANISHED, last_seen="it was there")
    tell(shop, job)

    for _ in range(3):
        shop.tracker.step(shop.fence("tracker"))

    assert shop.states(job) == ["RETRY_WAIT"]
    assert [event.to_state for event in shop.store.events(job.id) if event.to_state][-2:] == ["LOST", "RETRY_WAIT"]


def test_news_of_an_attempt_whose_launch_is_not_written_yet_is_not_lost(shop: Shop) -> None:
    job = shop.submit()
    shop.backend.launch_error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        shop.dispatch()
    assert shop.states(job) == ["SUBMITTING"]
    shop.backend.end(f"{job.id}-1")
    tell(shop, job)
    shop.tracker.step(shop.fence("tracker"))
    shop.backend.launch_error = None
    shop.clock.advance(3600)
    shop.dispatch()
    assert shop.states(job) == ["SUBMITTED"]

    shop.tracker.all_within_seconds = 1e9
    shop.tracker.step(shop.fence("tracker"))

    assert shop.states(job) == ["SUCCEEDED"]


def test_every_attempt_is_looked_at_in_turn_although_nothing_is_heard(shop: Shop) -> None:
    jobs = settled(shop, 3)
    shop.tracker.step(shop.fence("tracker"))
    assert looked(shop) == []

    shop.clock.advance(shop.tracker.all_within_seconds)
    shop.tracker.step(shop.fence("tracker"))

    assert sorted(looked(shop)) == sorted(f"{job.id}-1" for job in jobs)


def test_a_kill_asked_for_at_another_server_stops_the_attempt_and_is_not_asked_for_each_time(shop: Shop) -> None:
    (job,) = settled(shop, 1)
    shop.service.kill(job.id, actor="api:ada")

    for _ in range(5):
        shop.tracker.step(shop.fence("tracker"))
    asked_at_first = list(shop.backend.stopped)
    shop.clock.advance(10)
    shop.tracker.step(shop.fence("tracker"))

    assert asked_at_first == [(f"{job.id}-1", StopReason.CANCEL)]
    assert len(shop.backend.stopped) == 2, "an attempt that does not end is asked again after a while"


def test_an_attempt_that_was_created_after_its_cancellation_is_stopped(shop: Shop) -> None:
    (job,) = settled(shop, 1)
    shop.service.kill(job.id, actor="api:ada")
    shop.backend.lose(f"{job.id}-1")
    shop.tracker.step(shop.fence("tracker"))
    assert shop.states(job) == ["CANCELLED"]
    shop.backend.stopped.clear()
    shop.clock.advance(60)

    shop.backend.run(f"{job.id}-1")
    tell(shop, job)
    shop.tracker.step(shop.fence("tracker"))

    assert shop.backend.stopped == [(f"{job.id}-1", StopReason.CANCEL)]
    assert shop.states(job) == ["CANCELLED"]


def test_what_archer_does_not_know_is_left_alone(shop: Shop) -> None:
    shop.backend.seen["j-01m83xjzzzzzzzzzzzzzzzzzzz-1"] = Observation(phase=Phase.RUNNING)
    shop.backend.told = {"j-01m83xjzzzzzzzzzzzzzzzzzzz-1"}

    shop.tracker.step(shop.fence("tracker"))

    assert shop.backend.stopped == []


def test_a_change_that_was_overtaken_is_decided_anew(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = settled(shop, 1)
    shop.backend.run(f"{job.id}-1")
    tell(shop, job)
    change_many = shop.store.change_many

    def overtaken(wanted: Any, **given: Any) -> Any:
        monkeypatch.undo()
        found = shop.job(job)
        shop.store.change(job.id, Change(expect_version=found.version, actor="x", at=shop.clock.now(), message="first"))
        return change_many([(name, replace(change)) for name, change in wanted], **given)

    monkeypatch.setattr(shop.store, "change_many", overtaken)
    shop.tracker.step(shop.fence("tracker"))
    assert shop.states(job) == ["SUBMITTED"]
    shop.tracker.step(shop.fence("tracker"))

    assert shop.states(job) == [JobState.RUNNING]


def test_news_that_a_failing_database_kept_from_being_looked_at_is_not_lost(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = settled(shop, 1)
    shop.tracker.all_within_seconds = 1e9
    shop.backend.run(f"{job.id}-1")
    tell(shop, job)
    fence = shop.fence("tracker")

    def by_attempts(names: Collection[str]) -> Mapping[str, Any]:
        raise StoreUnavailableError(f"away when asked for {names}")

    with monkeypatch.context() as away:
        away.setattr(shop.store, "by_attempts", by_attempts)
        with pytest.raises(StoreUnavailableError):
            shop.tracker.step(fence)

    shop.tracker.step(shop.fence("tracker"))

    assert shop.states(job) == ["RUNNING"]


@pytest.mark.parametrize(
    ("waits_for", "seconds"),
    [(Category.IMAGE_PULL, 600), (Category.SUBMIT_ERROR, 600), (Category.UNSCHEDULABLE, 3600)],
)
def test_what_keeps_an_attempt_from_starting_is_waited_for_from_its_beginning_and_not_for_ever(
    shop: Shop, waits_for: Category, seconds: int
) -> None:
    (job,) = settled(shop, 1)
    name = f"{job.id}-1"

    def look_after(passed: float) -> list[tuple[str, StopReason]]:
        shop.clock.advance(passed)
        shop.tracker.step(shop.fence("tracker"))
        return shop.backend.stopped

    # all is well so far: a node is being made, perhaps
    assert look_after(2 * seconds) == []
    shop.backend.seen[name] = Observation(phase=Phase.STARTING, substate="it waits", stuck=waits_for)
    assert look_after(20) == []
    assert look_after(seconds) == []
    assert look_after(20) == [(name, StopReason.STUCK)]


def test_a_trouble_that_a_running_job_got_over_is_no_longer_told(shop: Shop) -> None:
    (job,) = settled(shop, 1)
    name = f"{job.id}-1"
    for substate in ("executors are pending: 0/9 nodes", None, None):
        shop.backend.seen[name] = Observation(phase=Phase.RUNNING, substate=substate)
        tell(shop, job)
        shop.tracker.step(shop.fence("tracker"))

    told = [event.message for event in shop.store.events(job.id)]
    assert shop.job(job).substate is None
    assert told.count("no longer: executors are pending: 0/9 nodes") == 1
