"""Jobs that have served their time are forgotten with all that belongs to them, in small batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from archer.errors import FencedOutError, NotFoundError
from archer.model import JobState
from archer.store import schema

if TYPE_CHECKING:
    from archer.model import Job
    from tests.archer.store.conftest import StoreKit

S = JobState


def ended(kit: StoreKit, **fields: str) -> Job:
    job = kit.submit(labels={"day": "monday"}, **fields)
    return kit.move(job, S.SUBMITTING, S.SUBMITTED, S.FAILED, texts={"driver-log": "end"})


def test_a_job_that_ended_long_ago_goes_with_all_its_rows_and_the_others_stay(kit: StoreKit) -> None:
    old = ended(kit)
    running = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED)
    kit.clock.advance(10)
    young = ended(kit)

    assert kit.store.prune_jobs(before=kit.clock.now()) == 1

    with pytest.raises(NotFoundError):
        kit.store.job(old.id)
    assert [kit.store.job(job.id) for job in (running, young)] == [running, young]
    with kit.database.read() as connection:
        for table in (schema.attempts, schema.events, schema.attempt_texts):
            query = select(func.count()).select_from(table).where(table.c.job_id == old.id)
            assert connection.execute(query).scalar_one() == 0, table.name
        labels = connection.execute(select(schema.job_labels.c.job_number)).scalars()
        assert set(labels) == {young.number}
    assert kit.store.counters() == {("root.default", S.FAILED): 1, ("root.default", S.SUBMITTED): 1}


def test_a_job_stays_as_long_as_its_key_is_promised(kit: StoreKit) -> None:
    job = ended(kit, key="k")
    kit.clock.advance(10)
    now = kit.clock.now()

    assert kit.store.prune_jobs(before=now) == 0
    assert kit.submit_result(key="k").job == job

    assert kit.store.prune_idempotency_keys(before=now) == 1
    assert kit.store.prune_jobs(before=now) == 1


def test_a_batch_takes_the_oldest_and_no_more_than_it_may(kit: StoreKit) -> None:
    jobs = []
    for _ in range(5):
        jobs.append(ended(kit))
        kit.clock.advance(1)

    assert kit.store.prune_jobs(before=kit.clock.now(), limit=3) == 3
    assert kit.store.job(jobs[3].id) == jobs[3]
    assert kit.store.prune_jobs(before=kit.clock.now(), limit=3) == 2
    assert kit.store.counters() == {}


def test_a_janitor_that_lost_its_lease_forgets_nothing(kit: StoreKit) -> None:
    job = ended(kit)
    old = kit.store.acquire("janitor", "sleeper", seconds=1)
    kit.clock.advance(2)
    kit.store.acquire("janitor", "awake", seconds=1)

    with pytest.raises(FencedOutError):
        kit.store.prune_jobs(before=kit.clock.now(), fence=old)
    assert kit.store.job(job.id) == job


def test_a_job_that_somebody_holds_is_left_for_the_next_batch(postgres_kit: StoreKit) -> None:
    kit = postgres_kit
    held, free = ended(kit), ended(kit)
    kit.clock.advance(1)
    with kit.database.write() as connection:
        connection.exec_driver_sql(f"SELECT 1 FROM jobs WHERE number = {held.number} FOR UPDATE")

        assert kit.store.prune_jobs(before=kit.clock.now()) == 1

    assert kit.store.job(held.id) == held
    with pytest.raises(NotFoundError):
        kit.store.job(free.id)
