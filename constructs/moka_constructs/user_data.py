"""What a node is told at its first boot: NodeConfig for Amazon Linux 2023, settings for Bottlerocket.

EKS merges a managed node group's user data with its own part (cluster name, endpoint, labels), so only what Moka decides
is here. Pure functions of props: the text is part of a driver group's name, and must not change by itself.

Sources: https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/ and
https://bottlerocket.dev/en/os/latest/api/settings/kubernetes/
"""

import dataclasses
import json
from typing import Any, Literal

OperatingSystem = Literal["al2023", "bottlerocket"]

SYSTEM_RESERVED = {"cpu": "100m", "memory": "256Mi"}
"""For systemd, sshd's absence notwithstanding, and the SSM agent."""
EVICTION_HARD = {"memory.available": "200Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%"}
"""Twice Kubernetes' 100 MiB: a Spark executor allocates that much between two of kubelet's looks."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NodeSettings:
    """What differs between nodes."""

    operating_system: OperatingSystem
    max_pods: int
    """Pods per node; prefix delegation makes room for them."""
    vcpus: int
    """vCPU of the instance types, for kubelet's own reserve."""
    nvme_raid0: bool
    """Whether the instance store becomes one array that carries kubelet, containerd and so every emptyDir."""


def user_data(settings: NodeSettings) -> str:
    """Return the user data as plain text; EC2 wants it in base64."""
    return _node_config(settings) if settings.operating_system == "al2023" else _bottlerocket(settings)


def kube_reserved(settings: NodeSettings) -> dict[str, str]:
    """Return what kubelet and containerd keep: CPU by vCPU in falling steps, memory by pods.

    The formula is the EKS AMI's own (255 MiB + 11 MiB a pod; 6%, 1%, 0.5%, 0.25% of a core), fed with our pod limit:
    https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/kubelet/config.go
    """
    per_core = [60, 10, 5, 5]
    millicores = sum(per_core[: settings.vcpus]) + 2.5 * max(0, settings.vcpus - len(per_core))
    return {"cpu": f"{int(millicores)}m", "memory": f"{255 + 11 * settings.max_pods}Mi"}


def _node_config(settings: NodeSettings) -> str:
    """Return a MIME document with one NodeConfig; JSON is YAML, and needs no YAML library."""
    kubelet: dict[str, Any] = {
        "maxPods": settings.max_pods,
        "kubeReserved": kube_reserved(settings),
        "systemReserved": SYSTEM_RESERVED,
        "evictionHard": EVICTION_HARD,
    }
    spec: dict[str, Any] = {"kubelet": {"config": kubelet}}
    if settings.nvme_raid0:
        spec["instance"] = {"localStorage": {"strategy": "RAID0"}}
    config = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": spec}
    lines = [
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="MOKA"',
        "",
        "--MOKA",
        "Content-Type: application/node.eks.aws",
        "",
        json.dumps(config, indent=2),
        "",
        "--MOKA--",
        "",
    ]
    return "\n".join(lines)


def _bottlerocket(settings: NodeSettings) -> str:
    """Return settings in TOML. Bootstrap commands bind the array where kubelet and containerd look for their data."""
    lines = ["[settings.kubernetes]", f"max-pods = {settings.max_pods}"]
    for table, values in (
        ("kube-reserved", kube_reserved(settings)),
        ("system-reserved", SYSTEM_RESERVED),
        ("eviction-hard", EVICTION_HARD),
    ):
        lines += ["", f"[settings.kubernetes.{table}]", *(f'"{key}" = "{value}"' for key, value in values.items())]
    if settings.nvme_raid0:
        bind = ["/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods"]
        commands = [
            ["apiclient", "ephemeral-storage", "init"],
            ["apiclient", "ephemeral-storage", "bind", "--dirs", *bind],
        ]
        lines += [
            "",
            "[settings.bootstrap-commands.instance-store]",
            f"commands = {json.dumps(commands)}",
            'mode = "always"',
            "essential = true",
        ]
    return "\n".join([*lines, ""])
