"""The real node that the tests of this folder share, with the operator's chart on it and a team's namespace for the jobs.

A machine that lacks something skips them with all that it lacks. Seconds of each step of the start are printed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from environments import load
from environments.names import registry
from k8s_manifests.own_images import ARCHER, SPARK, OwnImage
from testbed.components import Settings
from testbed.errors import CannotRunHereError, NoGoError
from testbed.operator_chart import OperatorChart
from testbed.real_node import machine
from testbed.real_node.built import import_built
from testbed.real_node.node import RealNode
from testbed.real_node.spark_jobs import SparkJobs
from tests.e2e.own_images import base, built, storage  # noqa: F401  # fixtures


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

    # Archer's pods ask for yunikorn
    started = RealNode(Settings(scheduler_names=("default-scheduler", "yunikorn")), say=say)
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


@pytest.fixture(scope="session")
def built_spark(node: RealNode, built: dict[str, str], storage: dict[str, str]) -> str:  # noqa: F811  # the fixtures above
    """The Spark image built here, on the node; returns the name that the charts of the test environment ask for."""
    return _on_the_node(SPARK, node, built, storage)


@pytest.fixture(scope="session")
def built_archer(node: RealNode, built: dict[str, str], storage: dict[str, str]) -> str:  # noqa: F811  # as above
    """Archer's image built here, on the node; its name as above."""
    return _on_the_node(ARCHER, node, built, storage)


def _on_the_node(image: OwnImage, node: RealNode, built: dict[str, str], storage: dict[str, str]) -> str:  # noqa: F811
    name = image.in_registry(registry(load("test")))
    import_built(node, built[image.repository], name, storage)
    return name
