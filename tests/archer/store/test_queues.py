"""What admission reads, and what it says of those who wait."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from archer.model import JobState
from archer.store.interface import MOST_COUNTED, Usage
from testbed.archer_builders import make_new_job

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit

S = JobState


def test_of_each_queue_the_first_wait_by_priority_then_by_age(kit: StoreKit) -> None:
    old = kit.submit(queue="root.a")
    kit.submit(queue="root.a", priority=-1)
    urgent = kit.submit(queue="root.a", priority=5, cluster=None)
    other = kit.submit(queue="root.b")
    kit.move(kit.submit(queue="root.c"), S.SUBMITTING)

    found = kit.store.waiting(now=kit.clock.now(), per_queue=2)

    assert [(job.queue, job.id) for job in found] == [("root.a", urgent.id), ("root.a", old.id), ("root.b", other.id)]


def test_a_job_in_a_pause_waits_only_when_the_pause_is_over(kit: StoreKit) -> None:
    later = kit.clock.now() + timedelta(seconds=10)
    job = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED, S.RETRY_WAIT, retry_at=later)

    assert list(kit.store.waiting(now=kit.clock.now(), per_queue=5)) == []
    assert list(kit.store.waiting(now=later, per_queue=5)) == [job]


def test_a_pause_that_a_clock_set_back_made_longer_than_any_is_over(kit: StoreKit) -> None:
    later = kit.clock.now() + timedelta(days=1)
    job = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED, S.RETRY_WAIT, retry_at=later)

    assert list(kit.store.waiting(now=kit.clock.now(), per_queue=9)) == [job]
    almost = later - timedelta(seconds=60)
    assert list(kit.store.waiting(now=almost, per_queue=9)) == []


def test_more_queues_than_one_statement_takes_are_all_asked(kit: StoreKit) -> None:
    kit.store.submit_many([kit.new_job(queue=f"root.q{number:03}") for number in range(230)])

    assert len({job.queue for job in kit.store.waiting(now=kit.clock.now(), per_queue=1)}) == 230


def test_usage_adds_up_active_jobs_by_queue_user_cluster_and_namespace(kit: StoreKit) -> None:
    size = {"vcores": 4, "memory_mib": 3_000_000_000, "namespace": "spark-a"}
    kit.move(kit.submit(**size), S.SUBMITTING, S.SUBMITTED, S.RUNNING)
    kit.move(kit.submit(**size), S.SUBMITTING)
    kit.move(kit.submit(user="grace", **size), S.SUBMITTING, S.SUBMITTED)
    kit.submit(**size)
    kit.move(kit.submit(**size), S.SUBMITTING, S.SUBMITTED, S.SUCCEEDED)

    shared = {"queue": "root.default", "cluster": "local", "namespace": "spark-a"}
    assert sorted(kit.store.usage(), key=lambda usage: usage.user or "") == [
        Usage(user="ada", jobs=2, unacknowledged=1, vcores=8, memory_mib=6_000_000_000, **shared),
        Usage(user="grace", jobs=1, unacknowledged=1, vcores=4, memory_mib=3_000_000_000, **shared),
    ]


def test_the_standing_counts_queued_jobs_of_the_queue_that_go_first(kit: StoreKit) -> None:
    first, job = kit.submit(), kit.submit()
    kit.submit(priority=1)
    kit.submit(priority=-1)
    kit.submit()
    kit.submit(queue="root.other", priority=9)
    kit.move(kit.submit(priority=9), S.SUBMITTING)

    assert (kit.store.standing(first), kit.store.standing(job)) == ((None, 1), (None, 2))


def test_no_more_jobs_are_counted_than_anybody_needs_to_know(kit: StoreKit) -> None:
    kit.store.submit_many([make_new_job(at=kit.clock.now()) for _ in range(MOST_COUNTED + 5)])

    assert kit.store.standing(kit.submit()) == (None, MOST_COUNTED + 1)


def test_the_standing_says_the_reason_too(kit: StoreKit) -> None:
    kit.submit(queue="root.a")
    kit.store.set_waits({("root.a", None): "the queue is full"})

    assert kit.store.standing(kit.submit(queue="root.a")) == ("the queue is full", 1)


def test_each_queues_oldest_job_is_the_one_that_has_been_queued_for_longest(kit: StoreKit) -> None:
    begun = kit.clock.now()
    kit.move(kit.submit(queue="root.a"), S.SUBMITTING, S.SUBMITTED, S.RETRY_WAIT, retry_at=begun)
    kit.move(kit.submit(queue="root.c"), S.CANCELLED)
    kit.clock.advance(60)
    kit.submit(queue="root.a", priority=-1)
    kit.submit(queue="root.b")
    kit.clock.advance(60)
    kit.submit(queue="root.a", priority=9)

    minute = begun + timedelta(seconds=60)
    assert dict(kit.store.oldest_queued()) == {"root.a": minute, "root.b": minute}


def test_attempts_of_active_jobs_are_counted_from_when_they_were_written(kit: StoreKit) -> None:
    begun = kit.clock.now()
    kit.move(kit.submit(), S.SUBMITTING)
    kit.clock.advance(10)
    kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED)
    kit.move(kit.submit(), S.SUBMITTING, S.FAILED)
    kit.submit()
    cluster = kit.store.job("1").cluster
    assert cluster is not None

    assert kit.store.begun_since(cluster, begun - timedelta(seconds=1)) == 2
    assert kit.store.begun_since(cluster, begun) == 1
    assert kit.store.begun_since("elsewhere", begun) == 0


def test_a_reason_of_the_user_is_told_before_that_of_the_queue_and_both_are_replaced(kit: StoreKit) -> None:
    kit.store.set_waits({("root.a", None): "the queue is full", ("root.a", "ada"): "ada runs 5 jobs of 5"})
    assert kit.store.wait_reason("root.a", "ada") == "ada runs 5 jobs of 5"
    assert kit.store.wait_reason("root.a", "grace") == kit.store.wait_reason("root.a", None) == "the queue is full"

    kit.store.set_waits({("root.a", None): "paused"})
    assert kit.store.wait_reason("root.a", "ada") == "paused"
    kit.store.set_waits({})
    assert kit.store.wait_reason("root.a", "ada") is None


def test_a_waiting_jobs_own_reason_changes_neither_its_version_nor_its_history(kit: StoreKit) -> None:
    job, running = kit.submit(), kit.move(kit.submit(), S.SUBMITTING)

    kit.store.set_reasons({job.id: "no cluster has Spark 4.1", running.id: "late", "j-nobody": "late"})

    found = kit.store.job(job.id)
    assert (found.reason, found.version) == ("no cluster has Spark 4.1", job.version)
    assert len(kit.store.events(job.id)) == 1
    assert kit.store.job(running.id) == running


def test_a_job_on_a_higher_rung_of_the_memory_ladder_holds_as_much_as_admission_charged(kit: StoreKit) -> None:
    job = kit.submit(vcores=2, memory_mib=1000)
    kit.move(job, JobState.SUBMITTING, memory_rung=3.0)

    (usage,) = kit.store.usage()

    assert (usage.vcores, usage.memory_mib) == (2, 3000)
