"""Network policies of a team's namespace: everything is denied, then each flow that a Spark job needs is allowed.

Standard NetworkPolicies (https://kubernetes.io/docs/concepts/services-networking/network-policies/), which the VPC CNI
enforces. They cannot tell two jobs of one team apart: a namespace is one trust domain, as the driver's role is too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from k8s_manifests.base import MokaChart
from k8s_manifests.kinds import Kind

PRIVATE_RANGES: Final = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
)
"""What is not the internet: RFC 1918, shared, link-local (instance metadata!) and benchmarking addresses."""

KUBERNETES_SERVICE_ADDRESSES: Final = ("10.100.0.1/32", "172.20.0.1/32")
"""Address of the Service `kubernetes` in the two ranges that EKS chooses from: the CNI judges a packet before kube-proxy
rewrites it, so the control plane's own addresses are not enough.
https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html"""

POD_IDENTITY_AGENT: Final = "169.254.170.23/32"
"""Where the Pod Identity agent listens on each node: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html."""

SPARK_PODS: Final[dict[str, Any]] = {
    "matchExpressions": [{"key": "spark-role", "operator": "In", "values": ["driver", "executor"]}]
}
"""Drivers and executors, by the label that Spark itself sets."""

DRIVER_PODS: Final[dict[str, Any]] = {"matchLabels": {"spark-role": "driver"}}
"""Drivers: only they talk to the API server."""

Direction = Literal["Ingress", "Egress"]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What a policy allows, in one direction."""

    direction: Direction
    peers: tuple[dict[str, Any], ...]
    """NetworkPolicyPeers as Kubernetes writes them; see `cidrs`, `pods_here`, `pods_in`."""
    tcp_ports: tuple[int, ...] = ()
    """None and no UDP port: every port."""
    udp_ports: tuple[int, ...] = ()

    def manifest(self) -> dict[str, Any]:
        ports = [{"port": port, "protocol": "UDP"} for port in self.udp_ports]
        ports += [{"port": port, "protocol": "TCP"} for port in self.tcp_ports]
        side = "from" if self.direction == "Ingress" else "to"
        return {side: [dict(peer) for peer in self.peers], **({"ports": ports} if ports else {})}


def cidrs(*ranges: str, excluding: tuple[str, ...] = ()) -> tuple[dict[str, Any], ...]:
    """Return peers by address range, each without `excluding`, which must lie inside."""
    rest = {"except": list(excluding)} if excluding else {}
    return tuple({"ipBlock": {"cidr": block, **rest}} for block in ranges)


def pods_here(selector: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the pods of the policy's own namespace that `selector` matches as a peer."""
    return ({"podSelector": dict(selector)},)


def pods_in(namespace: str, labels: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """Return the pods of another namespace that carry `labels` as a peer."""
    return (
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "podSelector": {"matchLabels": dict(labels)},
        },
    )


def add_policy(
    chart: MokaChart, name: str, flows: tuple[Flow, ...], *, namespace: str, pods: Mapping[str, Any] | None = None
) -> None:
    """Add a policy for the pods that match `pods` (all by default); no flow at all denies everything."""
    spec: dict[str, Any] = {"podSelector": dict(pods or {})}
    directions: tuple[Direction, ...] = ("Ingress", "Egress")
    spec["policyTypes"] = [way for way in directions if not flows or any(flow.direction == way for flow in flows)]
    for way in directions:
        allowed = [flow.manifest() for flow in flows if flow.direction == way]
        if allowed:
            spec[way.lower()] = allowed
    chart.add(Kind.NETWORK_POLICY, name, {"spec": spec}, namespace=namespace)


@dataclass(frozen=True, kw_only=True)
class JobNetwork:
    """Addresses that jobs must reach."""

    control_plane_cidrs: tuple[str, ...]
    """Subnets of the API server's interfaces."""
    endpoint_cidrs: tuple[str, ...]
    """Ranges of the VPC that hold interface endpoints of AWS services; none when all are reached over the internet."""
    pod_identity: bool
    """Whether the namespace's service account gets its role from the Pod Identity agent."""


def add_job_policies(chart: MokaChart, namespace: str, network: JobNetwork) -> None:
    """Add a job namespace's policies: deny all, then DNS, the API server, Spark among itself, AWS."""
    add_policy(chart, "default-deny", (), namespace=namespace)
    dns = pods_in("kube-system", {"k8s-app": "kube-dns"})
    add_policy(
        chart,
        "allow-dns",
        (Flow(direction="Egress", peers=dns, tcp_ports=(53,), udp_ports=(53,)),),
        namespace=namespace,
    )
    api = cidrs(*network.control_plane_cidrs, *KUBERNETES_SERVICE_ADDRESSES)
    add_policy(
        chart,
        "allow-api-server",
        (Flow(direction="Egress", peers=api, tcp_ports=(443,)),),
        namespace=namespace,
        pods=DRIVER_PODS,
    )
    # block managers and the driver's RPC take free ports, so no port is named
    among = pods_here(SPARK_PODS)
    add_policy(
        chart,
        "allow-spark",
        (Flow(direction="Ingress", peers=among), Flow(direction="Egress", peers=among)),
        namespace=namespace,
        pods=SPARK_PODS,
    )
    aws = cidrs("0.0.0.0/0", excluding=PRIVATE_RANGES) + cidrs(*network.endpoint_cidrs)
    flows = [Flow(direction="Egress", peers=aws, tcp_ports=(443,))]
    if network.pod_identity:
        flows.append(Flow(direction="Egress", peers=cidrs(POD_IDENTITY_AGENT), tcp_ports=(80,)))
    add_policy(chart, "allow-aws", tuple(flows), namespace=namespace, pods=SPARK_PODS)
