"""The operator on nodes that pretend: pods are scheduled, run and end by annotation, and nobody writes a status by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from testbed.cluster import Cluster
from testbed.control_plane import ControlPlane
from testbed.kubernetes import Manifest
from testbed.nodes import EXIT_CODE, OUTCOME, RUN_SECONDS, PretendedNodes
from testbed.operator_chart import OperatorChart
from testbed.spark_applications import DRIVER, EXECUTOR, FINALIZER, Applications, pod_template, wait_until
from testbed.spark_operator.process import MakeOperator

NODE = "contract"
SUBMIT_AGAIN = {"type": "OnFailure", "onSubmissionFailureRetries": 5, "onSubmissionFailureRetryInterval": 1}
"""Pods that are made at once fight for the quota, and the server answers some of them with a conflict."""


def _node(name: str) -> Manifest:
    """A big node."""
    capacity = {"cpu": "1000", "memory": "1000Gi", "pods": "1000"}
    condition = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"kubernetes.io/hostname": name},
        },
        "status": {"capacity": capacity, "allocatable": capacity, "conditions": [condition]},
    }


@pytest.fixture(scope="module")
def node(plane: Cluster) -> Iterator[PretendedNodes]:
    """One node that pretends, and whoever adds more."""
    with PretendedNodes(plane) as nodes:
        nodes.add([_node(NODE)])
        yield nodes
        nodes.remove(NODE)


def _templates(
    annotations: dict[str, str], *, driver_on: str = NODE, executors_on: str = NODE, **metadata: Any
) -> dict[str, Any]:
    driver = pod_template(DRIVER, **_place(driver_on))
    driver["metadata"] = {"annotations": annotations, **metadata}
    return {"driver": {"template": driver}, "executor": {"template": pod_template(EXECUTOR, **_place(executors_on))}}


def _place(node: str) -> dict[str, Any]:
    return {"schedulerName": "default-scheduler", "nodeSelector": {"kubernetes.io/hostname": node}}


@pytest.mark.parametrize(
    ("annotations", "state", "error"),
    [
        ({OUTCOME: "succeed", RUN_SECONDS: "1"}, "COMPLETED", ""),
        ({OUTCOME: "fail", EXIT_CODE: "3"}, "FAILED", "driver container failed with ExitCode: 3, Reason: Error"),
        ({OUTCOME: "oom"}, "FAILED", "driver container failed with ExitCode: 137, Reason: OOMKilled"),
    ],
)
@pytest.mark.usefixtures("node")
def test_a_driver_ends_as_its_annotations_say(
    applications: Applications, annotations: dict[str, str], state: str, error: str
) -> None:
    app = applications.create(**_templates(annotations))
    app.wait(state)
    assert app.error == error
    wait_until(lambda: not app.executors(), "the executors went with the driver")


@pytest.mark.usefixtures("node")
def test_forty_applications_at_once_all_complete(applications: Applications) -> None:
    templates = _templates({OUTCOME: "succeed", RUN_SECONDS: "2"})
    apps = [applications.create(restartPolicy=SUBMIT_AGAIN, **templates) for _number in range(40)]
    for app in apps:
        app.wait("COMPLETED", seconds=120)
    assert {app.status["executionAttempts"] for app in apps} == {1}


def test_a_driver_whose_node_is_taken_away_has_failed_and_a_finalizer_keeps_how(
    applications: Applications, node: PretendedNodes
) -> None:
    node.add([_node("doomed")])
    app = applications.create(**_templates({}, driver_on="doomed", finalizers=[FINALIZER]))
    app.wait("RUNNING")

    node.interrupt("doomed", seconds=10)

    app.wait("FAILED")
    assert app.error == "driver container failed with ExitCode: 143, Reason: Error"
    app.release_driver()


def test_an_executor_whose_node_is_taken_away_does_not_end_the_application(
    applications: Applications, node: PretendedNodes
) -> None:
    node.add([_node("doomed")])
    app = applications.create(**_templates({OUTCOME: "succeed", RUN_SECONDS: "8"}, executors_on="doomed"))
    app.wait("RUNNING")
    (executor,) = app.wait_executors(1)
    wait_until(lambda: app.status.get("executorState", {}) == {executor["metadata"]["name"]: "RUNNING"}, "it runs")

    node.interrupt("doomed")

    wait_until(lambda: not app.executors(), "the executor is gone")
    app.wait("COMPLETED")


def test_finished_drivers_that_kubernetes_collects_are_failures_unless_a_finalizer_holds_them(
    plane_factory: Callable[..., ControlPlane], rendered: OperatorChart, make_operator: MakeOperator
) -> None:
    """The terminated-pod collector of a control plane of its own, which keeps one finished pod."""
    with plane_factory(terminated_pod_gc_threshold=1) as plane:
        rendered.install(plane)
        operator = make_operator(plane, rendered, namespaces=("spark-alone",), flags={"leader-election": "false"})
        with operator, Applications(plane, "spark-alone") as alone:
            plain = [alone.create() for _number in range(3)]
            held = [alone.create(template={"finalizers": [FINALIZER]}) for _number in range(3)]
            for app in (*plain, *held):
                app.run_driver()
            operator.stop()
            for app in (*plain, *held):
                app.succeed()
            wait_until(lambda: _collected(plain) and _deleting(held), "the collector's work", seconds=90)
            operator.start()
            for app in held:
                app.wait("COMPLETED")
            for app in plain:
                app.wait_end()
            lost = [app for app in plain if app.state == "FAILED"]
            assert lost
            assert {app.error for app in lost} == {"driver pod not found"}


def _collected(apps: list[Any]) -> bool:
    return any(app.driver() is None for app in apps)


def _deleting(apps: list[Any]) -> bool:
    return any((app.driver() or {"metadata": {}})["metadata"].get("deletionTimestamp") for app in apps)
