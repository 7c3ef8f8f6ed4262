"""Spark's own spark-submit in cluster mode: driver and executor are pods of the real kubelet, and the job comes to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from testbed.real_node import files
from testbed.real_node.spark_jobs import end_of, log

if TYPE_CHECKING:
    from testbed.real_node.node import RealNode
    from testbed.real_node.spark_jobs import SparkJobs


def test_pi_runs_to_its_end_on_the_node(node: RealNode, jobs: SparkJobs) -> None:
    job = jobs.submit(arguments=("2",))
    driver = job.wait_end()
    (executor,) = job.executors()

    assert end_of(driver) == ("Succeeded", 0, "Completed")
    assert end_of(executor) == ("Succeeded", 0, "Completed")
    assert "Pi is roughly 3.1" in job.log()
    assert {pod["spec"]["nodeName"] for pod in (driver, executor)} == {files.NODE}
    # found the driver by its Service's name, which the cluster's DNS knows
    assert f"{driver['metadata']['namespace']}.svc:7078" in log(jobs.client, executor)
    version = node.plane.client().get("v1", "Node", files.NODE)["status"]["nodeInfo"]["containerRuntimeVersion"]
    assert version.startswith("containerd://")
