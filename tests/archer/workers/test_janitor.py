"""What is forgotten, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from archer.errors import FencedOutError, NotFoundError
from archer.janitor import Janitor
from testbed.archer_builders import make_submission

if TYPE_CHECKING:
    from tests.archer.workers.conftest import Shop


def test_a_key_is_remembered_for_its_days_and_forgotten_after(shop: Shop) -> None:
    janitor = Janitor(store=shop.store, clock=shop.clock, idempotency_days=7)
    first = shop.service.submit(make_submission(), header_key="k", actor="a").result().job
    shop.clock.advance(7 * 86400)
    janitor.step(shop.fence("janitor"))
    assert shop.service.submit(make_submission(), header_key="k", actor="a").result().job.id == first.id

    shop.clock.advance(1)
    assert janitor.step(shop.fence("janitor")) is False

    assert shop.service.submit(make_submission(), header_key="k", actor="a").result().job.id != first.id


def test_a_janitor_that_lost_its_lease_deletes_nothing(shop: Shop) -> None:
    janitor = Janitor(store=shop.store, clock=shop.clock, idempotency_days=7)
    shop.service.submit(make_submission(), header_key="k", actor="a").result()
    shop.clock.advance(8 * 86400)
    old = shop.fence("janitor")
    shop.store.release(old)
    shop.store.acquire("janitor", "another", seconds=100)

    with pytest.raises(FencedOutError):
        janitor.step(old)

    assert shop.store.key_exists("native", "k")


def cancelled(shop: Shop, key: str | None = None) -> str:
    job = shop.service.submit(make_submission(), header_key=key, actor="a").result().job
    return shop.service.kill(job.id, actor="a").id


def test_a_finished_job_is_forgotten_after_its_days_and_not_before(shop: Shop) -> None:
    janitor = Janitor(store=shop.store, clock=shop.clock, idempotency_days=7, job_retention_days=20)
    job_id = cancelled(shop)
    shop.clock.advance(20 * 86400)
    janitor.step(shop.fence("janitor"))
    assert shop.store.job(job_id)

    shop.clock.advance(1)
    assert janitor.step(shop.fence("janitor")) is False

    with pytest.raises(NotFoundError):
        shop.store.job(job_id)


def test_a_job_stays_as_long_as_its_key_though_jobs_stay_for_less(shop: Shop) -> None:
    janitor = Janitor(store=shop.store, clock=shop.clock, idempotency_days=7, job_retention_days=1)
    job_id = cancelled(shop, key="k")
    shop.clock.advance(7 * 86400)
    janitor.step(shop.fence("janitor"))
    assert shop.service.submit(make_submission(), header_key="k", actor="a").result().job.id == job_id

    shop.clock.advance(1)
    janitor.step(shop.fence("janitor"))

    with pytest.raises(NotFoundError):
        shop.store.job(job_id)


def test_without_a_number_of_days_jobs_stay_for_ever(shop: Shop) -> None:
    janitor = Janitor(store=shop.store, clock=shop.clock, idempotency_days=7)
    job_id = cancelled(shop)
    shop.clock.advance(4000 * 86400)

    janitor.step(shop.fence("janitor"))

    assert shop.store.job(job_id)
