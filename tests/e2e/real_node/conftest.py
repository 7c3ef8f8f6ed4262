"""The real node that the tests of this folder share, with the operator's chart on it and a team's namespace for the jobs.

A machine that lacks something skips them with all that it lacks. Seconds of each step of the start are printed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from environments import load
from testbed.errors import CannotRunHereError, NoGoError
from testbed.operator_chart import OperatorChart
from testbed.real_node import machine
from testbed.real_node.node import RealNode
from testbed.real_node.spark_jobs import SparkJobs
from testbed.real_spark_operator import VARIABLE, binary


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"real_operator: about the real operator alone; left out unless {VARIABLE} is set"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests about the real operator where there is none; pytest counts them as deselected."""
    if binary() is None:
        out = [item for item in items if item.get_closest_marker("real_operator")]
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


@pytest.fixture(scope="session")
def capable() -> None:
    """This machine can run a real node."""
    try:
        machine.require()
    except CannotRunHereError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def node(capable: None, request: pytest.FixtureRequest) -> Iterator[RealNode]:
    """A node with the Spark image, for all tests that stop nothing on it."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    writer = request.config.get_terminal_writer()

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            writer.line(f"\nreal node: {line}")

    started = RealNode(say=say)
    try:
        started.start()
    except NoGoError as error:
        pytest.skip(str(error))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def chart(node: RealNode) -> OperatorChart:
    """The operator's chart of the test environment, applied: definitions, namespaces of teams, roles."""
    environment = load("test")
    chart = OperatorChart.of(environment, environment.clusters[0])
    chart.install(node.plane)
    return chart


@pytest.fixture(scope="session")
def jobs(node: RealNode, chart: OperatorChart) -> SparkJobs:
    """Submits into the first team's namespace, as the operator does."""
    return SparkJobs(node, chart.job_namespaces[0], chart.kubeconfig(node.plane))
