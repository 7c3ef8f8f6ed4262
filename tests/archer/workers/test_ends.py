"""Why an attempt was stopped outlives the tracker that stopped it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from archer.backends.fleet import Fleet
from archer.backends.interface import STOPPED_FOR, StopReason
from archer.backends.kubernetes import names
from archer.backends.kubernetes.backend import KubernetesBackend
from archer.errors import BackendUnavailableError
from archer.ids import attempt_name
from archer.model import Category, JobState
from archer.service import Service
from archer.store.connection import Database
from archer.store.interface import Change, NewAttempt
from archer.store.sql import SqlStore
from archer.tracker import Tracker
from testbed.archer_builders import make_cluster_config, make_submission
from testbed.archer_fakes import FakeClock
from testbed.fake_kubernetes import FakeKubernetes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from archer.model import Job
    from tests.archer.workers.conftest import Shop

NAMESPACE = "spark-ads"


class Cluster:
    """A database and a cluster that outlive their trackers; each tracker has a backend of its own."""

    def __init__(self, url: str) -> None:
        self.clock = FakeClock()
        self.store = SqlStore(Database(url), self.clock)
        self.api = FakeKubernetes()
        self.config = make_cluster_config("root.a", teams={"ads": ["root.a"]})

    def backend(self) -> KubernetesBackend:
        (view,) = self.config.clusters
        known, text = self.store.known_attempts, self.store.text
        return KubernetesBackend(config=self.config, cluster=view, client=self.api.client, known=known, text=text)

    def submitted(self, **fields: Any) -> Job:
        """A job whose application is there, and which the operator never takes up."""
        backend = self.backend()
        service = Service(self.store, Fleet([backend]), self.clock, config=self.config)
        given = {"team": "ads", "image": "spark:4", "spark_version": "4.0", "application": {"file": "local:///job.py"}}
        job = service.submit(make_submission(**given, **fields), actor="api:ada").result().job
        spec = backend.plan(job, attempt=1, memory_rung=1.0)
        new = NewAttempt(number=1, name=attempt_name(job.id, 1), memory_rung=1.0, spec=spec)
        told: dict[str, Any] = {"actor": "d", "at": self.clock.now(), "message": "as told"}
        started = Change(expect_version=1, to=JobState.SUBMITTING, new_attempt=new, cluster="batch", **told)
        self.store.change(job.id, started)
        self.store.change(job.id, Change(expect_version=2, to=JobState.SUBMITTED, **told))
        self.api.create(names.applications(NAMESPACE), spec)
        backend.close()
        return self.store.job(job.id)

    def track(self, owner: str, *, seconds: float = 0) -> None:
        """What a tracker that begins now makes of the cluster, and after so many seconds again; then it is gone."""
        fence = self.store.acquire("tracker", owner, seconds=1)
        assert fence is not None
        backend = self.backend()
        tracker = Tracker(
            store=self.store,
            backend=backend,
            clock=self.clock,
            owner=owner,
            namespace=NAMESPACE,
            retry_pause_seconds=5,
            all_within_seconds=0,
            monotonic=lambda: self.clock.now().timestamp(),
        )
        backend.listen(NAMESPACE)
        try:
            for passed in (0.0, seconds):
                self.clock.advance(passed)
                for _ in range(5):
                    while not self._stepped(tracker, fence):
                        time.sleep(0.01)
        finally:
            backend.close()
            self.store.release(fence)

    @staticmethod
    def _stepped(tracker: Tracker, fence: Any) -> bool:
        try:
            tracker.step(fence)
        except BackendUnavailableError:
            # its lists are under way
            return False
        return True


@pytest.fixture
def cluster(sqlite_url: str) -> Iterator[Cluster]:
    made = Cluster(sqlite_url)
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("timeouts", "seconds", "category", "words"),
    [
        ({}, 3700, Category.SUBMIT_ERROR, "it did not start, and nothing says why"),
        ({"start_seconds": 60}, 61, Category.TIMEOUT, "Spark was not up within 60 s"),
    ],
)
def test_a_second_tracker_tells_why_the_first_one_stopped_what_left_nothing(
    cluster: Cluster, timeouts: dict[str, int], seconds: float, category: Category, words: str
) -> None:
    job = cluster.submitted(timeouts=timeouts, retry={"max_attempts": 3})
    cluster.track("first", seconds=seconds)
    assert list(cluster.api.objects) == []
    assert cluster.store.job(job.id).state == "SUBMITTED"

    cluster.track("second")

    found = cluster.store.job(job.id)
    assert found.diagnosis is not None
    assert (found.diagnosis.category, words in found.diagnosis.summary) == (category, True)


def test_the_reason_is_written_down_before_the_end_is_asked_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    job = shop.submit(timeouts={"start_seconds": 60})
    shop.dispatch()
    shop.clock.advance(61)
    known = []

    def stop(name: str, why: StopReason) -> None:
        known.append((name, why, shop.store.text(job.id, 1, STOPPED_FOR)))

    monkeypatch.setattr(shop.backend, "stop", stop)
    shop.track()

    assert known == [(f"{job.id}-1", StopReason.START_TIMEOUT, "start-timeout")]


def test_the_first_reason_stays_and_is_told_once_whoever_asks_again(shop: Shop) -> None:
    job = shop.submit(timeouts={"start_seconds": 60, "run_seconds": 120})
    shop.dispatch()
    shop.clock.advance(61)
    shop.track()
    shop.clock.advance(3600)
    # another one, which remembers nothing
    shop.tracker.pause()

    shop.track()

    told = [event.message for event in shop.store.events(job.id) if "its end is asked for" in event.message]
    assert told == ["its end is asked for: Spark was not up within `timeouts.start_seconds`"]
    assert shop.store.text(job.id, 1, STOPPED_FOR) == "start-timeout"


def test_a_kill_needs_no_note_of_its_own(shop: Shop) -> None:
    job = shop.submit()
    shop.dispatch()
    shop.service.kill(job.id, actor="api:ada")

    shop.track()

    assert shop.backend.stopped == [(f"{job.id}-1", StopReason.CANCEL)]
    assert shop.store.text(job.id, 1, STOPPED_FOR) is None
