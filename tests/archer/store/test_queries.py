"""Finding jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from archer.errors import NotFoundError
from archer.model import JobState
from archer.store.interface import JobFilter

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit

S = JobState


def test_a_job_is_found_by_id_number_and_emr_id(kit: StoreKit) -> None:
    job = kit.submit()

    for key in (job.id, str(job.number), job.emr_id):
        assert kit.store.job(key) == job


def test_the_versions_of_many_jobs_are_told_at_once_without_those_that_are_not_there(kit: StoreKit) -> None:
    still, moved = kit.submit(), kit.move(kit.submit(), S.SUBMITTING)

    assert kit.store.versions([still.id, moved.id, "j-nobody"]) == {still.id: 1, moved.id: 2}
    assert kit.store.versions([]) == {}


@pytest.mark.parametrize("key", ["2", "0", "-1", "j-nobody", "", "'; DROP TABLE jobs", str(2**70), "9" * 5000, "٣"])
def test_an_unknown_id_is_not_found(kit: StoreKit, key: str) -> None:
    kit.submit()

    with pytest.raises(NotFoundError):
        kit.store.job(key)


def test_numbers_are_never_given_twice(kit: StoreKit) -> None:
    job = kit.submit()
    with kit.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")

    assert kit.submit().number == job.number + 1


def test_pages_are_newest_first_and_stay_true_while_jobs_arrive(kit: StoreKit) -> None:
    first = [kit.submit().number for _ in range(5)]
    page = kit.store.jobs(JobFilter(), limit=2)
    numbers = [job.number for job in page.jobs]
    while page.next_before is not None:
        kit.submit()
        page = kit.store.jobs(JobFilter(), limit=2, before=page.next_before)
        numbers += [job.number for job in page.jobs]

    assert numbers == sorted(first, reverse=True)


def test_a_last_page_that_is_exactly_full_has_no_next(kit: StoreKit) -> None:
    for _ in range(2):
        kit.submit()

    assert kit.store.jobs(JobFilter(), limit=2).next_before is None


@pytest.mark.parametrize(
    "wanted",
    [
        JobFilter(name="wanted"),
        JobFilter(queue="root.etl"),
        JobFilter(user="grace"),
        JobFilter(team="growth"),
        JobFilter(labels={"day": "monday", "kind": "x"}),
        JobFilter(states=[S.CANCELLED]),
        JobFilter(states=[S.CANCELLED, S.RUNNING], name="wanted", labels={"day": "monday"}),
    ],
)
def test_each_filter_restricts(kit: StoreKit, wanted: JobFilter) -> None:
    kit.submit(labels={"day": "monday", "kind": "y"})
    labels = {"day": "monday", "kind": "x"}
    job = kit.submit(name="wanted", queue="root.etl", user="grace", team="growth", labels=labels)
    kit.move(job, S.CANCELLED)
    kit.submit(labels={"other": "monday"})

    assert [found.id for found in kit.store.jobs(wanted, limit=10).jobs] == [job.id]


def test_a_job_without_a_cluster_is_overdue_in_each_and_counted_in_none(kit: StoreKit) -> None:
    now = kit.clock.now()
    job = kit.submit(cluster=None, queue_deadline=now)
    assert job.cluster is None

    for cluster in ("blue", "green"):
        assert list(kit.store.overdue([cluster], now=now, limit=9)) == [job]
        assert kit.store.count(cluster, [S.QUEUED]) == 0


def test_overdue_are_the_queued_beyond_their_deadline(kit: StoreKit) -> None:
    deadline = kit.clock.now() + timedelta(seconds=5)
    east, west = (kit.submit(cluster=cluster, queue_deadline=deadline) for cluster in ("east", "west"))
    kit.submit(cluster="east")
    kit.submit(cluster="south", queue_deadline=deadline)

    assert kit.store.overdue(["east", "west"], now=kit.clock.now(), limit=10) == []
    kit.clock.advance(5)
    found = kit.store.overdue(["east", "west"], now=kit.clock.now(), limit=10)
    assert {job.id for job in found} == {east.id, west.id}
    assert len(kit.store.overdue(["east", "west"], now=kit.clock.now(), limit=1)) == 1


def test_jobs_in_states_come_with_their_latest_attempt_page_by_page(kit: StoreKit) -> None:
    jobs = [kit.move(kit.submit(), S.SUBMITTING) for _ in range(3)]
    again = kit.move(jobs[0], S.SUBMITTED, S.RETRY_WAIT, S.SUBMITTING)

    page = kit.store.in_states("local", {S.SUBMITTING}, limit=2)
    rest = kit.store.in_states("local", {S.SUBMITTING}, after=page[-1][0].number, limit=2)

    assert [(job.id, attempt.number) for job, attempt in [*page, *rest] if attempt] == [
        (again.id, 2),
        (jobs[1].id, 1),
        (jobs[2].id, 1),
    ]


def test_those_who_follow_attempts_are_spared_their_specifications(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING)
    name = kit.store.attempts(job.id)[0].name
    (_, listed), (_, found) = *kit.store.in_states("local", {S.SUBMITTING}), kit.store.by_attempts([name])[name]

    assert kit.store.known_attempts([name])[name].spec
    assert listed is not None
    assert listed.spec == found.spec == {}
    assert replace(found, spec={}) == replace(listed, spec={}) == replace(kit.store.attempts(job.id)[0], spec={})


def test_counting_looks_at_one_cluster(kit: StoreKit) -> None:
    kit.submit(cluster="elsewhere")
    kit.submit()
    kit.submit()

    assert kit.store.count("local", {S.QUEUED}) == 2
    assert kit.store.count("local", {S.RUNNING}) == 0


def test_events_are_read_on_from_the_last_one_known(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED)
    kit.submit()
    first, *rest = kit.store.events(job.id)

    assert kit.store.events(job.id, after=first.id) == rest
    assert kit.store.events(job.id, limit=1) == [first]


def test_old_idempotency_keys_are_forgotten_young_ones_kept(kit: StoreKit) -> None:
    kit.submit(key="old")
    kit.clock.advance(100)
    kit.submit(key="young")

    assert kit.store.prune_idempotency_keys(before=kit.clock.now()) == 1
    assert not kit.store.key_exists("native", "old")
    assert kit.store.key_exists("native", "young")


def test_jobs_are_found_by_the_name_of_their_latest_attempt_alone(kit: StoreKit) -> None:
    twice = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED, S.RETRY_WAIT, S.SUBMITTING)
    once = kit.move(kit.submit(), S.SUBMITTING)
    names = [f"{twice.id}-1", f"{twice.id}-2", f"{once.id}-1", "nobody"]

    found = kit.store.by_attempts(names)
    assert {name: (job, attempt.number) for name, (job, attempt) in found.items()} == {
        f"{twice.id}-2": (twice, 2),
        f"{once.id}-1": (once, 1),
    }
    known = kit.store.known_attempts(names)
    assert {name: attempt.number for name, attempt in known.items()} == {names[0]: 1, names[1]: 2, names[2]: 1}
    assert kit.store.by_attempts([]) == {}


def test_more_names_than_one_statement_takes_are_all_found(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING)

    assert list(kit.store.known_attempts([*(f"x{number}" for number in range(40_000)), f"{job.id}-1"])) == [
        f"{job.id}-1"
    ]


def test_jobs_in_states_are_those_of_one_namespace_when_asked(kit: StoreKit) -> None:
    mine = kit.move(kit.submit(namespace="spark-a"), S.SUBMITTING)
    kit.move(kit.submit(namespace="spark-b"), S.SUBMITTING)
    ended = kit.move(kit.submit(namespace="spark-a"), S.CANCELLED)

    def found(*states: JobState) -> list[str]:
        return [job.id for job, _ in kit.store.in_states("local", states, namespace="spark-a")]

    assert found(S.SUBMITTING, S.RUNNING) == [mine.id]
    assert found(S.SUBMITTING, S.CANCELLED) == [mine.id, ended.id]
