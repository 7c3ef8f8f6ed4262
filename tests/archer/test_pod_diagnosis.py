"""Rules about pods, one by one; rows as a cluster gives them are in tests/archer/backends/kubernetes/test_evidence.py."""

from typing import Any

import pytest

from archer.model import Category
from archer.pod_diagnosis import ExecutorEnd, PodEvidence, last_words, never_started, of_driver, of_executors

C = Category


def executor(**fields: Any) -> ExecutorEnd:
    return ExecutorEnd(
        **{"name": "e-1", "exit_code": 137, "reason": "Error", "disruption": "", "spot": False, **fields}
    )


@pytest.mark.parametrize(
    ("pods", "category"),
    [
        (PodEvidence(end_reason="OOMKilled"), C.OOM_CONTAINER),
        (PodEvidence(disruption="EvictionByEvictionAPI", spot=True), C.SPOT_LOSS),
        (PodEvidence(disruption="TerminationByKubelet"), C.NODE_LOSS),
        # its place was taken: whose node it was makes no difference
        (PodEvidence(disruption="PreemptionByScheduler", spot=True), C.NODE_LOSS),
        (PodEvidence(pod_reason="NodeLost"), C.NODE_LOSS),
        (PodEvidence(pod_reason="Evicted", pod_message="The node was low on resource: memory."), C.NODE_LOSS),
        (
            PodEvidence(
                pod_reason="Evicted", pod_message='Container x exceeded its local ephemeral storage limit "1Gi".'
            ),
            C.USER_ERROR,
        ),
        (PodEvidence(pod_reason="DeadlineExceeded"), C.TIMEOUT),
        (PodEvidence(deleted=True), C.LOST),
    ],
)
def test_who_took_a_driver_away_decides(pods: PodEvidence, category: Category) -> None:
    found = of_driver(pods, 143)

    assert found is not None
    assert found.category is category


def test_of_a_driver_that_ended_by_itself_the_cluster_has_no_opinion() -> None:
    assert of_driver(PodEvidence(end_reason="Error"), 1) is None


def test_an_end_that_nobody_saw_is_lost() -> None:
    found = of_driver(PodEvidence(node="n-1"), None)

    assert found is not None
    assert (found.category, found.detail) == (C.LOST, "node n-1")


@pytest.mark.parametrize(
    ("error", "category"),
    [
        ('pods "x" is forbidden: exceeded quota: team, requested: cpu=1', C.QUOTA),
        ("driver pod already exist", C.LOST),
        ("Operation cannot be fulfilled on resourcequotas: please apply your changes to the latest version", C.LOST),
        ("failed calling webhook: connection refused", C.LOST),
        ("failed to run spark-submit: signal: killed", C.LOST),
        ("Failure executing: POST at: https://h/pods. Received status: Status(code=500, reason=InternalError)", C.LOST),
        ('pods "x" is forbidden: not yet ready to handle request', C.LOST),
        ('pods is forbidden: User "spark-operator" cannot create resource "pods" in API group ""', C.LOST),
        ("Failure executing: POST. Message: etcdserver: leader changed", C.LOST),
        ("Caused by: java.net.ConnectException: Failed to connect to /10.0.0.1:443", C.LOST),
        (
            "pods is forbidden: violates PodSecurity. Received status: Status(code=403, reason=Forbidden)",
            C.SUBMIT_ERROR,
        ),
        ("Received status: Status(code=422, reason=Invalid)", C.SUBMIT_ERROR),
        ("Exception in thread main java.lang.IllegalArgumentException: spark.driver.memory", C.SUBMIT_ERROR),
    ],
)
def test_a_submission_is_repeated_where_the_infrastructure_failed(error: str, category: Category) -> None:
    found = of_driver(PodEvidence(submission_error=error), None)

    assert found is not None
    assert found.category is category
    assert found.detail == error


@pytest.mark.parametrize("category", [C.IMAGE_PULL, C.UNSCHEDULABLE, C.SUBMIT_ERROR])
def test_what_it_waited_for_is_why_it_never_started(category: Category) -> None:
    found = never_started(PodEvidence(waits_for=category, waits_text="0/12 nodes"), seconds_allowed=600)

    assert found is not None
    assert found.category is category
    assert found.summary.endswith("within 600 s: 0/12 nodes")
    assert never_started(PodEvidence(), seconds_allowed=600) is None


BLAMES = "Traceback (most recent call last):\nSparkException: ExecutorLostFailure (executor 1 exited)"
OWN = "WARN Lost executor 1: exit code 137\nTraceback (most recent call last):\nValueError: mine"


@pytest.mark.parametrize(
    ("end", "category"),
    [
        (executor(reason="OOMKilled"), C.OOM_CONTAINER),
        (executor(reason="OOMKilled", exit_code=0), C.OOM_PYTHON),
        (executor(exit_code=52), C.OOM_HEAP),
        (executor(exit_code=3), C.OOM_HEAP),
        (executor(disruption="DeletionByPodGC"), C.NODE_LOSS),
        (executor(disruption="DeletionByPodGC", spot=True), C.SPOT_LOSS),
        (executor(exit_code=1), None),
    ],
)
def test_how_executors_ended_is_why_a_driver_failed_that_blames_them(
    end: ExecutorEnd, category: Category | None
) -> None:
    found = of_executors(PodEvidence(executors=[end]), 1, BLAMES)

    assert (found and found.category) is category
    assert found is None or found.role == "executor"
    assert of_executors(PodEvidence(executors=[end]), 1, OWN) is None


def test_a_driver_whose_own_heap_was_full_blames_nobody() -> None:
    assert of_executors(PodEvidence(executors=[executor(reason="OOMKilled")]), 52, BLAMES) is None


def test_a_lack_of_memory_outweighs_a_lost_node() -> None:
    ends = [executor(disruption="DeletionByPodGC"), executor(name="e-2", reason="OOMKilled")]

    found = of_executors(PodEvidence(executors=ends), 11, "")

    assert found is not None
    assert found.category is C.OOM_CONTAINER
    assert "e-2" in found.detail


def test_last_words_begin_with_the_last_error() -> None:
    assert last_words("a\nTraceback (most recent call last):\nfirst\nException in thread main\nlast") == (
        "Exception in thread main\nlast"
    )
    assert last_words("\n".join(map(str, range(100)))).splitlines() == [str(each) for each in range(60, 100)]
