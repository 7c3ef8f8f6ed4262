"""The command lines of etcd, API server, controller-manager and scheduler, as close to EKS as one machine allows.

EKS does not publish its flags; what it documents is kept: RBAC behind the node authorizer, its admission plugins beyond the
defaults, tokens signed with RS256, privileged pods allowed by the server and judged by Pod Security.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from testbed import kubeconfig, pki

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ADMISSION_PLUGINS: Final = ("NodeRestriction", "ExtendedResourceToleration", "DenyServiceExternalIPs")
"""On top of Kubernetes' own defaults, which hold PodSecurity, LimitRanger, ResourceQuota, Priority and both webhook plugins."""
ISSUER: Final = "https://kubernetes.default.svc.cluster.local"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a control plane may be started with; the defaults fit tests on loopback."""

    scheduler: bool = True
    """Whether kube-scheduler runs; without it, pods stay where `spec.nodeName` says, or Pending."""
    terminated_pod_gc_threshold: int = 12_500
    """Finished pods that the controller-manager keeps; a small number shows what premature cleanup does."""
    scheduler_names: tuple[str, ...] = ("default-scheduler",)
    """Names that kube-scheduler answers to. With `yunikorn` among them it places the pods of Archer's jobs, without queues."""
    scheduler_scores: str = "MostAllocated"
    """How kube-scheduler packs, as our EKS clusters are set."""
    address: str = "127.0.0.1"
    """Where the API server listens; etcd stays on loopback."""
    service_cidr: str = "10.96.0.0/16"
    names: tuple[str, ...] = ()
    """More names and addresses for the API server's certificate."""
    enter: tuple[str, ...] = ()
    """Words before every command, such as ("nsenter", "--net=/var/run/netns/NAME"): all programs run there."""
    api_server: Mapping[str, str] = field(default_factory=dict)
    """Flags of kube-apiserver without dashes; they win over ours."""
    controller_manager: Mapping[str, str] = field(default_factory=dict)
    """Likewise for kube-controller-manager."""

    @property
    def service_address(self) -> str:
        """The address of the Service `kubernetes`: the first of the range."""
        return str(ipaddress.ip_network(self.service_cidr)[1])


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Files, ports and settings that the command lines are made of."""

    folder: Path
    settings: Settings
    etcd_port: int
    api_port: int
    issuer: pki.Authority
    """Signs certificates of whoever else is to be known to the cluster: a kubelet, a person of a group."""
    etcd_authority: pki.Pair
    etcd_server: pki.Pair
    etcd_client: pki.Pair
    api_server: pki.Pair
    kubelet_client: pki.Pair
    token_key: Path
    token_public_key: Path
    identities: Mapping[str, pki.Pair]
    """admin, controller-manager, scheduler."""

    @property
    def server(self) -> str:
        """The API server's address."""
        address = self.settings.address
        return f"https://[{address}]:{self.api_port}" if ":" in address else f"https://{address}:{self.api_port}"

    @property
    def etcd(self) -> str:
        """etcd's address."""
        return f"https://127.0.0.1:{self.etcd_port}"

    @property
    def authority(self) -> pki.Pair:
        """The certificate and key of the cluster's authority."""
        return self.issuer.pair

    def kubeconfig(self, who: str, context: str, pair: pki.Pair | None = None) -> Path:
        """Write the kubeconfig of one of `identities`, or of the owner of another pair; return its path."""
        return kubeconfig.write(
            self.folder / f"{who}.kubeconfig",
            context=context,
            server=self.server,
            authority=self.authority.certificate,
            user=pair or self.identities[who],
        )


def prepare(folder: Path, settings: Settings, *, etcd_port: int, api_port: int) -> Ground:
    """Write all keys and certificates into `folder`."""
    cluster, etcd = pki.Authority(folder, "ca"), pki.Authority(folder, "etcd-ca")
    private, public = pki.token_keys(folder)
    service_names = [f"kubernetes{rest}" for rest in ("", ".default", ".default.svc", ".default.svc.cluster.local")]
    hosts = ["localhost", "127.0.0.1", settings.address, settings.service_address, *service_names, *settings.names]
    return Ground(
        folder=folder,
        settings=settings,
        etcd_port=etcd_port,
        api_port=api_port,
        issuer=cluster,
        etcd_authority=etcd.pair,
        etcd_server=etcd.server("etcd", ["localhost", "127.0.0.1"]),
        etcd_client=etcd.client("etcd-client", user="kube-apiserver"),
        api_server=cluster.server("kube-apiserver", list(dict.fromkeys(hosts))),
        kubelet_client=cluster.client(
            "kubelet-client", user="kube-apiserver-kubelet-client", groups=["system:masters"]
        ),
        token_key=private,
        token_public_key=public,
        identities={
            "admin": cluster.client("admin", user="moka-testbed-admin", groups=["system:masters"]),
            "controller-manager": cluster.client("controller-manager", user="system:kube-controller-manager"),
            "scheduler": cluster.client("scheduler", user="system:kube-scheduler"),
        },
    )


def etcd_flags(ground: Ground) -> list[str]:
    """etcd: one member, TLS with client certificates, no fsync, for its data dies with the testbed."""
    return _flags(
        {
            "name": "testbed",
            "data-dir": ground.folder / "etcd",
            "listen-client-urls": ground.etcd,
            "advertise-client-urls": ground.etcd,
            # a single member has no peers; the kernel picks the port
            "listen-peer-urls": "http://127.0.0.1:0",
            "initial-advertise-peer-urls": "http://127.0.0.1:0",
            "initial-cluster": "testbed=http://127.0.0.1:0",
            "cert-file": ground.etcd_server.certificate,
            "key-file": ground.etcd_server.key,
            "client-cert-auth": "true",
            "trusted-ca-file": ground.etcd_authority.certificate,
            "unsafe-no-fsync": "true",
            "quota-backend-bytes": str(8 * 1024**3),
            "log-level": "warn",
        }
    )


def api_server_flags(ground: Ground) -> list[str]:
    """kube-apiserver."""
    settings = ground.settings
    loopback = ipaddress.ip_address(settings.address).is_loopback
    return _flags(
        {
            "bind-address": settings.address,
            "advertise-address": settings.address,
            "secure-port": str(ground.api_port),
            # the Service `kubernetes` may not have a loopback address as endpoint; nothing here runs in a pod's network
            **({"endpoint-reconciler-type": "none"} if loopback else {}),
            "etcd-servers": ground.etcd,
            "etcd-cafile": ground.etcd_authority.certificate,
            "etcd-certfile": ground.etcd_client.certificate,
            "etcd-keyfile": ground.etcd_client.key,
            "tls-cert-file": ground.api_server.certificate,
            "tls-private-key-file": ground.api_server.key,
            "client-ca-file": ground.authority.certificate,
            "kubelet-client-certificate": ground.kubelet_client.certificate,
            "kubelet-client-key": ground.kubelet_client.key,
            "kubelet-preferred-address-types": "InternalIP",
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": ",".join(ADMISSION_PLUGINS),
            "allow-privileged": "true",
            "service-account-issuer": ISSUER,
            "service-account-signing-key-file": ground.token_key,
            "service-account-key-file": ground.token_public_key,
            "service-cluster-ip-range": settings.service_cidr,
            "profiling": "false",
            **settings.api_server,
        }
    )


def controller_manager_flags(ground: Ground, context: str) -> list[str]:
    """kube-controller-manager: each controller with its own service account, so that RBAC holds for them too."""
    return _flags(
        {
            "kubeconfig": ground.kubeconfig("controller-manager", context),
            "use-service-account-credentials": "true",
            "service-account-private-key-file": ground.token_key,
            "root-ca-file": ground.authority.certificate,
            "cluster-signing-cert-file": ground.authority.certificate,
            "cluster-signing-key-file": ground.authority.key,
            "service-cluster-ip-range": ground.settings.service_cidr,
            "terminated-pod-gc-threshold": str(ground.settings.terminated_pod_gc_threshold),
            # one of each: no election; and no port, so that any number run on one machine
            "leader-elect": "false",
            "secure-port": "0",
            "kube-api-qps": "200",
            "kube-api-burst": "400",
            **ground.settings.controller_manager,
        }
    )


def scheduler_flags(ground: Ground, context: str) -> list[str]:
    """kube-scheduler, with its configuration file."""
    score: dict[str, Any] = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "NodeResourcesFitArgs",
        "scoringStrategy": {
            "type": ground.settings.scheduler_scores,
            "resources": [{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1}],
        },
    }
    configuration = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {"kubeconfig": str(ground.kubeconfig("scheduler", context)), "qps": 200, "burst": 400},
        "profiles": [
            {"schedulerName": name, "pluginConfig": [{"name": "NodeResourcesFit", "args": score}]}
            for name in ground.settings.scheduler_names
        ],
    }
    path = ground.folder / "scheduler.yaml"
    path.write_text(yaml.safe_dump(configuration, sort_keys=False), encoding="utf-8")
    return _flags({"config": path, "secure-port": "0"})


def _flags(values: Mapping[str, str | Path]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]
