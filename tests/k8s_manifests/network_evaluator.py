"""Whether a flow passes the rendered NetworkPolicies, by the rules of Kubernetes and not by how the policies are written.

Pods are ends with the labels that they really have: those of the platform are read from the rendered workloads, so that a
policy which selects a label that no pod carries fails here.
https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class End:
    """One end of a flow: a pod, or an address outside the cluster's pods."""

    namespace: str | None = None
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the namespace beside its name."""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None


def address(text: str) -> End:
    """An address that is no pod's."""
    return End(address=text)


def pod_of(rendered: Any, workload: str, namespace: str) -> End:
    """A pod of a rendered Deployment, StatefulSet or DaemonSet, or of the Job of that name and a hash, with the labels of its template."""
    (found,) = (
        manifest
        for manifest in rendered.manifests
        if manifest["kind"] in {"Deployment", "StatefulSet", "DaemonSet", "Job"}
        and manifest["metadata"]["namespace"] == namespace
        and re.fullmatch(f"{workload}(-[0-9a-f]{{8}})?", manifest["metadata"]["name"])
    )
    return End(namespace=namespace, labels=found["spec"]["template"]["metadata"]["labels"])


def passes(rendered: Any, source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    """Whether both ends' policies let the flow pass."""
    policies = rendered.of_kind("NetworkPolicy")
    wanted = {"port": port, "protocol": protocol}
    out = source.namespace is None or _side_allows(policies, "Egress", source, target, wanted)
    into = target.namespace is None or _side_allows(policies, "Ingress", target, source, wanted)
    return out and into


def _side_allows(policies: list[Any], direction: str, pod: End, other: End, port: dict[str, Any]) -> bool:
    """Whether the pod's own policies let the flow pass; a pod that no policy selects is open."""
    own = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and direction in policy["spec"]["policyTypes"]
        and _selected(policy["spec"]["podSelector"], pod.labels)
    ]
    peers = "to" if direction == "Egress" else "from"
    return not own or any(
        any(_is_peer(peer, other, str(pod.namespace)) for peer in rule[peers])
        and ("ports" not in rule or port in rule["ports"])
        for spec in own
        for rule in spec.get(direction.lower(), ())
    )


def _is_peer(peer: Mapping[str, Any], end: End, own_namespace: str) -> bool:
    if "ipBlock" in peer:
        return end.address is not None and _in_block(end.address, peer["ipBlock"])
    if end.namespace is None:
        return False
    if "namespaceSelector" in peer:
        labels = {"kubernetes.io/metadata.name": end.namespace, **end.namespace_labels}
        namespace_fits = _selected(peer["namespaceSelector"], labels)
    else:
        namespace_fits = end.namespace == own_namespace
    return namespace_fits and _selected(peer.get("podSelector", {}), end.labels)


def _in_block(text: str, block: Mapping[str, Any]) -> bool:
    found = ipaddress.ip_address(text)
    excluded = any(found in ipaddress.ip_network(each) for each in block.get("except", ()))
    return found in ipaddress.ip_network(block["cidr"]) and not excluded


def _selected(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    for expression in selector.get("matchExpressions", ()):
        # no policy here uses another operator
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())
