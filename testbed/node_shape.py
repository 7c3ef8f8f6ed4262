"""What a node of a pool looks like to Kubernetes: labels, taints, capacity and what is left of it for pods.

Pure functions of an environment. The arithmetic is kubelet's with the reserves that our nodes are told at boot; the one
guess is MEMORY_SHARE, for hypervisor and kernel take theirs before kubelet counts.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from environments import names
from environments.instances import InstanceType, instance_types
from k8s_manifests.placement import node_labels, node_taints

if TYPE_CHECKING:
    from environments.clusters import Cluster, Pool
    from environments.model import Environment
    from testbed.kubernetes import Manifest

MEMORY_SHARE: Final = 0.95
"""Of the type's memory that kubelet finds; an m8g.2xlarge's 32 GiB are 30.4 GiB then."""
FAKE: Final = {"kwok.x-k8s.io/node": "fake"}
"""Annotation of the nodes that kwok pretends to be."""
_MIB: Final = 2**20
_GIB: Final = 2**30


def node_manifest(
    environment: Environment, cluster: Cluster, pool: Pool, zone: str, number: int, *, kubelet_port: int = 0
) -> Manifest:
    """Return the Node, status included, that kubelet would register for node `number` of that pool and zone.

    Types of a pool take turns. `kubelet_port` is where the node answers for logs, 0 for nowhere.
    """
    kind = instance_types()[pool.instance_types[number % len(pool.instance_types)]]
    name = f"{pool.name}-{zone}-{number}"
    digest = hashlib.sha256(f"{environment.name}/{cluster.name}/{name}".encode()).hexdigest()[:17]
    capacity, allocatable = capacity_of(pool, kind), allocatable_of(pool, kind)
    status: dict[str, Any] = {
        "capacity": capacity,
        "allocatable": allocatable,
        "conditions": _conditions(),
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": name}],
        "nodeInfo": {
            "architecture": kind.architecture,
            "operatingSystem": "linux",
            "kubeletVersion": f"v{_kubelet_release(cluster, pool)}-eks-testbed",
            "containerRuntimeVersion": "containerd://2.1.0",
            "osImage": "Bottlerocket OS" if pool.operating_system == "bottlerocket" else "Amazon Linux 2023",
            "kernelVersion": "testbed",
            "bootID": digest,
            "machineID": digest,
            "systemUUID": digest,
            "kubeProxyVersion": "",
        },
    }
    if kubelet_port:
        status["daemonEndpoints"] = {"kubeletEndpoint": {"Port": kubelet_port}}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": labels_of(environment, pool, kind, zone, name),
            "annotations": dict(FAKE),
        },
        "spec": {
            "providerID": f"aws:///{zone}/i-{digest}",
            "taints": [dict(taint) for taint in node_taints(pool)],
        },
        "status": status,
    }


def labels_of(environment: Environment, pool: Pool, kind: InstanceType, zone: str, name: str) -> dict[str, str]:
    """Return the labels: ours, kubelet's, the cloud controller's and those of managed node groups."""
    return {
        **node_labels(pool),
        "kubernetes.io/hostname": name,
        "kubernetes.io/arch": kind.architecture,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": kind.name,
        "topology.kubernetes.io/region": environment.region,
        "topology.kubernetes.io/zone": zone,
        "topology.ebs.csi.aws.com/zone": zone,
        "eks.amazonaws.com/capacityType": pool.capacity.upper(),
        # the name of a real group ends in a hash that only a synth knows
        "eks.amazonaws.com/nodegroup": f"{names.node_group_prefix(pool.name).removeprefix('eks-')}{zone}-testbed",
    }


def capacity_of(pool: Pool, kind: InstanceType) -> dict[str, str]:
    """Return what kubelet finds on the machine."""
    return {
        "cpu": str(kind.vcpu),
        "memory": f"{int(kind.memory_mib * MEMORY_SHARE)}Mi",
        "ephemeral-storage": str(_disk_bytes(pool, kind)),
        "pods": str(pool.max_pods),
    }


def allocatable_of(pool: Pool, kind: InstanceType) -> dict[str, str]:
    """Return what pods may ask for: capacity without the reserves of kubelet, system and eviction."""
    # as `moka_constructs.user_data` tells the node; a test compares the two
    per_core = [60, 10, 5, 5]
    kube_cpu = int(sum(per_core[: kind.vcpu]) + 2.5 * max(0, kind.vcpu - len(per_core)))
    memory = int(kind.memory_mib * MEMORY_SHARE) - (255 + 11 * pool.max_pods) - 256 - 200
    return {
        "cpu": f"{kind.vcpu * 1000 - kube_cpu - 100}m",
        "memory": f"{memory}Mi",
        "ephemeral-storage": str(int(_disk_bytes(pool, kind) * 0.9)),
        "pods": str(pool.max_pods),
    }


def _disk_bytes(pool: Pool, kind: InstanceType) -> int:
    """The file system that kubelet and emptyDir are on; it keeps about 5% for itself."""
    raw = kind.nvme_gb * 10**9 if pool.nvme == "raid0" else pool.disk_gib * _GIB
    return int(raw * 0.95) // _MIB * _MIB


def _kubelet_release(cluster: Cluster, pool: Pool) -> str:
    """An AL2023 image is named after its kubelet, one of Bottlerocket after itself."""
    if pool.operating_system == "bottlerocket":
        return f"{cluster.kubernetes_version}.0"
    return pool.ami_release_version.split("-", maxsplit=1)[0]


def _conditions() -> list[dict[str, str]]:
    good = {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", "Ready": "True"}
    return [
        {"type": name, "status": status, "reason": "Testbed", "message": "a pretended node"}
        for name, status in good.items()
    ]
