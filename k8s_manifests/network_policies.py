"""Network policies of a team's namespace: everything is denied, then each flow that a Spark job needs is allowed.

Standard NetworkPolicies (https://kubernetes.io/docs/concepts/services-networking/network-policies/), which the VPC CNI
enforces. They cannot tell two jobs of one team apart: a namespace is one trust domain, as the driver's role is too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from environments.names import CELEBORN_NAMESPACE, SYSTEM_NAMESPACE
from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.celeborn_addresses import CELEBORN_MASTER_PORT
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


def pods_in(namespace: str, pod_labels: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """Return the pods of another namespace that carry `pod_labels` as a peer."""
    return (
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "podSelector": {"matchLabels": dict(pod_labels)},
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
class ClusterNetwork:
    """Addresses that pods of any namespace must reach."""

    control_plane_cidrs: tuple[str, ...]
    """Subnets of the API server's interfaces; webhooks are called from there."""
    endpoint_cidrs: tuple[str, ...]
    """Ranges of the VPC that hold interface endpoints of AWS services; none when all are reached over the internet."""
    load_balancer_cidrs: tuple[str, ...] = ()
    """Subnets of Archer's load balancer, and of its database."""


@dataclass(frozen=True, kw_only=True)
class JobNetwork(ClusterNetwork):
    """Addresses that jobs must reach, and who reaches them."""

    pod_identity: bool
    """Whether the namespace's service account gets its role from the Pod Identity agent."""
    metastore_cidrs: tuple[str, ...] = ()
    """Networks of the Hive metastore's servers."""
    metastore_ports: tuple[int, ...] = ()
    celeborn: bool = False
    """Whether the cluster runs Celeborn."""
    archer: bool = False
    """Whether Archer runs on this cluster, and so reaches drivers' pages directly."""


DNS: Final = Flow(
    direction="Egress", peers=pods_in("kube-system", {"k8s-app": "kube-dns"}), tcp_ports=(53,), udp_ports=(53,)
)
CELEBORN_WORKER_PORTS: Final = (9091, 9092, 9093, 9094)
"""rpc, fetch, push, replicate: fixed, because the defaults are random (https://celeborn.apache.org/docs/latest/configuration/)."""
SPARK_UI_PORT: Final = 4040
"""The driver's page, which also serves its metrics and its executors' (spark.ui.prometheus.enabled)."""
SCRAPER: Final = "moka.dev/scraper"
"""Label of a namespace whose pods may read metrics, value "true"; whoever installs a Prometheus puts it there."""


def api_server(network: ClusterNetwork) -> Flow:
    """Return the flow to the API server: its interfaces, and its Service's address."""
    peers = cidrs(*network.control_plane_cidrs, *KUBERNETES_SERVICE_ADDRESSES)
    return Flow(direction="Egress", peers=peers, tcp_ports=(443,))


def aws(network: ClusterNetwork, *, pod_identity: bool) -> tuple[Flow, ...]:
    """Return the flows to AWS: HTTPS outside private ranges, to interface endpoints, and to the Pod Identity agent if used."""
    peers = cidrs("0.0.0.0/0", excluding=PRIVATE_RANGES) + cidrs(*network.endpoint_cidrs)
    https = Flow(direction="Egress", peers=peers, tcp_ports=(443,))
    agent = Flow(direction="Egress", peers=cidrs(POD_IDENTITY_AGENT), tcp_ports=(80,))
    return (https, agent) if pod_identity else (https,)


def scraped(*ports: int) -> Flow:
    """Return the flow from whoever reads metrics."""
    peers = ({"namespaceSelector": {"matchLabels": {SCRAPER: "true"}}, "podSelector": {}},)
    return Flow(direction="Ingress", peers=peers, tcp_ports=ports)


def from_load_balancer(network: ClusterNetwork, *ports: int) -> Flow:
    """Return the flow from Archer's load balancer, which calls pods from addresses of its own."""
    return Flow(direction="Ingress", peers=cidrs(*network.load_balancer_cidrs), tcp_ports=ports)


def called_by_api_server(network: ClusterNetwork, port: int) -> Flow:
    """Return the flow of webhook calls to a pod's port."""
    return Flow(direction="Ingress", peers=cidrs(*network.control_plane_cidrs), tcp_ports=(port,))


def add_job_policies(chart: MokaChart, namespace: str, network: JobNetwork) -> None:
    """Add a job namespace's policies: deny all, then DNS, the API server, Spark among itself, AWS, and what the file has."""
    add_policy(chart, "default-deny", (), namespace=namespace)
    add_policy(chart, "allow-dns", (DNS,), namespace=namespace)
    add_policy(chart, "allow-api-server", (api_server(network),), namespace=namespace, pods=DRIVER_PODS)
    # block managers and the driver's RPC take free ports, so no port is named
    among = pods_here(SPARK_PODS)
    add_policy(
        chart,
        "allow-spark",
        (Flow(direction="Ingress", peers=among), Flow(direction="Egress", peers=among)),
        namespace=namespace,
        pods=SPARK_PODS,
    )
    flows = aws(network, pod_identity=network.pod_identity)
    add_policy(chart, "allow-aws", flows, namespace=namespace, pods=SPARK_PODS)
    if network.metastore_cidrs:
        metastore = Flow(
            direction="Egress", peers=cidrs(*network.metastore_cidrs), tcp_ports=tuple(network.metastore_ports)
        )
        add_policy(chart, "allow-catalog", (metastore,), namespace=namespace, pods=SPARK_PODS)
    if network.celeborn:
        peers = pods_in(CELEBORN_NAMESPACE, {labels.NAME: "celeborn"})
        ports = (CELEBORN_MASTER_PORT, *CELEBORN_WORKER_PORTS)
        celeborn = Flow(direction="Egress", peers=peers, tcp_ports=ports)
        add_policy(chart, "allow-celeborn", (celeborn,), namespace=namespace, pods=SPARK_PODS)
    if network.archer:
        archer = Flow(
            direction="Ingress", peers=pods_in(SYSTEM_NAMESPACE, {labels.NAME: "archer"}), tcp_ports=(SPARK_UI_PORT,)
        )
        add_policy(chart, "allow-archer", (archer,), namespace=namespace, pods=DRIVER_PODS)
    add_policy(chart, "allow-metrics", (scraped(SPARK_UI_PORT),), namespace=namespace, pods=DRIVER_PODS)


def add_component_policy(
    chart: MokaChart, name: str, flows: tuple[Flow, ...], *, namespace: str, pods: Mapping[str, str]
) -> None:
    """Add the policy of a component of the platform: DNS and `flows`, and nothing else in either direction.

    Probes need no flow: the kubelet of a pod's own node always reaches it.
    """
    spec: dict[str, Any] = {"podSelector": {"matchLabels": dict(pods)}, "policyTypes": ["Ingress", "Egress"]}
    ingress = [flow.manifest() for flow in flows if flow.direction == "Ingress"]
    egress = [flow.manifest() for flow in (DNS, *flows) if flow.direction == "Egress"]
    if ingress:
        spec["ingress"] = ingress
    spec["egress"] = egress
    chart.add(Kind.NETWORK_POLICY, name, {"spec": spec}, namespace=namespace)
