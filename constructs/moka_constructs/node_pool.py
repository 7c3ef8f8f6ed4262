"""A node pool: one managed node group per zone, so that the autoscaler never has to guess where a node would start.

Groups carry their create-only properties in their names, because CloudFormation replaces a group by making the new one
first, and a fixed name would end every replacement in a 409. A driver group is never rolled: what would roll it changes
its name, and the old group stays, with its drivers, until an engineer removes it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Literal

from aws_cdk import CfnResource
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from moka_constructs.errors import PropsError
from moka_constructs.node_launch_template import NodeLaunchTemplate, NodeLaunchTemplateProps
from moka_constructs.user_data import NodeSettings

PoolRole = Literal["system", "driver", "executor", "celeborn"]
Architecture = Literal["arm64", "x86_64"]

_AMI_TYPES = {
    ("al2023", "arm64"): "AL2023_ARM_64_STANDARD",
    ("al2023", "x86_64"): "AL2023_x86_64_STANDARD",
    ("bottlerocket", "arm64"): "BOTTLEROCKET_ARM_64",
    ("bottlerocket", "x86_64"): "BOTTLEROCKET_x86_64",
}
_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class NodeTaint:
    """A taint, in Kubernetes' words."""

    key: str
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


@dataclasses.dataclass(frozen=True, kw_only=True)
class NodeSubnet:
    """A subnet for nodes."""

    id: str
    """Id, perhaps a token."""
    key: str
    """What stands for the subnet in a group's name: the id when it is known, else the range."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NodePoolProps:
    """Shape, bounds and place of a pool."""

    name: str
    """At most 20 characters; groups are called <name>-<zone>-<hash>."""
    role: PoolRole
    capacity: Literal["on_demand", "spot"] = "on_demand"
    instance_types: tuple[str, ...]
    """Equal in vCPU, memory, architecture and NVMe: the autoscaler simulates the first."""
    architecture: Architecture
    settings: NodeSettings
    subnets: Mapping[str, tuple[NodeSubnet, ...]]
    """{zone: subnets}; one group is made per zone."""
    min_nodes_per_zone: int = 0
    max_nodes_per_zone: int
    ami_release: str
    """Release of the EKS-optimised image, pinned: 1.35.2-20260715."""
    disk_gib: int = 100
    ephemeral_storage_gib: int = 80
    """What pods may fill of the volume or the array that carries emptyDirs, GiB; the autoscaler plans with it."""
    scale_down_unneeded_seconds: int = 600
    """How long a node must be idle before the autoscaler takes it away."""
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    taints: tuple[NodeTaint, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class NodePoolContext:
    """What all pools of a cluster share."""

    cluster_name: str
    """Name of the cluster, as a reference, so that groups wait for it."""
    cluster_key: str
    """What stands for the cluster in a group's name: its name, as text."""
    kubernetes_version: str
    node_role_arn: str
    node_role_key: str
    """What stands for the role in a group's name: its name."""
    security_group_ids: tuple[str, ...]
    volumes_key_arn: str
    tags: Mapping[str, str]
    """Tags on instances, volumes and interfaces."""


class NodePool(Construct):
    """The groups of a pool and their launch template."""

    def __init__(self, scope: Construct, construct_id: str, context: NodePoolContext, props: NodePoolProps) -> None:
        super().__init__(scope, construct_id)
        self._check(props)
        self._context = context
        self._props = props
        self.template = NodeLaunchTemplate(
            self,
            "LaunchTemplate",
            NodeLaunchTemplateProps(
                name=f"{context.cluster_key}-{props.name}",
                settings=props.settings,
                disk_gib=props.disk_gib,
                volumes_key_arn=context.volumes_key_arn,
                security_group_ids=context.security_group_ids,
                tags=context.tags,
            ),
        )
        self.name = props.name
        self.role = props.role
        self.labels = self._labels()
        """Labels of every node."""
        self.taints = self._all_taints()
        """Taints of every node."""
        self.ephemeral_storage_gib = props.ephemeral_storage_gib
        self.scale_down_unneeded_seconds = props.scale_down_unneeded_seconds
        self.group_names = {zone: self.group_name(zone, subnets) for zone, subnets in props.subnets.items()}
        """{zone: name of its node group}."""
        self.groups: list[eks.CfnNodegroup] = [self._group(zone, subnets) for zone, subnets in props.subnets.items()]

    def add_dependencies(self, resources: Sequence[CfnResource]) -> None:
        """Make every group wait for `resources`: nodes without networking never become ready."""
        self.node.add_dependency(*resources)

    def _check(self, props: NodePoolProps) -> None:
        if props.min_nodes_per_zone > props.max_nodes_per_zone:
            raise PropsError(
                "MinAboveMax",
                f"`min_nodes_per_zone` must be at most `max_nodes_per_zone` ({props.max_nodes_per_zone}), got {props.min_nodes_per_zone}; raise the maximum or lower the minimum",
                self,
            )
        if props.role == "system" and props.min_nodes_per_zone < 1:
            raise PropsError(
                "EmptySystemPool",
                f"`min_nodes_per_zone` of a system pool must be at least 1, got {props.min_nodes_per_zone}; the platform's own pods live there",
                self,
            )
        if props.capacity == "spot" and props.role != "executor":
            raise PropsError(
                "SpotNotForExecutors",
                f"`capacity` of a {props.role} pool must be on_demand, got spot; losing such a node loses jobs or the platform",
                self,
            )
        if not props.subnets or not all(props.subnets.values()):
            raise PropsError("NoSubnets", f"`subnets` must hold a subnet per zone, got {dict(props.subnets)}", self)

    def _group(self, zone: str, subnets: tuple[NodeSubnet, ...]) -> eks.CfnNodegroup:
        props = self._props
        system = props.role == "system"
        group = eks.CfnNodegroup(
            self,
            f"Group{zone.rsplit('-', 1)[1].upper()}",
            cluster_name=self._context.cluster_name,
            nodegroup_name=self.group_names[zone],
            node_role=self._context.node_role_arn,
            subnets=[subnet.id for subnet in subnets],
            ami_type=_AMI_TYPES[props.settings.operating_system, props.architecture],
            version=self._version(),
            release_version=props.ami_release,
            capacity_type="SPOT" if props.capacity == "spot" else "ON_DEMAND",
            instance_types=list(props.instance_types),
            launch_template=eks.CfnNodegroup.LaunchTemplateSpecificationProperty(
                id=self.template.id, version=self.template.version
            ),
            # Only a group that no autoscaler touches has a desired size: on others every deploy would undo its work.
            scaling_config=eks.CfnNodegroup.ScalingConfigProperty(
                min_size=props.min_nodes_per_zone,
                max_size=props.max_nodes_per_zone,
                desired_size=props.min_nodes_per_zone if system else None,
            ),
            labels=self.labels,
            taints=[
                eks.CfnNodegroup.TaintProperty(key=taint.key, value=taint.value or None, effect=_EFFECTS[taint.effect])
                for taint in self.taints
            ],
            update_config=self._update_config(),
            force_update_enabled=False,
            node_repair_config=eks.CfnNodegroup.NodeRepairConfigProperty(enabled=True),
        )
        if props.role == "driver":
            group.add_override("DeletionPolicy", "Delete")
            group.add_override("UpdateReplacePolicy", "Retain")
        return group

    def _update_config(self) -> eks.CfnNodegroup.UpdateConfigProperty:
        """Return how a new release or template reaches nodes that run.

        Executors come and go anyway: a third of a group at a time, old nodes first, so that an update takes no more nodes,
        addresses and vCPU than the pool's maximum. Elsewhere one node at a time, and its successor is there before it goes:
        two Celeborn workers that end together can hold both copies of a block.
        """
        if self._props.role == "executor":
            return eks.CfnNodegroup.UpdateConfigProperty(max_unavailable_percentage=33, update_strategy="MINIMAL")
        return eks.CfnNodegroup.UpdateConfigProperty(max_unavailable=1, update_strategy="DEFAULT")

    def group_name(self, zone: str, subnets: tuple[NodeSubnet, ...]) -> str:
        """Return <pool>-<zone>-<8 hex of what would force a replacement>; for drivers, also of what would roll nodes."""
        props = self._props
        parts: list[object] = [
            self._context.cluster_key,
            self._context.node_role_key,
            [subnet.key for subnet in subnets],
            _AMI_TYPES[props.settings.operating_system, props.architecture],
            props.capacity,
            list(props.instance_types),
            self._version(),
        ]
        if props.role == "driver":
            parts += [props.ami_release, self.template.fingerprint()]
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]
        return f"{props.name}-{zone}-{digest}"

    def _version(self) -> str | None:
        """Return the Kubernetes version, where the image release does not say it.

        An update may change the version or the release, not both (aws-cdk #13602). AL2023's release names the version;
        Bottlerocket's does not, so there the version is part of the name and a new one makes new groups.
        """
        return self._context.kubernetes_version if self._props.settings.operating_system == "bottlerocket" else None

    def _labels(self) -> dict[str, str]:
        props = self._props
        return {
            **props.labels,
            "moka.dev/pool": props.name,
            "moka.dev/role": props.role,
            "moka.dev/capacity": props.capacity,
        }

    def _all_taints(self) -> tuple[NodeTaint, ...]:
        if self._props.role == "system":
            return self._props.taints
        return (NodeTaint(key="moka.dev/role", value=self._props.role), *self._props.taints)
