"""A submission is one transaction, and its idempotency key stands for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from archer.errors import IdempotencyKeyReusedError
from archer.model import EventKind, JobState
from archer.store import schema

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
