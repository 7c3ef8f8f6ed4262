"""What the operator's stand-in costs for one application, measured against one spark-submit of Spark's own.

A control plane, a node that pretends and the stand-in are started here; so many applications with a driver and an executor
each are made at once, and all must complete, each after one run. Core-seconds are compared, because they do not depend on what
else the machine does; applications a second are printed and not judged: most of that time is the API server's. Exits 1 when an
application fails or the limit is exceeded.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from environments import load
from environments.loading import FOLDER
from testbed.cluster import Cluster
from testbed.control_plane import ControlPlane
from testbed.nodes import OUTCOME, RUN_SECONDS, PretendedNodes
from testbed.operator_chart import OperatorChart
from testbed.spark_applications import API, DRIVER, EXECUTOR, KIND, default_spec, pod_template
from testbed.spark_home import pyspark_home
from testbed.spark_operator.process import OperatorProcess
from testbed.spark_operator.spark_submit import command_line
from testbed.spark_operator.submission import submission_of

LIMIT = 0.01
"""Most core-seconds that one application may cost the stand-in, in submissions of Spark's own."""
NAMESPACE = "spark-many"
NODE = "pretended"
FLAGS = {"kube-api-qps": "1000", "kube-api-burst": "2000", "record-events": "false"}
"""The chart's limits of requests are for one JVM at a time and more."""


def chart_of_many(folder: Path) -> OperatorChart:
    """The operator's chart for the test environment with one team whose quota holds everything."""
    document = json.loads(load("test").model_dump_json(exclude_unset=True))
    quota = {"vcores": 100_000, "memory_gib": 1_000_000, "pods": 100_000}
    document["teams"] = [{"name": "many", "queues": ["root.shared"], "submitters": ["everyone"], "quota": quota}]
    file = folder / (FOLDER / "test.yaml").name
    file.write_text(json.dumps(document))
    environment = load(file)
    return OperatorChart.of(environment, environment.clusters[0])


def specification() -> dict[str, Any]:
    """A job of a driver that runs for two seconds and one executor, submitted again when the quota says conflict."""
    place = {"schedulerName": "default-scheduler", "nodeSelector": {"kubernetes.io/hostname": NODE}}
    spec = default_spec()
    spec["driver"]["template"] = pod_template(DRIVER, **place)
    spec["driver"]["template"]["metadata"] = {"annotations": {OUTCOME: "succeed", RUN_SECONDS: "2"}}
    spec["executor"]["template"] = pod_template(EXECUTOR, **place)
    again = {"onSubmissionFailureRetries": 20, "onSubmissionFailureRetryInterval": 1}
    return {**spec, "restartPolicy": {"type": "OnFailure", **again}}


def node() -> dict[str, Any]:
    capacity = {"cpu": "100k", "memory": "1000Ti", "pods": "100k"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": NODE,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"kubernetes.io/hostname": NODE},
        },
        "status": {
            "capacity": capacity,
            "allocatable": capacity,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    }


def drive(cluster: Cluster, operator: OperatorProcess, number: int) -> tuple[float, float]:
    """Make so many applications and wait for their end; returns seconds and the stand-in's core-seconds.

    Ends the benchmark when one of them does not complete, or ran twice.
    """
    process, started, before = psutil.Process(operator.pid), time.monotonic(), _cores(operator.pid)
    spec = specification()
    with cluster.client() as client:
        for index in range(number):
            metadata = {"name": f"app-{index}", "namespace": NAMESPACE}
            client.create({"apiVersion": API, "kind": KIND, "metadata": metadata, "spec": spec})
        while True:
            apps = client.list(API, KIND, NAMESPACE)
            states = Counter(app.get("status", {}).get("applicationState", {}).get("state", "") for app in apps)
            if states["COMPLETED"] + states["FAILED"] == number:
                break
            if not process.is_running():
                sys.exit(f"the stand-in ended:\n{operator.log()[-2000:]}")
            time.sleep(2)
    if states["FAILED"] or any(app["status"]["executionAttempts"] != 1 for app in apps):
        sys.exit(f"not every application completed after one run: {dict(states)}")
    return time.monotonic() - started, _cores(operator.pid) - before


def sparks_own(cluster: Cluster, chart: OperatorChart, folder: Path) -> float:
    """Return the core-seconds of one spark-submit of PySpark's for the same job."""
    metadata = {"name": "sparks-own", "namespace": NAMESPACE, "uid": "00000000-0000-0000-0000-000000000000"}
    submission = submission_of({"metadata": metadata, "spec": specification(), "status": {"submissionID": "one"}})
    for template in (submission.driver_template, submission.executor_template):
        # nobody owns this one
        template["metadata"]["ownerReferences"].clear()
    command = [str(pyspark_home(folder) / "bin" / "spark-submit")]
    command += command_line(submission, master=cluster.server, folder=folder)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "KUBECONFIG": str(chart.kubeconfig(cluster))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"spark-submit ended with {done.returncode}:\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The operator's stand-in against a spark-submit of Spark's own.")
    parser.add_argument("--applications", type=int, default=200, help="how many to drive (default: 200)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ControlPlane() as cluster:
        chart = chart_of_many(Path(folder))
        chart.install(cluster)
        with PretendedNodes(cluster) as nodes, OperatorProcess(cluster, chart, flags=FLAGS) as operator:
            nodes.add([node()])
            own = sparks_own(cluster, chart, Path(folder))
            seconds, cores = drive(cluster, operator, options.applications)
    each = cores / options.applications
    print(f"applications            {options.applications:8d}, all completed after one run")
    print(f"applications a second   {options.applications / seconds:8.1f}")
    print(f"stand-in, each          {each:8.4f} core-seconds")
    print(f"spark-submit, one       {own:8.4f} core-seconds")
    print(f"ratio {each / own:.5f}, at most {LIMIT}: an application of the stand-in / a spark-submit of Spark's own")
    return 0 if each / own <= LIMIT else 1


def _cores(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
