"""Whose it is to create an attempt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from archer.model import JobState

if TYPE_CHECKING:
    from archer.store.sql import SqlStore
    from tests.archer.store.conftest import StoreKit

S = JobState
TEN = timedelta(seconds=10)


def taken(kit: StoreKit, owner: str, *, store: SqlStore | None = None, limit: int = 10) -> list[str]:
    now = kit.clock.now()
    found = (store or kit.store).unclaimed("local", owner=owner, now=now, seconds=10, limit=limit)
    return [job.id for job, attempt in found if attempt.job_id == job.id]


def test_a_claim_keeps_others_away_until_it_is_over_and_is_theirs_then(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING, claim=kit.claim("one", TEN))
    kit.move(kit.submit(cluster="elsewhere"), S.SUBMITTING)

    assert taken(kit, "two") == []
    kit.clock.advance(10)
    assert taken(kit, "two") == [job.id]
    assert taken(kit, "three") == []
    kit.clock.advance(10)
    assert taken(kit, "three") == [job.id]
    assert kit.store.job(job.id).version == job.version


def test_a_job_that_goes_on_is_nobodys_to_create(kit: StoreKit) -> None:
    kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED)
    unclaimed = kit.move(kit.submit(), S.SUBMITTING)

    assert taken(kit, "two") == [unclaimed.id]


def test_a_clock_set_back_does_not_prolong_a_claim_for_ever(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING, claim=kit.claim("dead", TEN))
    kit.clock.advance(-86400)

    assert taken(kit, "two") == [job.id]


def test_many_who_ask_at_once_get_each_job_once(kit: StoreKit) -> None:
    jobs = kit.move_many([kit.submit() for _ in range(12)], S.SUBMITTING)
    servers = [kit.another_server() for _ in range(4)]

    def ask(number: int) -> list[str]:
        return taken(kit, f"owner-{number}", store=servers[number], limit=5)

    with ThreadPoolExecutor(4) as pool:
        found = [job_id for some in pool.map(ask, range(4)) for job_id in some]

    assert len(found) == len(set(found))
    assert sorted([*found, *taken(kit, "last", limit=99)]) == sorted(job.id for job in jobs)
    for server in servers:
        server.close()


def test_a_row_that_another_dispatcher_holds_is_passed_over(postgres_kit: StoreKit) -> None:
    kit = postgres_kit
    held, free = kit.move_many([kit.submit(), kit.submit()], S.SUBMITTING)
    with kit.database.write() as connection:
        connection.exec_driver_sql(f"SELECT 1 FROM jobs WHERE number = {held.number} FOR UPDATE")

        assert taken(kit, "two") == [free.id]
