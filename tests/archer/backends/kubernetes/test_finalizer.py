"""How the finalizer comes off: in which order, and what happens when somebody else writes at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from archer.backends.kubernetes import names, records
from archer.backends.kubernetes.finalizer import Finalizers, take_off
from archer.kubernetes.errors import ApiError, ClusterUnreachableError
from testbed import spark_manifests as made
from testbed.fake_kubernetes import FakeKubernetes

APPLICATION = names.applications(made.NAMESPACE, made.NAME)
DRIVER = names.pods(made.NAMESPACE, f"{made.NAME}-driver")
EXECUTORS = [f"{made.NAME}-exec-1", f"{made.NAME}-exec-2"]
CONFLICT = ApiError(409, "Conflict", "the object has been modified")
MOVED = ApiError(422, "Invalid", "the test failed")


def release(api: FakeKubernetes, workers: ThreadPoolExecutor, state: str, *, saved: bool = False) -> Finalizers:
    finalizers = Finalizers(api.client, workers)
    record = records.application(made.application(state))
    finalizers.release(made.NAMESPACE, made.NAME, application=record, executors=EXECUTORS, saved=saved)
    return finalizers


def test_our_finalizer_comes_off_and_no_other(ended: FakeKubernetes) -> None:
    assert take_off(ended.client, made.NAMESPACE, f"{made.NAME}-driver")

    assert ended.objects[DRIVER]["metadata"]["finalizers"] == ["other.example/keep"]
    assert not take_off(ended.client, made.NAMESPACE, f"{made.NAME}-driver")


def test_a_driver_that_is_gone_has_nothing_to_take_off(api: FakeKubernetes) -> None:
    assert not take_off(api.client, made.NAMESPACE, f"{made.NAME}-driver")


@pytest.mark.parametrize("fault", [CONFLICT, MOVED])
def test_finalizers_that_somebody_moved_are_read_again(ended: FakeKubernetes, fault: ApiError) -> None:
    ended.faults["PATCH", DRIVER] = [fault, fault]

    assert take_off(ended.client, made.NAMESPACE, f"{made.NAME}-driver")
    assert len(ended.asked("PATCH")) == 3


def test_who_is_refused_for_ever_gives_up(ended: FakeKubernetes) -> None:
    ended.faults["PATCH", DRIVER] = [CONFLICT] * 10

    with pytest.raises(ApiError, match="modified"):
        take_off(ended.client, made.NAMESPACE, f"{made.NAME}-driver")
    assert len(ended.asked("PATCH")) < 10


def test_executors_go_first_and_the_finalizer_last(ended: FakeKubernetes, workers: ThreadPoolExecutor) -> None:
    counts = release(ended, workers, "COMPLETED").counts()

    assert [path for _, path in ended.calls][-1] == DRIVER
    assert set(ended.objects) == {APPLICATION, DRIVER}
    assert (counts.released, counts.saved, counts.failed) == (1, 0, 0)


@pytest.mark.parametrize("state", ["RUNNING", "INVALIDATING", "PENDING_RERUN", "SUSPENDED"])
def test_an_application_that_would_run_again_is_deleted_before_its_driver_may_go(
    ended: FakeKubernetes, workers: ThreadPoolExecutor, state: str
) -> None:
    release(ended, workers, state)

    assert ended.asked("DELETE")[0] == APPLICATION
    assert APPLICATION not in ended.objects


def test_a_cluster_that_does_not_answer_leaves_the_finalizer_for_the_sweep(
    ended: FakeKubernetes, workers: ThreadPoolExecutor
) -> None:
    ended.faults["DELETE", names.pods(made.NAMESPACE, EXECUTORS[1])] = [ClusterUnreachableError("silence")]

    counts = release(ended, workers, "COMPLETED").counts()

    assert (counts.released, counts.failed) == (0, 1)
    assert made.FINALIZER in ended.objects[DRIVER]["metadata"]["finalizers"]


def test_what_only_the_finalizer_knew_is_counted(ended: FakeKubernetes, workers: ThreadPoolExecutor) -> None:
    assert release(ended, workers, "FAILED", saved=True).counts().saved == 1
