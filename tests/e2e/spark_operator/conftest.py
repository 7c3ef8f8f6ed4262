"""The operator under test: the stand-in, or the binary that SPARK_OPERATOR_BIN names, started as our chart starts it.

One instance serves the whole suite in a namespace of its own; a test that stops it, or needs other arguments, starts
another one for the second namespace. Timers are short by arguments, everything else is the chart's.
"""

import copy
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from environments import load
from environments.loading import FOLDER
from testbed.cluster import Cluster
from testbed.operator_chart import OperatorChart
from testbed.real_spark_operator import chosen_operator
from testbed.spark_applications import Applications
from testbed.spark_operator.process import MakeOperator, OperatorProcess, StartOperator

SHORT = {"driver-pod-creation-grace-period": "3s"}


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> OperatorChart:
    """The operator's chart for an environment with two teams."""
    document = yaml.safe_load((FOLDER / "test.yaml").read_text())
    quota = {"vcores": 64, "memory_gib": 512, "pods": 1000}
    team = {"queues": ["root.shared"], "submitters": ["everyone"], "quota": quota}
    document["teams"] = [{"name": "contract", **team}, {"name": "alone", **copy.deepcopy(team)}]
    file = tmp_path_factory.mktemp("environment") / "test.yaml"
    file.write_text(yaml.safe_dump(document))
    environment = load(file)
    return OperatorChart.of(environment, environment.clusters[0])


@pytest.fixture(scope="session")
def chart(plane: Cluster, rendered: OperatorChart) -> OperatorChart:
    """The chart, applied to the cluster."""
    rendered.install(plane)
    return rendered


@pytest.fixture(scope="session")
def make_operator() -> MakeOperator:
    """Makes an operator, not started: `make_operator(plane, chart, namespaces=("spark-alone",))`."""
    return chosen_operator


@pytest.fixture(scope="session")
def operator(plane: Cluster, chart: OperatorChart) -> Iterator[OperatorProcess]:
    """The operator of the first namespace."""
    with chosen_operator(plane, chart, namespaces=("spark-contract",), flags=SHORT) as started:
        yield started


@pytest.fixture(scope="session")
def applications(plane: Cluster, operator: OperatorProcess) -> Iterator[Applications]:
    """Applications in the namespace of `operator`."""
    with Applications(plane, "spark-contract") as made:
        yield made


@pytest.fixture
def alone(plane: Cluster, chart: OperatorChart) -> Iterator[Applications]:
    """Applications in the second namespace, where no operator works until the test starts one."""
    with Applications(plane, "spark-alone") as made:
        yield made


@pytest.fixture
def start_operator(plane: Cluster, chart: OperatorChart, request: pytest.FixtureRequest) -> Iterator[StartOperator]:
    """Starts another operator for the second namespace: `start_operator({"controller-threads": "1"})`.

    It leads without an election: the chart lets it have one lease, and that is the first operator's.
    """
    with ExitStack() as started:

        def start(flags: dict[str, str] | None = None, *, spark_home: Path | None = None) -> OperatorProcess:
            settings = {**SHORT, "leader-election": "false", **(flags or {})}
            made = chosen_operator(
                plane,
                chart,
                name=f"operator-{request.node.name[:60].translate(str.maketrans('[]/ ', '----'))}",
                namespaces=("spark-alone",),
                flags=settings,
                spark_home=spark_home,
            )
            return started.enter_context(made)

        yield start
