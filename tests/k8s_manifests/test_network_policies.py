"""Flows judged on the rendered policies by the rules of Kubernetes, not on how the policies are written."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from environments import Environment, load

CONTROL_PLANE = "10.40.2.5"
"""In dev's first control-plane subnet, 10.40.2.0/23."""


@dataclass(frozen=True, kw_only=True)
class End:
    """One end of a flow: a pod, or an address outside the cluster."""

    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None


DRIVER = End(namespace="spark-ads", labels={"spark-role": "driver"})
EXECUTOR = End(namespace="spark-ads", labels={"spark-role": "executor"})
STRANGER = End(namespace="spark-ads", labels={"app": "shell"})
OTHER_DRIVER = End(namespace="spark-shared", labels={"spark-role": "driver"})
DNS = End(namespace="kube-system", labels={"k8s-app": "kube-dns"})


def address(text: str) -> End:
    return End(address=text)


def _selected(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def _is_peer(peer: Mapping[str, Any], end: End, own_namespace: str) -> bool:
    if "ipBlock" in peer:
        if end.address is None:
            return False
        found = ipaddress.ip_address(end.address)
        block = peer["ipBlock"]
        excluded = any(found in ipaddress.ip_network(each) for each in block.get("except", ()))
        return found in ipaddress.ip_network(block["cidr"]) and not excluded
    if end.namespace is None:
        return False
    if "namespaceSelector" in peer:
        namespace_fits = _selected(peer["namespaceSelector"], {"kubernetes.io/metadata.name": end.namespace})
    else:
        namespace_fits = end.namespace == own_namespace
    return namespace_fits and _selected(peer.get("podSelector", {}), end.labels)


def _side_allows(policies: list[Any], way: str, pod: End, other: End, port: dict[str, Any]) -> bool:
    """Whether the pod's own policies let the flow pass; a pod that no policy selects is open."""
    direction, peers = ("Egress", "to") if way == "out" else ("Ingress", "from")
    own = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and direction in policy["spec"]["policyTypes"]
        and _selected(policy["spec"]["podSelector"], pod.labels)
    ]
    if not own:
        return True
    return any(
        any(_is_peer(peer, other, str(pod.namespace)) for peer in rule[peers])
        and ("ports" not in rule or port in rule["ports"])
        for spec in own
        for rule in spec.get(direction.lower(), ())
    )


def passes(rendered: Any, source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    policies = rendered.of_kind("NetworkPolicy")
    ports = {"port": port, "protocol": protocol}
    out = source.namespace is None or _side_allows(policies, "out", source, target, ports)
    into = target.namespace is None or _side_allows(policies, "in", target, source, ports)
    return out and into


@pytest.mark.parametrize(
    ("source", "target", "port", "protocol"),
    [
        pytest.param(DRIVER, DNS, 53, "UDP", id="driver asks DNS"),
        pytest.param(EXECUTOR, DNS, 53, "TCP", id="executor asks DNS by TCP"),
        pytest.param(DRIVER, address(CONTROL_PLANE), 443, "TCP", id="driver to the API server's interface"),
        pytest.param(DRIVER, address("172.20.0.1"), 443, "TCP", id="driver to the API server's Service"),
        pytest.param(DRIVER, EXECUTOR, 7079, "TCP", id="driver to executor"),
        pytest.param(EXECUTOR, DRIVER, 7078, "TCP", id="executor to driver"),
        pytest.param(EXECUTOR, EXECUTOR, 35001, "TCP", id="executor to executor: shuffle"),
        pytest.param(EXECUTOR, address("52.216.1.1"), 443, "TCP", id="executor to S3"),
        pytest.param(DRIVER, address("10.40.1.20"), 443, "TCP", id="driver to an interface endpoint: STS"),
    ],
)
def test_a_job_reaches_what_it_needs(dev: Any, source: End, target: End, port: int, protocol: str) -> None:
    assert passes(dev, source, target, port, protocol)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        pytest.param(EXECUTOR, address("172.20.0.1"), 443, id="executor to the API server"),
        pytest.param(DRIVER, address("169.254.169.254"), 80, id="driver to instance metadata"),
        pytest.param(DRIVER, address("169.254.170.23"), 80, id="driver to the Pod Identity agent under IRSA"),
        pytest.param(DRIVER, address("52.216.1.1"), 80, id="driver to the internet in clear text"),
        pytest.param(DRIVER, address("52.216.1.1"), 22, id="driver to the internet by SSH"),
        pytest.param(DRIVER, address("10.9.9.9"), 443, id="driver to another network of the company"),
        pytest.param(DRIVER, address("100.64.7.7"), 443, id="driver to a node's kubelet range by HTTPS"),
        pytest.param(DRIVER, address("100.64.7.7"), 10250, id="driver to a kubelet"),
        pytest.param(DRIVER, address(CONTROL_PLANE), 10250, id="driver to another port of the control plane"),
        pytest.param(DRIVER, OTHER_DRIVER, 7078, id="driver to another team's driver"),
        pytest.param(OTHER_DRIVER, EXECUTOR, 7079, id="another team's driver to an executor"),
        pytest.param(End(namespace="moka-yunikorn"), DRIVER, 4040, id="another namespace to a driver"),
        pytest.param(DRIVER, End(namespace="moka-operator"), 8080, id="driver to the operator"),
        pytest.param(DRIVER, End(namespace="moka-yunikorn"), 9080, id="driver to YuniKorn's REST interface"),
        pytest.param(DRIVER, End(namespace="kube-system", labels={"k8s-app": "other"}), 53, id="port 53 elsewhere"),
        pytest.param(DRIVER, DNS, 9153, id="driver to CoreDNS' metrics"),
        pytest.param(STRANGER, DRIVER, 4040, id="a pod of the namespace that is not Spark to a driver"),
        pytest.param(STRANGER, address("52.216.1.1"), 443, id="a pod that is not Spark to the internet"),
        pytest.param(DRIVER, STRANGER, 8080, id="driver to a pod that is not Spark"),
        pytest.param(address("10.40.1.20"), DRIVER, 4040, id="from the VPC to a driver's page"),
    ],
)
def test_a_job_reaches_nothing_else_and_nobody_reaches_it(dev: Any, source: End, target: End, port: int) -> None:
    assert not passes(dev, source, target, port)


def test_without_interface_endpoints_the_vpc_is_closed_but_for_the_control_plane(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    network = {**load("dev").network.model_dump(mode="json"), "interface_endpoints": []}
    rendered = render(dev_with(network=network))

    assert passes(rendered, DRIVER, address(CONTROL_PLANE), 443)
    assert not passes(rendered, DRIVER, address("10.40.1.20"), 443)


def test_in_an_existing_network_the_control_planes_own_subnets_are_reached(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    def subnet(number: int, zone: str, use: str) -> dict[str, str]:
        return {"id": f"subnet-0000000{number}", "zone": f"us-east-1{zone}", "use": use, "cidr": f"10.8.{number}.0/24"}

    network = {
        "mode": "existing",
        "vpc_id": "vpc-00000001",
        "vpc_cidrs": ["10.8.0.0/16"],
        "subnets": [
            subnet(number, zone, use)
            for number, (zone, use) in enumerate(
                [("a", "control_plane"), ("b", "control_plane"), ("a", "nodes"), ("b", "nodes")], start=1
            )
        ],
        "internet_egress": True,
    }
    rendered = render(dev_with(network=network))

    blocks = rendered.one("NetworkPolicy", "allow-api-server", "spark-ads")["spec"]["egress"][0]["to"]
    assert [block["ipBlock"]["cidr"] for block in blocks] == [
        "10.8.1.0/24",
        "10.8.2.0/24",
        "10.100.0.1/32",
        "172.20.0.1/32",
    ]


def test_every_team_namespace_starts_with_everything_denied(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for team in rendered.environment.teams_on(rendered.environment.cluster(rendered.cluster)):
            assert rendered.one("NetworkPolicy", "default-deny", f"spark-{team.name}")["spec"] == {
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
            }
