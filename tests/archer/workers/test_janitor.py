"""What is forgotten, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from archer.errors import FencedOutError
from archer.janitor import Janitor
from testbed.archer_builders import make_submission

if TYPE_CHECKING:
    from tests.archer.workers.conftest import Shop


def test_a_key_is_remembered_for_its_days_and_forgotten_after(shop: Shop) -> None:
    janitor = Janitor(store=shop.store, clock=shop.clock, idempotency_days=7)
    first = shop.service.submit(make_submission(), header_key="k", actor="a").job
    shop.clock.advance(7 * 86400)
    janitor.step(shop.fence("janitor"))
    assert shop.service.submit(make_submission(), header_key="k", actor="a").job.id == first.id

    shop.clock.advance(1)
    assert janitor.step(shop.fence("janitor")) is False

    assert shop.service.submit(make_submission(), header_key="k", actor="a").job.id != first.id


def test_a_janitor_that_lost_its_lease_deletes_nothing(shop: Shop) -> None:
    janitor = Janitor(store=shop.store, clock=shop.clock, idempotency_days=7)
    shop.service.submit(make_submission(), header_key="k", actor="a")
    shop.clock.advance(8 * 86400)
    old = shop.fence("janitor")
    shop.store.release(old)
    shop.store.acquire("janitor", "another", seconds=100)

    with pytest.raises(FencedOutError):
        janitor.step(old)

    assert shop.store.key_exists("native", "k")
