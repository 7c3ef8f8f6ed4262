"""Pretended nodes: pods are scheduled by the real scheduler onto a pool's real shape, and end as their annotations say."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

import pytest

from environments.loading import load
from k8s_manifests.placement import as_pod_fields, on_role
from testbed.control_plane import ControlPlane
from testbed.nodes import EXIT_CODE, LOG, OUTCOME, RUN_SECONDS, START_SECONDS, STOP_SECONDS, PretendedNodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from testbed.cluster import Cluster
    from testbed.kubernetes import Client, Manifest

DEV = load("dev")
BATCH = DEV.clusters[0]
FINALIZER = "archer.moka.dev/outcome"


@pytest.fixture(scope="module")
def nodes(plane: Cluster) -> Iterator[PretendedNodes]:
    with PretendedNodes(plane) as made:
        made.add_environment(DEV)
        yield made


@pytest.fixture
def run(nodes: PretendedNodes, client: Client, namespace: str) -> Iterator[Callable[..., str]]:
    """Makes a driver pod with these annotations; pods are freed of finalizers at the end."""
    names: list[str] = []

    def make(annotations: dict[str, str] | None = None, *, role: Any = "driver", **fields: Any) -> str:
        name = f"pod-{len(names)}"
        names.append(name)
        client.create(spark_pod(name, namespace, annotations or {}, role=role, **fields))
        return name

    yield make
    for name in names:
        if client.find("v1", "Pod", name, namespace) is not None:
            client.patch("v1", "Pod", name, namespace, body={"metadata": {"finalizers": None}})


def spark_pod(
    name: str,
    namespace: str,
    annotations: dict[str, str],
    *,
    role: Any = "driver",
    finalizers: tuple[str, ...] = (),
    cpu: str = "100m",
    **spec: Any,
) -> Manifest:
    """A driver's pod with a container beside it, placed as the charts place it."""
    containers = [
        {"name": "beside", "image": "testbed/none"},
        {"name": "spark-kubernetes-driver", "image": "testbed/spark", "resources": {"requests": {"cpu": cpu}}},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": annotations,
            "finalizers": list(finalizers),
            "labels": {"app": "spark"},
        },
        "spec": {"restartPolicy": "Never", "containers": containers, **as_pod_fields(on_role(BATCH, role)), **spec},
    }


def seen(
    client: Client, name: str, namespace: str, reached: Callable[[Manifest], bool], seconds: float = 180
) -> Manifest:
    """The pod once it is so."""
    deadline = time.monotonic() + seconds
    while True:
        found = client.get("v1", "Pod", name, namespace)
        if reached(found):
            return found
        assert time.monotonic() < deadline, found["status"]
        time.sleep(0.1)


def in_phase(*phases: str) -> Callable[[Manifest], bool]:
    return lambda pod: pod["status"].get("phase") in phases


def driver_state(pod: Manifest) -> dict[str, Any]:
    state: dict[str, Any] = next(
        each["state"] for each in pod["status"]["containerStatuses"] if each["name"] == "spark-kubernetes-driver"
    )
    return state


def gone(client: Client, name: str, namespace: str, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while client.find("v1", "Pod", name, namespace) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_pod_runs_on_a_node_of_its_pool_until_it_is_deleted(
    run: Callable[..., str], client: Client, namespace: str
) -> None:
    name = run(role="executor")

    pod = seen(client, name, namespace, in_phase("Running"))

    node = client.get("v1", "Node", pod["spec"]["nodeName"])
    assert node["metadata"]["labels"]["moka.dev/role"] == "executor"
    assert pod["status"]["podIP"].startswith("100.")
    assert {condition["type"]: condition["status"] for condition in pod["status"]["conditions"]}["Ready"] == "True"
    client.delete("v1", "Pod", name, namespace)
    gone(client, name, namespace)


def test_a_pod_succeeds_after_its_time(run: Callable[..., str], client: Client, namespace: str) -> None:
    name = run({OUTCOME: "succeed", RUN_SECONDS: "2"})

    seen(client, name, namespace, in_phase("Running"))
    pod = seen(client, name, namespace, in_phase("Succeeded", "Failed"))

    state = driver_state(pod)["terminated"]
    assert (pod["status"]["phase"], state["exitCode"], state["reason"]) == ("Succeeded", 0, "Completed")
    assert state["startedAt"] < state["finishedAt"]
    assert "running" not in driver_state(pod)


def test_a_pod_fails_with_its_exit_code_in_the_container_of_spark(
    run: Callable[..., str], client: Client, namespace: str
) -> None:
    name = run({OUTCOME: "fail", EXIT_CODE: "52", RUN_SECONDS: "0"})

    pod = seen(client, name, namespace, in_phase("Succeeded", "Failed"))

    codes = {each["name"]: each["state"]["terminated"]["exitCode"] for each in pod["status"]["containerStatuses"]}
    assert (pod["status"]["phase"], codes) == ("Failed", {"beside": 0, "spark-kubernetes-driver": 52})
    assert driver_state(pod)["terminated"]["reason"] == "Error"


def test_a_pod_is_killed_for_memory(run: Callable[..., str], client: Client, namespace: str) -> None:
    name = run({OUTCOME: "oom", RUN_SECONDS: "0"})

    pod = seen(client, name, namespace, in_phase("Succeeded", "Failed"))

    state = driver_state(pod)["terminated"]
    assert (pod["status"]["phase"], state["exitCode"], state["reason"]) == ("Failed", 137, "OOMKilled")


def test_an_image_that_is_not_there_keeps_the_pod_pending(
    run: Callable[..., str], client: Client, namespace: str
) -> None:
    name = run({OUTCOME: "image-pull-error"})

    pod = seen(client, name, namespace, lambda pod: "containerStatuses" in pod["status"])

    assert (pod["status"]["phase"], driver_state(pod)["waiting"]["reason"]) == ("Pending", "ImagePullBackOff")
    deadline = time.monotonic() + 180
    while not any(
        event["reason"] == "Failed" and "Failed to pull image" in event["message"]
        for event in client.list("v1", "Event", namespace, fieldSelector=f"involvedObject.name={name}")
    ):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    client.delete("v1", "Pod", name, namespace)
    gone(client, name, namespace)


def test_a_pod_that_takes_long_to_start_is_creating_first(
    run: Callable[..., str], client: Client, namespace: str
) -> None:
    name = run({START_SECONDS: "3", OUTCOME: "succeed", RUN_SECONDS: "0"})

    pod = seen(client, name, namespace, lambda pod: "containerStatuses" in pod["status"])
    assert (pod["status"]["phase"], driver_state(pod)["waiting"]["reason"]) == ("Pending", "ContainerCreating")

    seen(client, name, namespace, in_phase("Succeeded"))


def test_an_update_of_a_running_pod_does_not_start_its_clock_anew(
    run: Callable[..., str], client: Client, namespace: str
) -> None:
    name = run({OUTCOME: "succeed", RUN_SECONDS: "3"})
    started = seen(client, name, namespace, in_phase("Running"))["status"]["startTime"]

    # a clock that starts anew with each update would never run out
    deadline = time.monotonic() + 120
    while not in_phase("Succeeded")(pod := client.get("v1", "Pod", name, namespace)):
        assert time.monotonic() < deadline
        client.patch("v1", "Pod", name, namespace, body={"metadata": {"labels": {"touched": secrets.token_hex(4)}}})
        time.sleep(0.3)

    assert pod["status"]["startTime"] == started


def test_a_driver_deleted_while_it_runs_keeps_its_exit_status_until_its_finalizer_goes(
    run: Callable[..., str], client: Client, namespace: str
) -> None:
    name = run(finalizers=(FINALIZER,))
    seen(client, name, namespace, in_phase("Running"))

    client.delete("v1", "Pod", name, namespace)

    pod = seen(
        client,
        name,
        namespace,
        lambda pod: pod["metadata"].get("deletionGracePeriodSeconds") == 0 and in_phase("Failed")(pod),
    )
    state = driver_state(pod)["terminated"]
    assert (state["exitCode"], state["reason"]) == (143, "Error")
    client.patch("v1", "Pod", name, namespace, body={"metadata": {"finalizers": None}})
    gone(client, name, namespace)


def test_a_pod_may_take_its_time_to_stop_within_its_grace(
    run: Callable[..., str], client: Client, namespace: str
) -> None:
    name = run({STOP_SECONDS: "600"}, terminationGracePeriodSeconds=8)
    seen(client, name, namespace, in_phase("Running"))

    client.delete("v1", "Pod", name, namespace)
    asked = time.monotonic()
    pod = client.get("v1", "Pod", name, namespace)
    assert ("deletionTimestamp" in pod["metadata"], pod["status"]["phase"]) == (True, "Running")
    gone(client, name, namespace)

    assert time.monotonic() - asked > 4


def test_a_finished_driver_that_is_deleted_keeps_how_it_ended(
    run: Callable[..., str], client: Client, namespace: str
) -> None:
    name = run({OUTCOME: "fail", EXIT_CODE: "7", RUN_SECONDS: "0"}, finalizers=(FINALIZER,))
    seen(client, name, namespace, in_phase("Failed"))

    client.delete("v1", "Pod", name, namespace)

    pod = seen(client, name, namespace, lambda pod: "deletionTimestamp" in pod["metadata"])
    assert driver_state(pod)["terminated"]["exitCode"] == 7


def test_a_pod_that_fits_no_node_is_unschedulable(run: Callable[..., str], client: Client, namespace: str) -> None:
    name = run(cpu="9")  # a driver node of dev has 8, less what kubelet keeps

    pod = seen(client, name, namespace, lambda pod: "conditions" in pod["status"])

    (condition,) = [each for each in pod["status"]["conditions"] if each["type"] == "PodScheduled"]
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    assert "Insufficient cpu" in condition["message"]


def test_a_job_s_pod_succeeds_by_itself(nodes: PretendedNodes, client: Client, namespace: str) -> None:
    template = spark_pod("unused", namespace, {})
    client.create(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "migrate", "namespace": namespace},
            "spec": {"template": {"spec": template["spec"]}},
        }
    )
    deadline = time.monotonic() + 180
    while client.get("batch/v1", "Job", "migrate", namespace).get("status", {}).get("succeeded") != 1:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_log_of_a_pod_is_its_annotation(
    run: Callable[..., str], plane: Cluster, client: Client, namespace: str
) -> None:
    if not isinstance(plane, ControlPlane):
        pytest.skip("the API server of another cluster does not reach this process for logs")
    name = run({LOG: "first\njava.lang.OutOfMemoryError: Java heap space\n", OUTCOME: "fail", RUN_SECONDS: "0"})
    seen(client, name, namespace, in_phase("Failed"))

    words = ("logs", name, "-n", namespace, "-c", "spark-kubernetes-driver")

    assert plane.kubectl(*words).stdout == "first\njava.lang.OutOfMemoryError: Java heap space\n"
    assert plane.kubectl(*words, "--tail=1").stdout == "java.lang.OutOfMemoryError: Java heap space\n"


def test_an_interrupted_spot_node_takes_its_pods_along(
    nodes: PretendedNodes, run: Callable[..., str], client: Client, namespace: str
) -> None:
    pool = next(pool for pool in BATCH.pools if pool.role == "executor")
    added = nodes.add_pool(DEV, BATCH, pool, per_zone=1)
    target = added[0]
    name = run(role="executor", finalizers=(FINALIZER,), nodeName=target)
    seen(client, name, namespace, in_phase("Running"))

    nodes.interrupt(target)

    assert client.find("v1", "Node", target) is None
    pod = client.get("v1", "Pod", name, namespace)
    disrupted = [each for each in pod["status"]["conditions"] if each["type"] == "DisruptionTarget"]
    assert [each["reason"] for each in disrupted] == ["EvictionByEvictionAPI"]
    assert driver_state(pod)["terminated"]["exitCode"] == 143


def test_a_dead_node_s_pods_are_collected(
    nodes: PretendedNodes, run: Callable[..., str], client: Client, namespace: str
) -> None:
    pool = next(pool for pool in BATCH.pools if pool.role == "executor")
    target = nodes.add_pool(DEV, BATCH, pool, per_zone=1)[0]
    name = run(role="executor", nodeName=target)
    seen(client, name, namespace, in_phase("Running"))

    nodes.remove(target)

    gone(client, name, namespace, seconds=300)


def test_finished_pods_above_the_threshold_are_collected(plane_factory: Callable[..., ControlPlane]) -> None:
    with plane_factory(terminated_pod_gc_threshold=2) as plane, PretendedNodes(plane) as mine:
        mine.add_environment(DEV)
        client = plane.client()
        for number in range(5):
            client.create(spark_pod(f"short-{number}", "default", {OUTCOME: "succeed", RUN_SECONDS: "0"}))

        deadline = time.monotonic() + 240
        while len(left := client.list("v1", "Pod", "default")) > 2:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert len(left) == 2
