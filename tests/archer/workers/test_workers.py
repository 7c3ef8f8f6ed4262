"""The loops of a process, and what they share."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from archer.backends.fleet import Fleet
from archer.errors import LaunchRefusedError
from archer.hands import HANDS
from archer.model import JobState
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


def test_an_attempt_that_a_quota_refused_is_made_again_after_the_pause_that_the_settings_name(
    shop: Shop, tmp_path: Path
) -> None:
    settings = ServeSettings(data=tmp_path, backend="kubernetes", roles=("dispatcher",), retry_pause_seconds=600)
    shop.backend.launch_error = LaunchRefusedError("the quota is used up", "wait", category="quota")
    job = shop.submit()
    workers = Workers(settings, shop.store, Fleet([shop.backend]), shop.clock, "d")
    workers.start()
    try:
        deadline = time.monotonic() + 20
        while (found := shop.store.job(job.id)).state is not JobState.RETRY_WAIT:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        workers.stop(10)

    assert found.retry_at == shop.clock.now() + timedelta(seconds=300)
