"""The platform's own charts on the real node: one component's objects, as rendered, and what a person would look at."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from environments import load
from environments.names import SYSTEM_NAMESPACE
from k8s_manifests import build_charts
from testbed.binaries import CONTROL_PLANE, binaries
from testbed.real_node import files
from testbed.real_node.spark_jobs import log, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testbed.kubernetes import Client, Manifest
    from testbed.real_node.node import RealNode

KINDS = {"ServiceAccount", "ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "NetworkPolicy"}
"""What a Deployment needs and comes with. Left out: the migration's Job, and what binds pods to AWS's load balancer."""
READY_SECONDS = 240


def component(name: str) -> list[Manifest]:
    """The objects of these kinds of one component of the test environment, in order."""
    environment = load("test")
    (found,) = (each for each in build_charts(environment, environment.clusters[0]) if each.name == name)
    return [manifest for manifest in found.manifests if manifest["kind"] in KINDS]


def named(manifests: Iterable[Manifest], kind: str, name: str) -> Manifest:
    """The one of that kind and name."""
    (found,) = (each for each in manifests if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def be_a_system_node(client: Client) -> None:
    """Give the node the label of the pool that the platform's pods ask for."""
    client.patch("v1", "Node", files.NODE, body={"metadata": {"labels": {"moka.dev/role": "system"}}})


class Deployed:
    """One Deployment of the platform on the node, and its one pod."""

    def __init__(self, node: RealNode, manifest: Manifest) -> None:
        self._node = node
        self._client = node.plane.client()
        self.name: str = manifest["metadata"]["name"]
        self._selector = ",".join(
            f"{key}={value}" for key, value in manifest["spec"]["selector"]["matchLabels"].items()
        )

    def wait_available(self) -> Manifest:
        """Wait until the Deployment says that its pods are; returns the pod."""

        def available() -> bool:
            found = self._client.get("apps/v1", "Deployment", self.name, SYSTEM_NAMESPACE)
            return bool(found.get("status", {}).get("availableReplicas"))

        wait_until(available, self._state, READY_SECONDS)
        (pod,) = self._pods()
        return pod

    def inside(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the pod's container, as `kubectl exec` does."""
        (pod,) = self._pods()
        kubectl = [binaries(*CONTROL_PLANE)["kubectl"], f"--kubeconfig={self._node.plane.kubeconfig}"]
        where = ["exec", f"--namespace={SYSTEM_NAMESPACE}", pod["metadata"]["name"], "--"]
        command = [*self._node.enter_network, *kubectl, *where, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def get(self, path: str, *, token: str = "") -> tuple[int, Any]:
        """Ask the pod's port `http` from the node; returns status and decoded body."""
        (pod,) = self._pods()
        (container,) = pod["spec"]["containers"]
        (port,) = (each["containerPort"] for each in container["ports"] if each["name"] == "http")
        url = f"http://{pod['status']['podIP']}:{port}{path}"
        command = [*self._node.enter_network, sys.executable, "-I", "-c", _GET, url, token]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{path}: {done.stderr[-2000:]}"
        status, body = done.stdout.split(" ", 1)
        return int(status), json.loads(body)

    def delete(self) -> None:
        """Delete it and its pod, at once."""
        self._client.delete("apps/v1", "Deployment", self.name, SYSTEM_NAMESPACE, propagation="Background")
        for pod in self._pods():
            name = pod["metadata"]["name"]
            self._client.delete("v1", "Pod", name, SYSTEM_NAMESPACE, grace_period_seconds=0, missing_ok=True)

    def _pods(self) -> list[Manifest]:
        return self._client.list("v1", "Pod", SYSTEM_NAMESPACE, labelSelector=self._selector)

    def _state(self) -> str:
        pods = self._pods()
        events = self._client.list("v1", "Event", SYSTEM_NAMESPACE)
        said = [log(self._client, pod)[-3000:] for pod in pods if pod["status"]["phase"] == "Running"]
        return f"{self.name} is available: {[pod['status'] for pod in pods]}\n{[each['message'] for each in events]}\n{said}"


_GET = """
import sys, urllib.error, urllib.request
url, token = sys.argv[1:]
request = urllib.request.Request(url, headers={"Authorization": "Bearer " + token} if token else {})
try:
    answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read().decode())
"""


def ready(pod: Manifest) -> bool:
    """Whether kubelet's probes say so."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"]["conditions"])
