"""The real operator on the real node: an application comes to COMPLETED or says what killed it, and its driver outlives it.

Left out unless SPARK_OPERATOR_BIN names the binary. It has the chart's account and arguments, and Spark's own spark-submit.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from testbed.real_node.image import SPARK
from testbed.real_node.spark_jobs import PI, SCRIPT, SECONDS, end_of, has_ended, log, spark_template, wait_until
from testbed.real_spark_operator import RealOperatorProcess, binary
from testbed.spark_applications import DRIVER, EXECUTOR, FINALIZER, Application, Applications
from testbed.spark_home import pyspark_home

from .test_out_of_memory import IN_THE_DRIVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from testbed.operator_chart import OperatorChart
    from testbed.real_node.node import RealNode
    from testbed.real_node.spark_jobs import SparkJobs

pytestmark = pytest.mark.real_operator
SIZES = {"cores": 1, "coreRequest": "100m", "memory": "512m", "memoryOverhead": None, "serviceAccount": "spark"}


@pytest.fixture(scope="module")
def applications(node: RealNode, chart: OperatorChart) -> Iterator[Applications]:
    """Applications of a team's namespace, and the operator that works there."""
    program = binary()
    assert program is not None
    namespace = chart.job_namespaces[0]
    started = RealOperatorProcess(
        program,
        node.plane,
        chart,
        namespaces=(namespace,),
        # drivers run here, and make their executors themselves
        flags={"drivers": "false"},
        spark_home=pyspark_home(node.keeper.folder / "operator-home"),
    )
    with started, Applications(node.plane, namespace) as made:
        yield made


def run(
    applications: Applications,
    file: str = PI,
    *,
    template: Mapping[str, Any],
    executor: Mapping[str, Any] | None = None,
    image: str = SPARK,
) -> Application:
    """Make an application and wait for its end; `template` is the driver's."""
    made = applications.create(
        image=image,
        mainApplicationFile=file,
        arguments=["2"],
        driver={**SIZES, "template": template},
        executor={**SIZES, "template": executor or spark_template(EXECUTOR), "deleteOnTermination": False},
    )
    made.wait_end(SECONDS)
    return made


def test_an_application_comes_to_completed_and_its_driver_outlives_it(applications: Applications) -> None:
    made = run(applications, template=spark_template(DRIVER, metadata={"finalizers": [FINALIZER]}))
    assert made.state == "COMPLETED", made.error

    client, namespace, name = applications.client, applications.namespace, f"{made.name}-driver"
    made.delete()
    made.wait_gone(SECONDS)

    def has_ended_and_is_to_go() -> bool:
        # the operator believes the container's end, kubelet writes the pod's a moment later
        pod = client.get("v1", "Pod", name, namespace)
        return "deletionTimestamp" in pod["metadata"] and has_ended(pod)

    wait_until(has_ended_and_is_to_go, lambda: f"{name} has ended and is asked to go")

    driver = client.get("v1", "Pod", name, namespace)
    assert driver["metadata"]["finalizers"] == [FINALIZER]
    assert end_of(driver) == ("Succeeded", 0, "Completed")
    assert "Pi is roughly 3.1" in log(client, driver)
    made.release_driver()
    wait_until(lambda: made.driver() is None, lambda: "the driver is gone")


def test_a_driver_that_was_killed_for_its_memory_is_named_so(applications: Applications, jobs: SparkJobs) -> None:
    script = f"script-{secrets.token_hex(3)}"
    jobs.add_script(script, IN_THE_DRIVER)
    made = run(applications, SCRIPT, template=spark_template(DRIVER, script=script))

    assert made.state == "FAILED"
    assert "driver container failed with ExitCode: 137, Reason: OOMKilled" in made.error


def test_an_application_on_the_image_built_here_comes_to_completed(
    applications: Applications, built_spark: str
) -> None:
    made = run(
        applications,
        template=spark_template(DRIVER, read_only_root=True),
        executor=spark_template(EXECUTOR, read_only_root=True),
        image=built_spark,
    )

    assert made.state == "COMPLETED", made.error
    driver, executors = made.driver(), made.executors()
    assert driver is not None
    assert "Pi is roughly 3.1" in log(applications.client, driver)
    for pod in (driver, *executors):
        assert pod["spec"]["containers"][0]["image"] == built_spark
        assert pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert len(executors) == 1
