"""What the API shows when a process outgrows its pod's memory: phase, exit code and reason, for each of four processes.

Where the machine has cgroup v1 the kernel kills one process, with v2 the whole container. So an executor whose Python worker
was killed ends with code 0 on v1: the reason, not phase or code, says what happened. Archer's diagnosis of each is that process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archer.model import Category
from testbed.archer_diagnosis import diagnosis_of
from testbed.real_node.remains import is_version_2
from testbed.real_node.spark_jobs import PI, SCRIPT, end_of

if TYPE_CHECKING:
    from testbed.real_node.spark_jobs import Job, SparkJobs

GROW = """
from pyspark.sql import SparkSession

def grow(_):
    kept = []
    while True:
        kept.append(bytearray(b"x" * (16 << 20)))

spark = SparkSession.builder.getOrCreate()
"""
IN_THE_DRIVER = GROW + "spark.range(1).count()\ngrow(None)\n"
IN_A_WORKER = GROW + "spark.sparkContext.parallelize([0], 1).map(grow).count()\n"
NO_ROOM = "16m"
TOUCH = "-XX:+AlwaysPreTouch"


def diagnosed(job: Job, application: str) -> tuple[Category, str | None]:
    """The category of Archer's diagnosis, and whose memory it is about."""
    found = diagnosis_of(job.driver(), job.executors(), job.log(), application=application)
    return found.category, found.role


def test_a_driver_whose_python_grows_is_killed(jobs: SparkJobs) -> None:
    job = jobs.submit(script=IN_THE_DRIVER)
    driver = job.wait_end()

    assert end_of(driver) == ("Failed", 137, "OOMKilled")
    assert [end_of(pod) for pod in job.executors()] == [("Succeeded", 0, "Completed")]
    assert diagnosed(job, SCRIPT) == (Category.OOM_CONTAINER, "driver")


def test_a_driver_whose_jvm_does_not_fit_is_killed_before_it_has_executors(jobs: SparkJobs) -> None:
    conf = {"spark.driver.memoryOverhead": NO_ROOM, "spark.driver.extraJavaOptions": f"-Xms512m {TOUCH}"}
    job = jobs.submit(conf=conf)
    driver = job.wait_end()

    assert end_of(driver) == ("Failed", 137, "OOMKilled")
    assert job.executors() == []
    assert diagnosed(job, PI) == (Category.OOM_CONTAINER, "driver")


def test_an_executor_whose_python_worker_grows_tells_it_by_its_reason(jobs: SparkJobs) -> None:
    job = jobs.submit(script=IN_A_WORKER, conf={"spark.task.maxFailures": "1"})
    driver = job.wait_end()
    (executor, *_) = job.executors()

    assert end_of(driver) == ("Failed", 1, "Error")
    assert end_of(executor) == (("Failed", 137, "OOMKilled") if is_version_2() else ("Succeeded", 0, "OOMKilled"))
    category = Category.OOM_CONTAINER if is_version_2() else Category.OOM_PYTHON
    assert diagnosed(job, SCRIPT) == (category, "executor")


def test_executors_whose_jvm_does_not_fit_are_killed_and_the_driver_gives_up(jobs: SparkJobs) -> None:
    conf = {
        "spark.executor.memoryOverhead": NO_ROOM,
        "spark.executor.extraJavaOptions": TOUCH,
        "spark.executor.maxNumFailures": "1",
    }
    job = jobs.submit(conf=conf)
    driver = job.wait_end()

    assert end_of(driver) == ("Failed", 11, "Error")
    ends = [end_of(pod) for pod in job.executors()]
    assert len(ends) > 1
    assert set(ends) == {("Failed", 137, "OOMKilled")}
    assert diagnosed(job, PI) == (Category.OOM_CONTAINER, "executor")
