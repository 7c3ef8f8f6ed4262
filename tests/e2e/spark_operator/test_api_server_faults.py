"""What an operator makes of an API server that goes away, forgets its history and comes back."""

from collections.abc import Callable

from testbed.control_plane import ControlPlane
from testbed.operator_chart import OperatorChart
from testbed.spark_applications import Applications
from testbed.spark_operator.process import MakeOperator


def test_applications_go_on_after_the_api_server_was_away_and_its_history_is_gone(
    plane_factory: Callable[..., ControlPlane], rendered: OperatorChart, make_operator: MakeOperator
) -> None:
    """Watches break and cannot go on: what happened meanwhile is found by listing anew."""
    with plane_factory() as plane:
        rendered.install(plane)
        operator = make_operator(plane, rendered, namespaces=("spark-alone",), flags={"leader-election": "false"})
        with operator, Applications(plane, "spark-alone") as alone:
            ends, vanishes = alone.create(), alone.create()
            for app in (ends, vanishes):
                app.run_driver()
            alone.create().wait("SUBMITTED")
            plane.compact_etcd()
            plane.restart_api_server()
            ends.succeed()
            vanishes.delete_pod()
            ends.wait("COMPLETED")
            vanishes.wait("FAILED")
            assert vanishes.error == "driver pod not found"
            alone.create().wait("SUBMITTED")
