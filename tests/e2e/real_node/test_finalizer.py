"""A driver pod with Archer's finalizer outlives its application: status and log stay readable until the finalizer is taken off.

The application is the pod's owner and nothing else here, so that the cluster's own collector does what a deletion does.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from testbed.real_node.spark_jobs import end_of, log, wait_until
from testbed.spark_applications import API, FINALIZER, KIND, default_spec

if TYPE_CHECKING:
    from testbed.real_node.spark_jobs import SparkJobs


def test_status_and_log_stay_readable_after_the_application_is_deleted(jobs: SparkJobs) -> None:
    client, namespace, name = jobs.client, jobs.namespace, f"owner-{secrets.token_hex(3)}"
    metadata = {"name": name, "namespace": namespace}
    application = client.create({"apiVersion": API, "kind": KIND, "metadata": metadata, "spec": default_spec()})
    owner = {"apiVersion": API, "kind": KIND, "name": name, "uid": application["metadata"]["uid"]}
    job = jobs.submit(arguments=("2",), metadata={"finalizers": [FINALIZER], "ownerReferences": [owner]})
    job.wait_end()

    client.delete(API, KIND, name, namespace)
    wait_until(lambda: client.find(API, KIND, name, namespace) is None, lambda: f"{name} is gone")
    wait_until(lambda: "deletionTimestamp" in job.driver()["metadata"], lambda: "the driver was asked to go")

    driver = job.driver()
    assert driver["metadata"]["finalizers"] == [FINALIZER]
    assert end_of(driver) == ("Succeeded", 0, "Completed")
    assert "Pi is roughly 3.1" in log(client, driver)

    driver_name = driver["metadata"]["name"]
    client.patch("v1", "Pod", driver_name, namespace, body={"metadata": {"finalizers": None}})
    wait_until(lambda: client.find("v1", "Pod", driver_name, namespace) is None, lambda: "the driver is gone")
