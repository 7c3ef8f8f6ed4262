"""What Archer submits is what its backend looks for: the same names on the applications and pods of every kind of job."""

from typing import Any

import pytest

from archer.backends.kubernetes import evidence, names, records
from archer.backends.kubernetes.following import counted
from archer.backends.kubernetes.observation import End, Facts, judge
from archer.backends.kubernetes.records import ExecutorRecord
from testbed import spark_application_samples as samples
from testbed.archer_builders import JOB_ID

CONFIG = samples.lab()
POOLS: records.Pools = tuple((pool.name, pool.node_selector) for pool in CONFIG.clusters[0].pools)
SPOT = {pool.name for pool in CONFIG.clusters[0].pools if pool.capacity == "spot"}


def pod(manifest: dict[str, Any], role: str, name: str, **state: Any) -> dict[str, Any]:
    """A pod as Spark makes it of the template."""
    template = manifest["spec"][role]["template"]
    container = {"driver": names.DRIVER_CONTAINER, "executor": names.EXECUTOR_CONTAINER}[role]
    return {
        "metadata": {**template["metadata"], "name": name, "uid": name},
        "spec": template["spec"],
        "status": {"phase": "Failed", "containerStatuses": [{"name": container, "state": {"terminated": state}}]},
    }


@pytest.mark.parametrize("name", sorted(samples.JOBS))
def test_drivers_and_executors_of_every_job_are_found_held_and_put_into_their_pools(name: str) -> None:
    manifest = samples.manifest(name)
    attempt = manifest["metadata"]["name"]
    containers = [
        [each["name"] for each in manifest["spec"][role]["template"]["spec"]["containers"]]
        for role in ("driver", "executor")
    ]

    driver = records.driver(pod(manifest, "driver", names.driver(attempt), exitCode=1), POOLS)
    executor = records.executor(pod(manifest, "executor", f"{attempt}-exec-12", exitCode=137), POOLS)

    labels = [manifest["metadata"]["labels"], manifest["spec"]["driver"]["template"]["metadata"]["labels"]]
    assert [each[names.JOB_LABEL] for each in labels] == [JOB_ID, JOB_ID]
    assert (driver.held, driver.end is not None, driver.pool is not None) == (True, True, True)
    assert isinstance(executor, ExecutorRecord)
    assert executor.pool is not None
    assert names.JOB_LABEL in manifest["spec"]["executor"]["template"]["metadata"]["labels"]
    assert [names.DRIVER_CONTAINER in containers[0], names.EXECUTOR_CONTAINER in containers[1]] == [True, True]
    assert names.attempt_of_executor(executor.name) == names.attempt_of_driver(driver.name) == attempt
    assert manifest["spec"]["sparkConf"]["spark.kubernetes.executor.podNamePrefix"] == attempt
    assert manifest["spec"]["executor"]["deleteOnTermination"] is False


def test_the_pool_of_a_spot_executor_is_known_for_one_and_its_memory_is_told() -> None:
    manifest = samples.manifest("spot-executors-arm64")
    attempt = manifest["metadata"]["name"]
    failed = {
        "applicationState": {
            "state": "FAILED",
            "errorMessage": "driver container failed with ExitCode: 1, Reason: Error",
        }
    }
    dead = records.executor(pod(manifest, "executor", f"{attempt}-exec-1", exitCode=137), POOLS)
    assert isinstance(dead, ExecutorRecord)
    facts = Facts(
        application=records.application({**manifest, "status": failed}),
        driver=records.driver(pod(manifest, "driver", names.driver(attempt), exitCode=1), POOLS),
        executors=counted({dead.name: dead}),
        now=0,
    )
    end = judge(facts)
    assert isinstance(end, End)

    told = evidence.collect(facts, end, spec=manifest, log="", spot=SPOT).pods

    assert told is not None
    assert [each.spot for each in told.executors] == [True]
    assert not told.spot
    assert told.executor_memory.startswith("heap 24")
    assert "and overhead" in told.executor_memory
