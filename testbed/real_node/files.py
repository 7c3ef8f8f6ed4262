"""The configuration files and command lines of what runs on a node: containerd, the bridge network, kubelet, kube-proxy, CoreDNS.

Every one with its reason where it is not the default; tried on a machine with cgroup v1, without systemd, and without
CAP_SYS_RESOURCE.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

NODE: Final = "node1"
BRIDGE: Final = "spk0"
ADDRESS: Final = "10.244.0.1"
"""At once the pods' gateway, the node's address, the API server's and the DNS server's."""
POD_CIDR: Final = "10.244.0.0/24"
SERVICE_CIDR: Final = "10.97.0.0/16"
DNS_SERVICE: Final = "10.97.0.10"
DNS_PORT: Final = 5353
DOMAIN: Final = "cluster.local"
PAUSE: Final = "localhost/moka-testbed-pause:1"
CNI_PROGRAMS: Final = Path("/usr/lib/cni")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the files of one node are; all below the testbed's folder."""

    folder: Path
    cgroup: str
    """Name of the node's own cgroup, at the root of every hierarchy."""

    @property
    def socket(self) -> Path:
        return self.folder / "containerd.sock"

    @property
    def logs(self) -> Path:
        return self.folder / "pod-logs"

    def below(self, name: str) -> Path:
        """A folder, made if need be."""
        path = self.folder / name
        path.mkdir(exist_ok=True)
        return path


def containerd_command(places: Places) -> list[str | Path]:
    """containerd 1.6, as Debian 12 packages it, and 1.7; writes its file and the network's."""
    network = places.below("cni")
    (network / "10-bridge.conflist").write_text(json.dumps(_network(places), indent=1), encoding="utf-8")
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    text = f"""
version = 2
root = "{places.folder}/containerd"
state = "{places.folder}/containerd-state"
[grpc]
address = "{places.socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{places.folder}/opt"
[{cri}]
sandbox_image = "{PAUSE}"
# without CAP_SYS_RESOURCE a lower score than one's own is refused, and every sandbox with it
restrict_oom_score_adj = true
[{cri}.containerd]
snapshotter = "overlayfs"
[{cri}.cni]
bin_dir = "{CNI_PROGRAMS}"
conf_dir = "{network}"
"""
    file = places.folder / "containerd.toml"
    file.write_text(text, encoding="utf-8")
    return ["containerd", "--config", file]


def _network(places: Places) -> dict[str, Any]:
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": POD_CIDR, "rangeStart": "10.244.0.10"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": str(places.folder / "addresses"),
        },
    }
    return {
        "cniVersion": "1.0.0",
        "name": "testbed",
        "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }


def kubelet_command(places: Places, program: Path, kubeconfig: Path, authority: Path) -> list[str | Path]:
    """kubelet; its callers are known by certificate or token, and asked of the API server, as on EKS."""
    resolver = places.folder / "resolv.conf"
    resolver.write_text("# pods ask the cluster's DNS; nobody is asked beyond it\n", encoding="utf-8")
    configuration = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(authority)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{places.socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{places.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": DOMAIN,
        "resolvConf": str(resolver),
        "podLogsDir": str(places.logs),
        "healthzPort": 0,
        # the machine's disk is its owner's business
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi"},
        "registerWithTaints": [],
    }
    file = places.folder / "kubelet.yaml"
    file.write_text(yaml.safe_dump(configuration, sort_keys=False), encoding="utf-8")
    return [
        program,
        f"--config={file}",
        f"--kubeconfig={kubeconfig}",
        f"--root-dir={places.folder}/kubelet",
        f"--cert-dir={places.folder}/kubelet-pki",
        f"--volume-plugin-dir={places.folder}/volume-plugins",
        f"--hostname-override={NODE}",
        f"--node-ip={ADDRESS}",
    ]


def kube_proxy_command(program: Path, kubeconfig: Path) -> list[str | Path]:
    """kube-proxy; what it would set for the whole machine is left alone."""
    return [
        program,
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={NODE}",
        "--proxy-mode=iptables",
        "--iptables-localhost-nodeports=false",
        # pods answer each other over the bridge, past the rules, unless everything seems to come from the node
        "--masquerade-all=true",
        "--conntrack-max-per-core=0",
        "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
    ]


def coredns_command(places: Places, program: Path, kubeconfig: Path) -> list[str | Path]:
    """CoreDNS, on the node's own address; the Service kube-dns leads there."""
    file = places.folder / "Corefile"
    text = f"""
.:{DNS_PORT} {{
    bind {ADDRESS}
    errors
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig}
    }}
}}
"""
    file.write_text(text, encoding="utf-8")
    return [program, f"-conf={file}"]


def dns_objects() -> list[dict[str, Any]]:
    """The Service kube-dns and the endpoints behind it, and what the DNS server may read."""
    where = {"name": "kube-dns", "namespace": "kube-system"}
    label = {"kubernetes.io/service-name": "kube-dns", "endpointslice.kubernetes.io/managed-by": "testbed.moka.dev"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": DNS_USER}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": where,
            "spec": {
                "clusterIP": DNS_SERVICE,
                "ports": [
                    {"name": "dns", "port": 53, "targetPort": DNS_PORT, "protocol": "UDP"},
                    {"name": "dns-tcp", "port": 53, "targetPort": DNS_PORT, "protocol": "TCP"},
                ],
            },
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**where, "labels": label},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": True}}],
            "ports": [
                {"name": "dns", "port": DNS_PORT, "protocol": "UDP"},
                {"name": "dns-tcp", "port": DNS_PORT, "protocol": "TCP"},
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": DNS_USER},
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["endpoints", "services", "pods", "namespaces"],
                    "verbs": ["list", "watch"],
                },
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": DNS_USER},
            "roleRef": role,
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": DNS_USER}],
        },
    ]


DNS_USER: Final = "testbed:coredns"
