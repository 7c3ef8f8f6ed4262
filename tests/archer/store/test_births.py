"""A submission is one transaction, and its idempotency key stands for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from archer.errors import ArcherError, IdempotencyKeyReusedError
from archer.model import EventKind, JobState
from archer.store import schema
from archer.store.interface import SubmitResult

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit


def rows(kit: StoreKit) -> dict[str, int]:
    with kit.database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (schema.jobs, schema.events, schema.idempotency_keys, schema.job_labels, schema.queue_counters)
        }


def test_a_job_is_born_queued_with_its_first_event_counter_labels_and_key(kit: StoreKit) -> None:
    job = kit.submit(key="k", labels={"day": "monday"}, notes=["read this"])

    assert (job.state, job.version, job.attempt, job.number) == (JobState.QUEUED, 1, 0, 1)
    assert job.created_at == kit.clock.now()
    events = kit.store.events(job.id)
    assert [(event.kind, event.to_state, event.message) for event in events] == [
        (EventKind.STATE, JobState.QUEUED, "accepted"),
        (EventKind.NOTE, None, "read this"),
    ]
    assert kit.store.counters() == {("root.default", JobState.QUEUED): 1}
    assert kit.store.key_exists("native", "k")


def test_the_same_key_and_body_give_the_same_job_and_write_nothing(kit: StoreKit) -> None:
    first = kit.submit_result(key="k")
    before = rows(kit)

    again = kit.submit_result(key="k")

    assert (first.replayed, again.replayed) == (False, True)
    assert again.job.id == first.job.id
    assert rows(kit) == before


def test_the_same_key_with_another_body_is_a_conflict_and_writes_nothing(kit: StoreKit) -> None:
    first = kit.submit(key="k")
    before = rows(kit)

    with pytest.raises(IdempotencyKeyReusedError, match=first.id):
        kit.submit(key="k", request_hash="other")

    assert rows(kit) == before


def test_keys_of_different_jobs_do_not_meet(kit: StoreKit) -> None:
    assert kit.submit(key="a").id != kit.submit(key="b").id


def test_many_at_once_with_one_key_make_one_job(kit: StoreKit) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: kit.submit_result(key="k"), range(24)))

    assert len({result.job.id for result in results}) == 1
    assert sum(not result.replayed for result in results) == 1
    assert rows(kit)["jobs"] == 1


def test_of_many_submissions_each_gets_its_own_answer_in_order(kit: StoreKit) -> None:
    known = kit.submit(key="known")
    before = rows(kit)
    twin = kit.new_job(key="twin")

    answers = kit.store.submit_many(
        [
            kit.new_job(name="first", labels={"day": "monday"}),
            kit.new_job(key="known", request_hash="other"),
            kit.new_job(key="known"),
            twin,
            kit.new_job(key="twin"),
            kit.new_job(key="twin", request_hash="other"),
            kit.new_job(name="last", notes=["read this"]),
        ]
    )

    told = [answer if isinstance(answer, ArcherError) else (answer.job.name, answer.replayed) for answer in answers]
    assert [type(one).__name__ for one in told if isinstance(one, ArcherError)] == ["IdempotencyKeyReusedError"] * 2
    assert [one for one in told if not isinstance(one, ArcherError)] == [
        ("first", False),
        ("report", True),
        ("report", False),
        ("report", True),
        ("last", False),
    ]
    found = [answer.job for answer in answers if isinstance(answer, SubmitResult)]
    assert (found[1].id, found[2].id, found[3].id) == (known.id, twin.id, twin.id)
    assert found[0].number < found[2].number < found[4].number
    assert rows(kit)["jobs"] == before["jobs"] + 3
    assert kit.store.counters() == {("root.default", JobState.QUEUED): 4}
    assert [event.message for event in kit.store.events(found[4].id)] == ["accepted", "read this"]


def test_the_same_job_submitted_again_after_its_answer_was_lost_is_one_job(kit: StoreKit) -> None:
    new = [kit.new_job(key="k"), kit.new_job()]
    first = kit.store.submit_many(new)
    before = rows(kit)

    again = kit.store.submit_many(new)

    assert again == first
    assert rows(kit) == before


def test_a_value_that_the_database_can_not_hold_spoils_nothing_for_the_others(postgres_kit: StoreKit) -> None:
    kit = postgres_kit
    answers = kit.store.submit_many([kit.new_job(), kit.new_job(actor="x" * 300), kit.new_job()])

    assert [isinstance(answer, SubmitResult) for answer in answers] == [True, False, True]
    assert kit.store.counters() == {("root.default", JobState.QUEUED): 2}


def test_what_programs_write_is_kept_whatever_bytes_it_has(kit: StoreKit) -> None:
    job = kit.submit(notes=["a\0b \ud83d"], submission={"argument": "\ud83d \0", "number": 2**70})

    assert kit.store.events(job.id)[1].message == "a?b ?"
    assert kit.store.job(job.id).submission == {"argument": "\ud83d \0", "number": 2**70}


def test_a_job_is_read_as_it_was_submitted(kit: StoreKit) -> None:
    job = kit.submit(namespace="spark-growth", priority=-7, vcores=12, memory_mib=3_000_000, cluster=None)

    assert (job.namespace, job.priority, job.vcores, job.memory_mib) == ("spark-growth", -7, 12, 3_000_000)
    assert kit.store.job(job.id) == job
