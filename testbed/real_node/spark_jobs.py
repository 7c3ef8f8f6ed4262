"""Spark jobs on a real node by Spark's own spark-submit, in cluster mode, without any operator.

Pods are those that the restricted profile admits. The kubeconfig is of whoever submits, the operator's account for example:
a driver's own may not, for it makes no Service.
"""

from __future__ import annotations

import copy
import json
import os
import secrets
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from k8s_manifests.pods import CONTAINER_SECURITY, pod_security
from testbed.cluster import clean_environment
from testbed.real_node.image import SPARK
from testbed.real_node.layers import USER_ID
from testbed.spark_applications import DRIVER, EXECUTOR, pod_template
from testbed.spark_home import pyspark_home

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from testbed.kubernetes import Client, Manifest
    from testbed.real_node.node import RealNode

PI: Final = "local:///opt/spark/examples/src/main/python/pi.py"
SCRIPT: Final = "local:///opt/script/main.py"
"""Where the text given as `script` is."""
SECONDS: Final = 480.0
"""How long a job may take on a machine that is busy; an idle one needs some 20."""
SETTINGS: Final = {
    "spark.driver.memory": "512m",
    "spark.executor.memory": "512m",
    "spark.executor.instances": "1",
    "spark.kubernetes.driver.request.cores": "100m",
    "spark.kubernetes.executor.request.cores": "100m",
    "spark.kubernetes.executor.deleteOnTermination": "false",
    "spark.kubernetes.container.image": SPARK,
    "spark.kubernetes.authenticate.driver.serviceAccountName": "spark",
    "spark.kubernetes.submission.waitAppCompletion": "false",
    "spark.ui.enabled": "false",
}


class SparkJobs:
    """Submits jobs into one namespace of the node's cluster."""

    def __init__(self, node: RealNode, namespace: str, kubeconfig: Path) -> None:
        self.client: Client = node.plane.client()
        self.namespace = namespace
        self._node = node
        self._kubeconfig = kubeconfig
        self._program = pyspark_home(node.keeper.folder / "submit-home") / "bin" / "spark-submit"

    def submit(
        self,
        *,
        script: str | None = None,
        arguments: tuple[str, ...] = (),
        conf: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        read_only_root: bool = False,
    ) -> Job:
        """Submit pi.py, or the text of another script; `metadata` is of the driver pod's template."""
        name = f"job-{secrets.token_hex(4)}"
        driver = spark_template(
            DRIVER, script=name if script else None, metadata=metadata, read_only_root=read_only_root
        )
        executor = spark_template(EXECUTOR, read_only_root=read_only_root)
        if script:
            self.add_script(name, script)
        own = {
            "spark.kubernetes.namespace": self.namespace,
            "spark.kubernetes.driver.pod.name": f"{name}-driver",
            "spark.kubernetes.executor.podNamePrefix": name,
            "spark.kubernetes.driver.podTemplateFile": self._template(f"{name}-driver", driver),
            "spark.kubernetes.executor.podTemplateFile": self._template(f"{name}-executor", executor),
        }
        words = [f"--conf={key}={value}" for key, value in {**SETTINGS, **own, **(conf or {})}.items()]
        where = [f"--master=k8s://{self._node.plane.server}", "--deploy-mode=cluster", f"--name={name}"]
        environment = {**clean_environment(), "KUBECONFIG": str(self._kubeconfig)}
        done = subprocess.run(
            [*self._node.enter_network, self._program, *where, *words, SCRIPT if script else PI, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("\tat "))
        assert done.returncode == 0, f"spark-submit ended with {done.returncode}: {said[-3000:]}"
        return Job(self.client, self.namespace, name)

    def add_script(self, name: str, script: str) -> None:
        """Make the ConfigMap that a template of `spark_template(script=name)` mounts."""
        metadata = {"name": name, "namespace": self.namespace}
        self.client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"main.py": script}})

    def _template(self, name: str, template: Manifest) -> str:
        path = self._node.keeper.folder / f"{name}.json"
        # JSON is YAML
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", **template}), encoding="utf-8")
        return os.fspath(path)


@dataclass(frozen=True)
class Job:
    """One job's pods."""

    client: Client
    namespace: str
    name: str

    def driver(self) -> Manifest:
        """The driver pod."""
        return self.client.get("v1", "Pod", f"{self.name}-driver", self.namespace)

    def executors(self) -> list[Manifest]:
        """The executor pods that are there, in the order of their number."""
        pods = self.client.list("v1", "Pod", self.namespace, labelSelector="spark-role=executor")
        mine = [pod for pod in pods if pod["metadata"]["name"].startswith(f"{self.name}-exec-")]
        return sorted(mine, key=lambda pod: int(pod["metadata"]["labels"]["spark-exec-id"]))

    def wait_end(self) -> Manifest:
        """Wait until the driver and its executors have ended; returns the driver pod."""
        wait_until(lambda: has_ended(self.driver()), lambda: f"{self.name} ended: {self._state()}")
        wait_until(
            lambda: all(has_ended(pod) for pod in self.executors()), lambda: f"its executors ended: {self._state()}"
        )
        return self.driver()

    def log(self) -> str:
        """What the driver said."""
        return log(self.client, self.driver())

    def _state(self) -> str:
        pods = [self.driver(), *self.executors()]
        return f"{[(pod['metadata']['name'], pod['status']) for pod in pods]}\n{self.log()[-2000:]}"


def spark_template(
    container: str,
    *,
    script: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    read_only_root: bool = False,
) -> Manifest:
    """The pod template that the restricted profile admits; `script` names a ConfigMap with a main.py.

    With `read_only_root` pod and container have the whole security context of the charts' own pods.
    """
    template = copy.deepcopy(pod_template(container, schedulerName="default-scheduler"))
    template["metadata"].update(metadata or {})
    if script:
        template["spec"]["volumes"] = [{"name": "script", "configMap": {"name": script}}]
        template["spec"]["containers"][0]["volumeMounts"] = [{"name": "script", "mountPath": "/opt/script"}]
    if read_only_root:
        template["spec"]["securityContext"] = pod_security(USER_ID)
        template["spec"]["containers"][0]["securityContext"] = dict(CONTAINER_SECURITY)
    return template


def has_ended(pod: Manifest) -> bool:
    """Whether kubelet has said the last word about the pod."""
    return pod["status"]["phase"] in {"Succeeded", "Failed"}


def end_of(pod: Manifest) -> tuple[str, int, str]:
    """The pod's phase, and exit code and reason of its one container."""
    (status,) = pod["status"]["containerStatuses"]
    terminated = status["state"]["terminated"]
    return pod["status"]["phase"], terminated["exitCode"], terminated["reason"]


def log(client: Client, pod: Manifest) -> str:
    """The pod's log, from the kubelet through the API server."""
    metadata = pod["metadata"]
    return str(client.request("GET", f"{client.path('v1', 'Pod', metadata['name'], metadata['namespace'])}/log"))


def wait_until(condition: Callable[[], bool], what: Callable[[], str], seconds: float = SECONDS) -> None:
    """Wait; fails with `what` when it takes longer."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what()}")
        time.sleep(0.3)
