"""Leases: one owner at a time, a new epoch for each new one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from archer.errors import FencedOutError

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit


def test_a_lease_has_one_owner_until_it_runs_out(kit: StoreKit) -> None:
    mine = kit.store.acquire("dispatcher/local", "me", seconds=10)
    assert mine is not None
    assert mine.epoch == 1
    kit.clock.advance(9)
    assert kit.store.acquire("dispatcher/local", "you", seconds=10) is None

    kit.clock.advance(2)
    yours = kit.store.acquire("dispatcher/local", "you", seconds=10)

    assert yours is not None
    assert yours.epoch == 2
    assert kit.store.acquire("dispatcher/local", "me", seconds=10) is None


def test_renewing_keeps_the_epoch_and_the_lease(kit: StoreKit) -> None:
    for _ in range(3):
        mine = kit.store.acquire("tracker/local", "me", seconds=10)
        assert mine is not None
        assert mine.epoch == 1
        kit.clock.advance(9)

    assert kit.store.acquire("tracker/local", "you", seconds=10) is None


def test_a_lease_handed_back_is_free_at_once(kit: StoreKit) -> None:
    mine = kit.store.acquire("tracker/local", "me", seconds=300)
    assert mine is not None

    kit.store.release(mine)

    yours = kit.store.acquire("tracker/local", "you", seconds=300)
    assert yours is not None
    assert yours.epoch == 2


def test_handing_back_a_lease_that_is_anothers_by_now_does_nothing(kit: StoreKit) -> None:
    mine = kit.store.acquire("tracker/local", "me", seconds=1)
    assert mine is not None
    kit.clock.advance(2)
    kit.store.acquire("tracker/local", "you", seconds=300)

    kit.store.release(mine)

    assert kit.store.acquire("tracker/local", "me", seconds=1) is None


def test_a_clock_set_back_does_not_prolong_a_dead_owners_lease(kit: StoreKit) -> None:
    dead = kit.store.acquire("tracker/local", "dead", seconds=10)
    assert dead is not None
    kit.clock.advance(-3600)

    heir = kit.store.acquire("tracker/local", "heir", seconds=10)

    assert heir is not None
    assert heir.epoch == 2
    # it is an ordinary lease, and the one before is fenced out
    assert kit.store.acquire("tracker/local", "dead", seconds=10) is None
    with pytest.raises(FencedOutError):
        kit.store.prune_idempotency_keys(before=kit.clock.now(), fence=dead)


def test_a_lease_as_long_as_leases_get_is_respected(kit: StoreKit) -> None:
    assert kit.store.acquire("tracker/local", "me", seconds=300)

    assert kit.store.acquire("tracker/local", "you", seconds=1) is None


def test_of_many_who_ask_at_once_one_gets_it(kit: StoreKit) -> None:
    with ThreadPoolExecutor(8) as pool:
        fences = list(pool.map(lambda number: kit.store.acquire("x", f"owner-{number}", seconds=10), range(16)))

    assert len([fence for fence in fences if fence is not None]) == 1


def test_live_leases_are_listed_by_the_beginning_of_their_names(kit: StoreKit) -> None:
    kit.store.acquire("tracker/blue/a", "one", seconds=10)
    kit.store.acquire("tracker/blue/b", "two", seconds=5)
    kit.store.acquire("tracker_blue/c", "three", seconds=10)
    kit.store.acquire("trackerXblue/d", "four", seconds=10)
    kit.clock.advance(6)

    assert kit.store.lease_owners("tracker/") == {"tracker/blue/a": "one"}
    assert kit.store.lease_owners("tracker_") == {"tracker_blue/c": "three"}
