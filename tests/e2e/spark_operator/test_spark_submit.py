"""Spark's own spark-submit, from the locked PySpark: the light one makes the same objects, and the operator can use it.

A run costs about ten core-seconds, so each test has one; all other tests submit with `testbed.spark_operator.spark_submit`.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from testbed.cluster import Cluster
from testbed.operator_chart import OperatorChart
from testbed.spark_applications import FINALIZER, Applications, default_spec, pod_template
from testbed.spark_home import light_spark_home, pyspark_home
from testbed.spark_operator.application import DRIVER_CONTAINER
from testbed.spark_operator.process import StartOperator
from testbed.spark_operator.spark_submit import command_line
from testbed.spark_operator.submission import Submission, submission_of


def test_the_light_spark_submit_makes_what_sparks_own_makes(
    plane: Cluster, chart: OperatorChart, alone: Applications, tmp_path: Path
) -> None:
    # one owner for both, so that it can be compared; no operator works here
    owner = alone.create(suspend=True).get()
    assert owner is not None
    environment = {**os.environ, "KUBECONFIG": str(chart.kubeconfig(plane))}
    found, properties = [], []
    for spark_home in (light_spark_home(tmp_path / "light"), pyspark_home(tmp_path / "own")):
        command = [
            str(spark_home / "bin" / "spark-submit"),
            *command_line(_submission(owner), master=plane.server, folder=tmp_path),
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.append(_objects(alone))
        properties.append(_properties(alone))
        alone.client.delete("v1", "Pod", "same-driver", alone.namespace, grace_period_seconds=0)
    assert found[0] == found[1]
    # a real driver that is told this makes its executors; Spark's own says more
    assert properties[0].items() <= properties[1].items()


@pytest.mark.real_operator
def test_a_job_that_sparks_own_spark_submit_sends_runs_to_its_end_with_the_templates_finalizer(
    alone: Applications, start_operator: StartOperator, tmp_path: Path
) -> None:
    operator = start_operator({}, spark_home=pyspark_home(tmp_path))
    app = alone.create(template={"finalizers": [FINALIZER]})
    app.wait("SUBMITTED", seconds=120)
    pod = app.run_driver()
    assert pod["metadata"]["finalizers"] == [FINALIZER]
    assert pod["spec"]["schedulerName"] == "nobody"
    app.wait_executors(1)
    app.delete_pod()
    app.succeed()
    app.wait("COMPLETED")
    assert "forbidden" not in operator.log().lower()


def _submission(owner: dict[str, Any]) -> Submission:
    """A submission with everything that Moka's specifications use."""
    spec = default_spec()
    template = pod_template(
        DRIVER_CONTAINER,
        priorityClassName="moka-tier3-driver",
        tolerations=[{"key": "moka.dev/role", "operator": "Equal", "value": "driver", "effect": "NoSchedule"}],
    )
    template["metadata"] = {"annotations": {"from": "template"}, "labels": {"from": "template"}}
    spec["driver"] = {
        **spec["driver"],
        "memory": "1g",
        "memoryOverhead": None,
        "coreLimit": "1200m",
        "labels": {"archer.moka.dev/job-id": "j-1"},
        "annotations": {"yunikorn.apache.org/queue": "root.shared"},
        "envVars": {"TZ": "UTC"},
        "template": template,
    }
    spec["sparkConf"] = {"spark.sql.shuffle.partitions": "10", "spark.kubernetes.driver.node.selector.role": "driver"}
    spec["arguments"] = ["1000", "--flag"]
    metadata = {**owner["metadata"], "name": "same", "labels": {"queue": "root.shared"}}
    submission = submission_of({"metadata": metadata, "spec": spec, "status": {"submissionID": "one"}})
    # the owner is another application, so that the collector leaves the pods alone
    for part in (submission.driver_template, submission.executor_template):
        part["metadata"]["ownerReferences"][0]["name"] = owner["metadata"]["name"]
    return submission


def _objects(alone: Applications) -> dict[str, Any]:
    """What the submission made, without what differs from run to run."""
    (pod,) = alone.client.list("v1", "Pod", alone.namespace)
    uid = pod["metadata"]["uid"]
    owned = {
        kind: [
            manifest
            for manifest in alone.client.list("v1", kind, alone.namespace)
            if any(owner["uid"] == uid for owner in manifest["metadata"].get("ownerReferences", ()))
        ]
        for kind in ("Service", "ConfigMap")
    }
    (service,) = owned["Service"]
    return {"pod": _pod(pod), "service": _service(service), "maps": sorted(map(_config_map, owned["ConfigMap"]))}


def _properties(alone: Applications) -> dict[str, str]:
    """What the driver reads, without what differs from run to run."""
    (text,) = (
        manifest["data"]["spark.properties"]
        for manifest in alone.client.list("v1", "ConfigMap", alone.namespace)
        if "spark.properties" in manifest.get("data", {})
    )
    lines = [line.partition("=") for line in text.splitlines() if line and not line.startswith("#")]
    found = {key: re.sub(r"\\(.)", r"\1", value) for key, _, value in lines}
    # whom spark-submit asked; a driver in a pod asks `spark.kubernetes.driver.master`
    del found["spark.master"]
    return found | {key: re.sub("[0-9a-f]{16,}", "*", found[key]) for key in ("spark.app.id", "spark.driver.host")}


def _pod(pod: dict[str, Any]) -> dict[str, Any]:
    metadata, spec = pod["metadata"], pod["spec"]
    (container,) = spec["containers"]
    kept = ("nodeSelector", "priorityClassName", "restartPolicy", "schedulerName", "securityContext", "tolerations")
    return {
        "labels": {key: value for key, value in metadata["labels"].items() if key != "spark-app-selector"},
        "selector": metadata["labels"]["spark-app-selector"][:6],
        "annotations": metadata["annotations"],
        "owners": metadata["ownerReferences"],
        **{field: spec.get(field) for field in (*kept, "serviceAccountName")},
        "volumes": sorted(_without_digits(volume["name"]) for volume in spec["volumes"]),
        "container": {
            **{field: container.get(field) for field in ("name", "image", "imagePullPolicy", "args", "resources")},
            "env": sorted(entry["name"] for entry in container["env"]),
            "ports": sorted((port["name"], port["containerPort"]) for port in container["ports"]),
            "mounts": sorted(_without_digits(mount["name"]) for mount in container["volumeMounts"]),
        },
    }


def _service(service: dict[str, Any]) -> dict[str, Any]:
    spec = service["spec"]
    return {
        "headless": spec["clusterIP"],
        "ports": sorted((port["name"], port["port"]) for port in spec["ports"]),
        "selector": sorted(spec["selector"]),
        "labels": sorted(service["metadata"].get("labels", {})),
        "name": service["metadata"]["name"].endswith("-driver-svc"),
    }


def _config_map(config_map: dict[str, Any]) -> tuple[str, bool]:
    """Its name without the digits of chance, and whether it may change."""
    return re.sub("-[0-9a-f]{8,}-", "-*-", config_map["metadata"]["name"]), bool(config_map.get("immutable"))


def _without_digits(name: str) -> str:
    return "kube-api-access" if name.startswith("kube-api-access") else name
