"""What the sweep frees, and what it leaves alone."""

import threading
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from archer.backends.kubernetes import names, records, sweeping
from archer.backends.kubernetes.finalizer import Finalizers
from archer.backends.kubernetes.following import Following
from archer.backends.kubernetes.records import ApplicationRecord, DriverRecord
from archer.backends.kubernetes.sweeping import YOUNG_SECONDS, sweep
from archer.hands import Hands
from archer.model import Attempt, JobState
from testbed import spark_manifests as made
from testbed.archer_builders import NOON, make_attempt
from testbed.fake_kubernetes import FakeKubernetes

DRIVER = names.pods(made.NAMESPACE, f"{made.NAME}-driver")
APPLICATION = names.applications(made.NAMESPACE, made.NAME)
OLD = made.BORN_SECONDS + 10 * YOUNG_SECONDS


@dataclass
class Cache:
    """What is followed: the objects of a fake cluster."""

    api: FakeKubernetes
    namespace: str = made.NAMESPACE
    kept: set[str] = field(default_factory=set)

    def drivers(self) -> list[DriverRecord]:
        pods = [pod for path, pod in self.api.objects.items() if path.endswith("-driver")]
        return [records.driver(pod) for pod in pods]

    def applications(self) -> list[ApplicationRecord]:
        return [records.application(app) for path, app in self.api.objects.items() if "/sparkapplications/" in path]

    def driver(self, attempt: str) -> DriverRecord | None:
        return next((each for each in self.drivers() if each.name == f"{attempt}-driver"), None)

    def application(self, attempt: str) -> ApplicationRecord | None:
        return next((each for each in self.applications() if each.name == attempt), None)

    def attempts_with_executors(self) -> set[str]:
        return {path.rpartition("/")[2].rpartition("-exec-")[0] for path in self.api.objects if "-exec-" in path}

    def executor_pods(self, attempt: str) -> list[str]:
        pods = [path.rpartition("/")[2] for path in self.api.objects]
        return [pod for pod in pods if pod.startswith(f"{attempt}-exec-")]


def swept(
    api: FakeKubernetes,
    workers: ThreadPoolExecutor,
    written: Attempt | None,
    *,
    now: int = OLD,
    young_seconds: int = YOUNG_SECONDS,
) -> int:
    def known(attempts: Collection[str]) -> Mapping[str, Attempt]:
        return {written.name: written} if written is not None and written.name in attempts else {}

    following = cast("Following", Cache(api))
    return sweep(
        following, Finalizers(api.client, workers), known, installation="lab", now=now, young_seconds=young_seconds
    )


def over(**fields: object) -> Attempt:
    return make_attempt(**{"state": JobState.SUCCEEDED, "finished_at": NOON, **fields})


def held(api: FakeKubernetes) -> bool:
    return made.FINALIZER in api.objects[DRIVER]["metadata"]["finalizers"]


def test_what_a_crash_left_of_an_attempt_that_is_over_goes(ended: FakeKubernetes, workers: ThreadPoolExecutor) -> None:
    assert swept(ended, workers, over()) == 1

    assert not held(ended)
    # the application ended: people may look at it until its time is over
    assert set(ended.objects) == {APPLICATION, DRIVER}


def test_an_application_that_a_late_create_made_after_its_attempt_was_over_is_ended(
    api: FakeKubernetes, workers: ThreadPoolExecutor
) -> None:
    api.objects[APPLICATION] = made.application("RUNNING")

    assert swept(api, workers, over(state=JobState.CANCELLED)) == 1
    assert api.objects == {}


def test_a_driver_that_came_after_its_operator_and_its_attempt_had_given_up_does_not_run_on(
    api: FakeKubernetes, workers: ThreadPoolExecutor
) -> None:
    api.objects[APPLICATION] = made.application("FAILED", "failed to submit")
    api.objects[DRIVER] = made.driver("Running")

    assert swept(api, workers, over(state=JobState.FAILED)) == 1
    assert APPLICATION not in api.objects
    assert not held(api)


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.SUBMITTING, JobState.LOST, JobState.CANCELLING])
def test_an_attempt_that_is_not_over_is_left_alone(
    ended: FakeKubernetes, workers: ThreadPoolExecutor, state: JobState
) -> None:
    assert swept(ended, workers, make_attempt(state=state)) == 0
    assert held(ended)


def test_what_is_young_is_somebodys_business_still(ended: FakeKubernetes, workers: ThreadPoolExecutor) -> None:
    assert swept(ended, workers, over(), now=made.BORN_SECONDS + YOUNG_SECONDS - 1) == 0
    just_now = NOON + timedelta(seconds=10 * YOUNG_SECONDS - 5)
    assert swept(ended, workers, over(finished_at=just_now)) == 0
    assert held(ended)


def test_how_long_that_is_can_be_set(ended: FakeKubernetes, workers: ThreadPoolExecutor) -> None:
    just_now = NOON + timedelta(seconds=10 * YOUNG_SECONDS - 5)
    assert swept(ended, workers, over(finished_at=just_now), young_seconds=6) == 0
    assert swept(ended, workers, over(finished_at=just_now), young_seconds=5) == 1
    assert not held(ended)


@pytest.mark.parametrize(("whose", "freed"), [("lab", True), (None, True), ("other", False)])
def test_an_unknown_driver_of_another_installation_is_that_ones(
    ended: FakeKubernetes, workers: ThreadPoolExecutor, whose: str | None, freed: bool
) -> None:
    if whose is not None:
        ended.objects[DRIVER]["metadata"]["labels"]["archer.moka.dev/installation"] = whose

    assert swept(ended, workers, None) == int(freed)
    assert held(ended) is not freed


def test_a_driver_that_the_database_never_heard_of_is_freed_once_it_ended_and_never_ended_by_us(
    ended: FakeKubernetes, workers: ThreadPoolExecutor
) -> None:
    ended.objects[APPLICATION] = made.application("RUNNING")
    ended.objects[DRIVER] = made.driver("Running")
    assert swept(ended, workers, None) == 0
    assert held(ended)

    ended.objects[DRIVER] = made.driver("Succeeded", exit_code=0)
    assert swept(ended, workers, None) == 1
    assert not held(ended)
    assert ended.asked("DELETE") == []


def test_a_driver_whose_birth_may_not_be_committed_yet_is_left_alone(
    ended: FakeKubernetes, workers: ThreadPoolExecutor
) -> None:
    assert swept(ended, workers, None, now=made.BORN_SECONDS + YOUNG_SECONDS - 1) == 0
    assert held(ended)
    assert swept(ended, workers, None, now=made.BORN_SECONDS + YOUNG_SECONDS) == 1


def test_a_sweep_frees_a_bounded_number_the_oldest_first(
    api: FakeKubernetes, workers: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "PER_SWEEP", 2)
    for number in range(5):
        pod = made.driver("Succeeded", exit_code=0)
        pod["metadata"] |= {"name": f"a-{number}-driver", "creationTimestamp": f"2026-11-23T12:0{5 - number}:00Z"}
        api.objects[names.pods(made.NAMESPACE, f"a-{number}-driver")] = pod

    assert swept(api, workers, None) == 2
    freed = {path[-8:] for path, pod in api.objects.items() if made.FINALIZER not in pod["metadata"]["finalizers"]}
    assert freed == {"4-driver", "3-driver"}


def test_attempts_that_run_for_long_keep_none_that_is_over_from_being_swept(
    ended: FakeKubernetes, workers: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "PER_SWEEP", 2)
    for number in range(5):
        pod = made.driver("Running")
        pod["metadata"] |= {"name": f"a-{number}-driver", "creationTimestamp": "2026-11-23T11:00:00Z"}
        ended.objects[names.pods(made.NAMESPACE, f"a-{number}-driver")] = pod

    assert swept(ended, workers, over()) == 1
    assert not held(ended)


def test_finalizers_come_off_several_drivers_at_the_same_time(
    api: FakeKubernetes, workers: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    drivers = [f"a-{number}-driver" for number in range(4)]
    for name in drivers:
        pod = made.driver("Succeeded", exit_code=0)
        pod["metadata"]["name"] = name
        api.objects[names.pods(made.NAMESPACE, name)] = pod
    together = threading.Barrier(4, timeout=10)
    get = api.get

    def meet(path: str, **query: object) -> dict[str, Any]:
        # each waits for the others: one after the other would break the barrier
        together.wait()
        return get(path, **query)

    monkeypatch.setattr(api, "get", meet)
    known = {name.removesuffix("-driver"): over(name=name.removesuffix("-driver")) for name in drivers}
    with ThreadPoolExecutor(4) as threads:
        finalizers = Finalizers(api.client, workers)
        following = cast("Following", Cache(api))
        assert sweep(following, finalizers, lambda _: known, installation="lab", now=OLD, hands=Hands(threads)) == 4

    assert finalizers.counts().released == 4
