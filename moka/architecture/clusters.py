"""The EKS clusters as the templates have them: control plane, node groups by pool and zone, and the pods that have an IAM role."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from moka.architecture.facts import Fact, counted
from moka.architecture.resources import keys, written
from moka.inventory import pool_of, zone_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moka.architecture.resources import Resource, Resources

_POOL_LABEL: Final = "moka.dev/pool"
_ACCOUNT: Final = re.compile(r"system:serviceaccount:(?P<namespace>[a-z0-9-]+):(?P<account>[a-z0-9.-]+)")
_ADDON_NAMESPACE: Final = "kube-system"


@dataclass(frozen=True, kw_only=True)
class NodeGroup:
    """One managed node group: a pool in a zone."""

    of: tuple[str, ...]
    pool: str
    zone: str | None
    spot: bool
    ami: str
    """`AL2023_ARM_64_STANDARD`"""
    volume: str
    """`100 GiB gp3`; empty without a launch template."""
    instance_types: tuple[str, ...]
    min_nodes: int
    max_nodes: int


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Pods with an IAM role of their own."""

    of: tuple[str, ...]
    namespace: str
    account: str
    """Name of the service account."""
    role: str
    """Name of the IAM role."""
    mechanism: str
    """`IRSA` or `Pod Identity`"""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One EKS cluster."""

    key: str
    of: tuple[str, ...]
    name: str
    version: str
    facts: tuple[Fact, ...]
    """What is worth knowing about its control plane, a few words each."""
    node_groups: tuple[NodeGroup, ...]
    workloads: tuple[Workload, ...]

    @property
    def pools(self) -> tuple[str, ...]:
        """Names of its pools, in the template's order."""
        return tuple(dict.fromkeys(group.pool for group in self.node_groups))


def read_clusters(resources: Resources) -> tuple[Cluster, ...]:
    """The clusters, in the templates' order."""
    return tuple(_cluster(resources, cluster) for cluster in resources.of_kind("AWS::EKS::Cluster"))


def cluster_named(resources: Resources, by: Resource, value: Any) -> Resource | None:
    """The cluster that a value in `by` names, by a reference or by its name."""
    name = written(value)
    if name is None:
        return resources.at(by, value)
    return next((each for each in resources.of_kind("AWS::EKS::Cluster") if each.get("Name") == name), None)


def _cluster(resources: Resources, cluster: Resource) -> Cluster:
    groups = [each for each in resources.of_kind("AWS::EKS::Nodegroup") if _is_of(resources, each, cluster)]
    return Cluster(
        key=cluster.key,
        of=keys(cluster),
        name=str(cluster.get("Name", default=cluster.logical_id)),
        version=str(cluster.get("Version", default="default version")),
        facts=tuple(_facts(resources, cluster)),
        node_groups=tuple(_node_group(resources, group) for group in groups),
        workloads=tuple(_workloads(resources, cluster)),
    )


def _is_of(resources: Resources, each: Resource, cluster: Resource) -> bool:
    return cluster_named(resources, each, each.get("ClusterName")) is cluster


def _facts(resources: Resources, cluster: Resource) -> Iterator[Fact]:
    own = keys(cluster)
    public = cluster.get("ResourcesVpcConfig", "EndpointPublicAccess") is True
    yield Fact(of=own, text="public API" if public else "private API")
    tier = cluster.get("ControlPlaneScalingConfig", "Tier")
    if tier is not None:
        yield Fact(of=own, text=f"control plane {tier}")
    addons = [each for each in resources.of_kind("AWS::EKS::Addon") if _is_of(resources, each, cluster)]
    if addons:
        names = [f"{each.get('AddonName')} {each.get('AddonVersion', default='')}".strip() for each in addons]
        yield Fact(of=keys(addons), text=counted(len(addons), "add-on"), tip=", ".join(names))
    entries = [each for each in resources.of_kind("AWS::EKS::AccessEntry") if _is_of(resources, each, cluster)]
    people = [each for each in entries if each.get("AccessPolicies")]
    if people:
        names = [resources.role_name(each, each.get("PrincipalArn")) for each in people]
        yield Fact(of=keys(people), text=counted(len(people), "access entry"), tip=", ".join(names))
    for each in cluster.get("EncryptionConfig", default=()):
        key = each.get("Provider", {}).get("KeyArn")
        whose = "existing" if written(key) else "own"
        yield Fact(of=keys(cluster, resources.at(cluster, key)), text=f"{whose} key for secrets")
    if cluster.get("DeletionProtection") is True:
        yield Fact(of=own, text="protected from deletion")


def _node_group(resources: Resources, group: Resource) -> NodeGroup:
    name = str(group.get("NodegroupName", default=group.logical_id))
    subnets = resources.one_of(group, group.get("Subnets"))
    zones = {written(subnet.get("AvailabilityZone")) for subnet in subnets}
    template = resources.at(group, group.get("LaunchTemplate", "Id"))
    return NodeGroup(
        of=keys(group, template),
        pool=str(group.get("Labels", _POOL_LABEL) or pool_of(name) or name),
        zone=zones.pop() if len(zones) == 1 else zone_of(name),
        spot=group.get("CapacityType") == "SPOT",
        ami=str(group.get("AmiType", default="")),
        volume="" if template is None else _volume(template),
        instance_types=tuple(map(str, group.get("InstanceTypes", default=()))),
        min_nodes=int(group.get("ScalingConfig", "MinSize", default=0)),
        max_nodes=int(group.get("ScalingConfig", "MaxSize", default=0)),
    )


def _volume(template: Resource) -> str:
    disks = [each.get("Ebs", {}) for each in template.get("LaunchTemplateData", "BlockDeviceMappings", default=())]
    return " + ".join(f"{disk.get('VolumeSize')} GiB {disk.get('VolumeType', 'gp2')}" for disk in disks) or "no disk"


def _workloads(resources: Resources, cluster: Resource) -> Iterator[Workload]:
    providers = resources.referring(cluster, ["AWS::IAM::OIDCProvider"], "Url")
    for role in resources.of_kind("AWS::IAM::Role"):
        trust = role.get("AssumeRolePolicyDocument")
        found = _ACCOUNT.search(json.dumps(trust))
        provider = next((each for each in providers if _mentions(resources, role, trust, each)), None)
        if found is not None and provider is not None:
            yield _workload(found["namespace"], found["account"], role, "IRSA")
    for link in resources.of_kind("AWS::EKS::PodIdentityAssociation"):
        linked = resources.at(link, link.get("RoleArn"))
        if linked is not None and _is_of(resources, link, cluster):
            yield _workload(str(link.get("Namespace")), str(link.get("ServiceAccount")), linked, "Pod Identity", link)
    for addon in resources.of_kind("AWS::EKS::Addon"):
        for each in addon.get("PodIdentityAssociations", default=()):
            linked = resources.at(addon, each.get("RoleArn"))
            if linked is not None and _is_of(resources, addon, cluster):
                yield _workload(_ADDON_NAMESPACE, str(each.get("ServiceAccount")), linked, "Pod Identity")


def _workload(namespace: str, account: str, role: Resource, mechanism: str, link: Resource | None = None) -> Workload:
    return Workload(
        of=keys(role, link),
        namespace=namespace,
        account=account,
        role=str(role.get("RoleName", default=role.logical_id)),
        mechanism=mechanism,
    )


def _mentions(resources: Resources, by: Resource, value: Any, wanted: Resource) -> bool:
    """Whether a value refers to `wanted` at any depth."""
    if resources.at(by, value) is wanted:
        return True
    if isinstance(value, Mapping):
        return any(_mentions(resources, by, each, wanted) for each in value.values())
    return isinstance(value, list) and any(_mentions(resources, by, each, wanted) for each in value)
