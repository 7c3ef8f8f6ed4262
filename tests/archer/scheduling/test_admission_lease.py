"""Admission that goes from one server to another, or is fought for."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from archer.admission import Admission
from archer.errors import FencedOutError
from archer.model import ACTIVE_STATES, JobState
from archer.store.interface import Fence
from tests.archer.scheduling.conftest import finish

if TYPE_CHECKING:
    from tests.archer.scheduling.conftest import MakeYard, Yard

S = JobState


def test_a_cluster_is_given_no_second_burst_when_admission_changes_hands(make_yard: MakeYard) -> None:
    yard = make_yard(east={"creates_per_minute": 60}, west={"creates_per_minute": 60})
    yard.switch("cluster", "west")
    jobs = [yard.submit() for _ in range(30)]
    first, second = yard.admission, yard.admission_of("e")

    def admitted_by(admission: Admission, owner: str) -> int:
        fence = yard.fence(owner)
        admission.step(fence)
        yard.store.release(fence)
        return Counter(yard.states(*jobs))["SUBMITTING"]

    assert admitted_by(first, "d") == 10
    assert admitted_by(second, "e") == 10
    yard.clock.advance(1)
    assert admitted_by(second, "e") == 11
    # the first one's own memory is of before: it doesn't know what the second one gave
    yard.clock.advance(1)
    assert admitted_by(first, "d") <= 12


def test_a_stale_fence_writes_nothing(yard: Yard) -> None:
    job = yard.submit()
    old = yard.fence()
    yard.store.release(old)
    assert yard.fence("another")

    with pytest.raises(FencedOutError):
        yard.admission.step(old)

    assert yard.states(job) == ["QUEUED"]
    assert yard.store.attempts(job.id) == []
    assert yard.reason(job) is None


class Fight:
    """Servers that take the lease from each other, and now and then act on one that they no longer have."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.stop = threading.Event()
        self.failures: list[BaseException] = []
        self.threads = [threading.Thread(target=self._serve, args=(owner,)) for owner in ("a", "b")]

    def _serve(self, owner: str) -> None:
        admission = self.yard.admission_of(owner)
        admission.hand_over = lambda _: None
        held: Fence | None = None
        try:
            while not self.stop.is_set():
                held = self._step(admission, owner, held)
        except BaseException as error:  # noqa: BLE001  # told by the test
            self.failures.append(error)

    def _step(self, admission: Admission, owner: str, held: Fence | None) -> Fence | None:
        held = self.yard.store.acquire("admission", owner, seconds=0.001) or held
        if held is None:
            return None
        try:
            admission.step(held)
        except FencedOutError:
            return None
        return held

    def __enter__(self) -> None:
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(30)


def test_limits_hold_while_two_servers_fight_for_the_lease(make_yard: MakeYard) -> None:
    yard = make_yard(**{"root.ads": {"max_applications": 7}, "root.ml": {"max": {"vcores": 8, "memory_gib": 99}}})
    jobs = [yard.submit(queue=queue) for _ in range(30) for queue in ("root.ads.ctr", "root.ads.etl", "root.ml")]
    most: Counter[str] = Counter()
    fight = Fight(yard)

    with fight:
        deadline = time.monotonic() + 60
        ended = 0
        while ended < 20 and time.monotonic() < deadline:
            yard.clock.advance(0.01)
            active = [job for job in map(yard.job, jobs) if job.state in ACTIVE_STATES]
            now = Counter("ads" if job.queue.startswith("root.ads") else "ml" for job in active)
            most |= now
            if now == {"ads": 7, "ml": 4}:
                finish(yard, active[0])
                ended += 1

    assert (fight.failures, ended) == ([], 20)
    assert most == {"ads": 7, "ml": 4}
    owners = {event.actor for job in jobs for event in yard.store.events(job.id) if event.to_state is S.SUBMITTING}
    assert owners == {"dispatcher:a", "dispatcher:b"}
    assert all(len(yard.store.attempts(job.id)) <= 1 for job in jobs)
