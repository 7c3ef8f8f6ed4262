"""The loops of a process, and what they share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from archer.backends.fleet import Fleet
from archer.hands import HANDS
from archer.settings import ServeSettings
from archer.workers import Workers

if TYPE_CHECKING:
    from pathlib import Path

    from archer.backends.interface import StopReason
    from tests.archer.workers.conftest import Shop


def tracking(shop: Shop, data: Path) -> Workers:
    settings = ServeSettings(data=data, roles=("tracker",))
    return Workers(settings, shop.store, Fleet([shop.backend]), shop.clock, "t")


@pytest.mark.parametrize("of", ["stops", "releases"])
def test_of_a_mass_of_jobs_many_are_stopped_and_released_at_the_same_time(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    together, done = threading.Barrier(HANDS, timeout=10), threading.Event()

    def meet() -> None:
        # each waits for the others: one after the other would break the barrier
        together.wait()
        done.set()

    def stop(_name: str, _why: StopReason) -> None:
        meet()

    def release(_name: str) -> None:
        meet()

    shop.backend.capacity = HANDS
    jobs = [shop.submit() for _ in range(HANDS)]
    while shop.dispatch():
        pass
    if of == "stops":
        monkeypatch.setattr(shop.backend, "stop", stop)
    else:
        monkeypatch.setattr(shop.backend, "release", release)
    for job in jobs:
        name = f"{job.id}-1"
        (shop.backend.run if of == "stops" else shop.backend.end)(name)
        if of == "stops":
            shop.service.kill(job.id, actor="api:ada")
    workers = tracking(shop, tmp_path)
    workers.start()
    try:
        assert done.wait(20)
        assert not together.broken
    finally:
        workers.stop(10)
