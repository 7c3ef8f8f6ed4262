"""A loop goes on whatever happens in a step, and only while it holds its lease."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from archer.bells import Bell
from archer.errors import ArcherError, BackendUnavailableError, FencedOutError, StoreUnavailableError
from archer.loops import LeaseKeeper, Loop, Step, isolated

if TYPE_CHECKING:
    from archer.store.interface import Fence
    from tests.archer.workers.conftest import Shop


def loop_of(shop: Shop, step: Step, *, owner: str = "me", interval: float = 0.01, bell: Bell | None = None) -> Loop:
    keeper = LeaseKeeper(shop.store, "lease", owner, seconds=60, clock=time.monotonic)
    return Loop("test", step, keeper, bell or Bell(), interval_seconds=interval)


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("error", [BackendUnavailableError("away"), ValueError("a defect")])
def test_a_loop_that_is_told_to_end_after_a_failed_step_hands_its_lease_over_all_the_same(
    shop: Shop, error: Exception
) -> None:
    calls: list[Fence] = []

    def step(fence: Fence) -> bool:
        calls.append(fence)
        raise error

    loop = loop_of(shop, step)
    loop.start()
    until(lambda: len(calls) == 1)
    loop.stop()

    assert loop.join(10)
    assert shop.store.acquire("lease", "another", seconds=60) is not None


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a defect"),
        StoreUnavailableError("disk full"),
        BackendUnavailableError("away"),
        FencedOutError("old"),
    ],
)
def test_a_step_that_fails_is_tried_again(shop: Shop, error: Exception) -> None:
    calls: list[Fence] = []
    bell = Bell()

    def step(fence: Fence) -> bool:
        calls.append(fence)
        if len(calls) == 1:
            raise error
        return False

    loop = loop_of(shop, step, bell=bell)
    loop.start()
    until(lambda: len(calls) == 1)
    bell.ring()
    until(lambda: len(calls) >= 2)
    loop.stop()

    assert loop.join(10)


def test_a_loop_without_the_lease_does_nothing_until_it_is_free(shop: Shop) -> None:
    other = shop.store.acquire("lease", "other", seconds=60)
    assert other is not None
    called = threading.Event()
    asked: list[int] = []

    def step(_fence: Fence) -> bool:
        called.set()
        return False

    class CountingKeeper(LeaseKeeper):
        def hold(self) -> Fence | None:
            asked.append(1)
            return super().hold()

    keeper = CountingKeeper(shop.store, "lease", "me", seconds=60, clock=time.monotonic)
    loop = Loop("test", step, keeper, Bell(), interval_seconds=0.01)
    loop.start()
    until(lambda: len(asked) > 3)
    assert not called.is_set()

    shop.store.release(other)

    assert called.wait(20)
    loop.stop()
    assert loop.join(10)


def test_a_stopped_loop_hands_its_lease_over(shop: Shop) -> None:
    worked = threading.Event()

    def step(_fence: Fence) -> bool:
        worked.set()
        return False

    loop = loop_of(shop, step)
    loop.start()
    assert worked.wait(20)

    loop.stop()

    assert loop.join(10)
    assert shop.store.acquire("lease", "next", seconds=1) is not None


def test_a_ring_ends_a_long_pause(shop: Shop) -> None:
    calls: list[int] = []
    bell = Bell()

    def step(_fence: Fence) -> bool:
        calls.append(1)
        return False

    loop = loop_of(shop, step, interval=1000, bell=bell)
    loop.start()
    until(lambda: len(calls) == 1)

    bell.ring()

    until(lambda: len(calls) == 2)
    loop.stop()
    assert loop.join(10)


def test_a_ring_during_the_step_is_not_lost(shop: Shop) -> None:
    calls: list[int] = []
    bell = Bell()

    def step(_fence: Fence) -> bool:
        calls.append(1)
        if len(calls) == 1:
            bell.ring()
        return False

    loop = loop_of(shop, step, interval=1000, bell=bell)
    loop.start()

    until(lambda: len(calls) == 2)
    loop.stop()
    assert loop.join(10)


def test_a_lease_is_renewed_at_a_third_of_its_life(shop: Shop) -> None:
    now = [0.0]
    keeper = LeaseKeeper(shop.store, "lease", "me", seconds=30, clock=lambda: now[0])
    first = keeper.hold()
    with shop.database.read() as connection:
        before = connection.exec_driver_sql("SELECT expires_at FROM leases").scalar_one()
    shop.clock.advance(9)
    now[0] = 9.0
    assert keeper.hold() == first
    with shop.database.read() as connection:
        assert connection.exec_driver_sql("SELECT expires_at FROM leases").scalar_one() == before

    shop.clock.advance(1)
    now[0] = 10.0
    assert keeper.hold() == first

    with shop.database.read() as connection:
        assert connection.exec_driver_sql("SELECT expires_at FROM leases").scalar_one() == before + 10_000


def test_a_defect_with_one_job_is_set_aside_and_our_own_errors_pass() -> None:
    with isolated("j-1"):
        raise ZeroDivisionError
    with pytest.raises(ArcherError), isolated("j-1"):
        raise FencedOutError("old")
