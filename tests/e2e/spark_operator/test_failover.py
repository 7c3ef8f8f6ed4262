"""Two operators, as the chart has them: one leads, the other stands by and takes over when the leader's lease has run out."""

from collections.abc import Callable
from typing import Any

from environments.names import OPERATOR_NAMESPACE
from k8s_manifests.spark_operator_rbac import CONTROLLER_LOCK
from testbed.cluster import Cluster
from testbed.control_plane import ControlPlane
from testbed.operator_chart import OperatorChart
from testbed.spark_applications import FINALIZER, Applications, wait_until
from testbed.spark_operator.process import MakeOperator

SHORT_LEASE = {
    "leader-election-lease-duration": "4s",
    "leader-election-renew-deadline": "3s",
    "leader-election-retry-period": "1s",
}


def test_the_one_that_stands_by_takes_over_after_a_crash_and_no_application_is_lost_or_run_twice(
    plane_factory: Callable[..., ControlPlane], rendered: OperatorChart, make_operator: MakeOperator
) -> None:
    with plane_factory() as plane:
        rendered.install(plane)
        settings: dict[str, Any] = {"namespaces": ("spark-alone",)}
        first = make_operator(plane, rendered, name="operator-one", flags=SHORT_LEASE, **settings)
        second = make_operator(
            plane, rendered, name="operator-two", flags={**SHORT_LEASE, "drivers": "false"}, **settings
        )
        with first, Applications(plane, "spark-alone") as alone:
            leader = _holder(plane)
            second.launch()
            running, ended = alone.create(), alone.create(template={"finalizers": [FINALIZER]})
            for app in (running, ended):
                app.run_driver()
            wait_until(lambda: "attempting to acquire leader lease" in second.log(), "the second asks for the lease")
            assert not second.works()
            assert _holder(plane) == leader

            first.crash()
            ended.succeed()
            ended.delete_pod()
            while_nobody_leads = alone.create()
            second.wait_until_working()

            assert _holder(plane) != leader
            while_nobody_leads.wait("SUBMITTED")
            ended.wait("COMPLETED")
            running.succeed()
            running.wait("COMPLETED")
            assert {app.status["executionAttempts"] for app in (running, ended, while_nobody_leads)} == {1}
            second.stop()


def _holder(plane: Cluster) -> str:
    with plane.client() as client:
        lease = client.get("coordination.k8s.io/v1", "Lease", CONTROLLER_LOCK, OPERATOR_NAMESPACE)
    return str(lease["spec"]["holderIdentity"])
