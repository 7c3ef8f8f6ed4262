"""Nodes that pretend: kwok plays kubelet for nodes of a pool's real shape, beside any cluster.

Scheduler, quotas, taints and garbage collection are real; containers are not: a pod runs, ends or is killed as its
annotations say (`stages.yaml`). kwok is a program of this machine, not a pod, and ends with the cluster.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from moka.errors import BadInputError
from testbed.binaries import binaries
from testbed.control_plane import ControlPlane
from testbed.errors import CannotStartError
from testbed.kubernetes import ApiError
from testbed.node_shape import node_manifest
from testbed.pod_logs import LOG_ANNOTATION, PodLogs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from environments.clusters import Cluster as EnvironmentCluster
    from environments.clusters import Pool
    from environments.model import Environment
    from testbed.cluster import Cluster
    from testbed.kubernetes import Manifest

STAGES: Final = Path(__file__).with_name("stages.yaml")
OUTCOME: Final = "testbed.moka.dev/outcome"
RUN_SECONDS: Final = "testbed.moka.dev/run-seconds"
START_SECONDS: Final = "testbed.moka.dev/start-seconds"
EXIT_CODE: Final = "testbed.moka.dev/exit-code"
STOP_SECONDS: Final = "testbed.moka.dev/stop-seconds"
LOG: Final = LOG_ANNOTATION
"""Annotations that a pod ends by; what they mean stands in stages.yaml and in docs/guides/testbed.md."""
NOT_READY: Final = "node.kubernetes.io/not-ready"
_POD_CIDR: Final = "100.64.0.1/10"
_READY_SECONDS: Final = 180


class PretendedNodes:
    """kwok, and the nodes that it pretends to be; a context, or start() and stop()."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._client = cluster.client()
        self._logs: PodLogs | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start kwok. Raises CannotStartError."""
        cluster = self._cluster
        if isinstance(cluster, ControlPlane):
            self._logs = PodLogs(
                self._client, certificate=cluster.ground.api_server, authority=cluster.ground.authority.certificate
            )
        command = [
            str(binaries("kwok")["kwok"]),
            f"--kubeconfig={cluster.kubeconfig}",
            f"--config={STAGES}",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            "--node-ip=127.0.0.1",
            f"--cidr={_POD_CIDR}",
            # kubelet's lease: without it, nodes turn NotReady on a busy machine
            "--node-lease-duration-seconds=40",
        ]
        cluster.run("kwok", command)

    def stop(self) -> None:
        """Stop kwok; the nodes stay, and turn NotReady as nodes do whose kubelet is silent."""
        self._cluster.end("kwok")
        if self._logs is not None:
            self._logs.close()
            self._logs = None

    def add(self, manifests: Iterable[Manifest]) -> list[str]:
        """Make these nodes; returns their names once all are ready for pods."""
        made = [self._client.create(manifest)["metadata"]["name"] for manifest in manifests]
        self._wait_until_ready(set(made))
        return made

    def add_pool(
        self, environment: Environment, cluster: EnvironmentCluster, pool: Pool, *, per_zone: int = 1
    ) -> list[str]:
        """Make `per_zone` nodes of that pool in each of its zones; names go on where the last call ended."""
        port = self._logs.port if self._logs else 0
        present = {node["metadata"]["name"] for node in self._client.list("v1", "Node")}
        manifests = []
        for zone in environment.pool_zones(pool):
            number = 0
            for _ in range(per_zone):
                while f"{pool.name}-{zone}-{number}" in present:
                    number += 1
                manifest = node_manifest(environment, cluster, pool, zone, number, kubelet_port=port)
                present.add(manifest["metadata"]["name"])
                manifests.append(manifest)
        return self.add(manifests)

    def add_environment(
        self, environment: Environment, cluster_name: str | None = None, *, per_zone: Mapping[str, int] | None = None
    ) -> list[str]:
        """Make nodes of all pools of a cluster (the first by default): one per zone, or {pool: how many per zone}."""
        cluster = cluster_of(environment, cluster_name)
        counts = per_zone or {}
        return [
            name
            for pool in cluster.pools
            for name in self.add_pool(environment, cluster, pool, per_zone=counts.get(pool.name, 1))
        ]

    def remove(self, name: str) -> None:
        """Take the node away without a word, as when a machine dies: its pods are collected a minute later (PodGC)."""
        self._client.delete("v1", "Node", name)

    def interrupt(self, name: str, *, seconds: float = 120) -> None:
        """Take the node away as a managed node group does on a spot notice: cordon, evict, delete.

        Evictions that a disruption budget refuses are asked again for `seconds`; then the machine is gone all the same.
        """
        self._client.patch("v1", "Node", name, body={"spec": {"unschedulable": True}})
        deadline = time.monotonic() + seconds
        while (pods := self._evictable(name)) and time.monotonic() < deadline:
            for pod in pods:
                self._evict(pod)
            time.sleep(0.2)
        self.remove(name)

    def _evictable(self, node: str) -> list[Manifest]:
        """Pods that a drain waits for: not finished, and none of a DaemonSet's."""
        return [
            pod
            for pod in self._client.list("v1", "Pod", fieldSelector=f"spec.nodeName={node}")
            if pod["status"].get("phase") not in {"Succeeded", "Failed"}
            and not any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences", ()))
        ]

    def _evict(self, pod: Manifest) -> None:
        metadata = pod["metadata"]
        if "deletionTimestamp" in metadata:
            return
        path = self._client.path("v1", "Pod", metadata["name"], metadata["namespace"])
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        }
        try:
            self._client.request("POST", f"{path}/eviction", body)
        except ApiError as error:
            # 404: gone by itself; 429: a budget says not now
            if error.code not in {404, 429}:
                raise

    def _wait_until_ready(self, names: set[str]) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            nodes = [node for node in self._client.list("v1", "Node") if node["metadata"]["name"] in names]
            unready = {node["metadata"]["name"] for node in nodes if _tainted(node)}
            if len(nodes) == len(names) and not unready:
                return
            if time.monotonic() > deadline:
                raise CannotStartError(f"nodes were not ready within {_READY_SECONDS} s: {', '.join(sorted(unready))}")
            time.sleep(0.05)


def cluster_of(environment: Environment, name: str | None) -> EnvironmentCluster:
    """Return the environment's cluster of that name, the first for None. Raises BadInputError with those there are."""
    for cluster in environment.clusters:
        if name in {None, cluster.name}:
            return cluster
    known = ", ".join(cluster.name for cluster in environment.clusters)
    raise BadInputError(f"environment {environment.name} has no cluster {name!r}; it has {known}")


def _tainted(node: Manifest) -> bool:
    """Whether the controller-manager has not found the node ready yet."""
    return any(taint["key"] == NOT_READY for taint in node["spec"].get("taints", ()))
