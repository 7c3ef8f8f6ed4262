"""An EKS cluster fit for Spark: control plane, keys, roles, node pools per zone and add-ons, in the order that works.

The order is cluster, then networking add-ons, then nodes, then what runs on them. CloudFormation does not see it in the
properties, so it is written as dependencies. No Kubernetes object is made here; charts bring those.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import CfnResource
from constructs import Construct

from moka_constructs.addons import (
    COREDNS_CONFIGURATION,
    EBS_CSI_CONFIGURATION,
    METRICS_SERVER_CONFIGURATION,
    NODE_EXPORTER_CONFIGURATION,
    NODE_MONITORING_CONFIGURATION,
    AddonIdentity,
    AddonName,
    make_addon,
    vpc_cni_configuration,
)
from moka_constructs.auto_scaling_tagger import AutoScalingTagger, AutoScalingTaggerProps
from moka_constructs.control_plane import ControlPlane, ControlPlaneProps, pascal
from moka_constructs.errors import PropsError
from moka_constructs.node_pool import NodePool, NodePoolContext, NodePoolProps
from moka_constructs.statements import Statement, encrypt_volumes
from moka_constructs.workload_role import Mechanism, ServiceAccount, WorkloadRole, WorkloadRoleProps

MAX_GROUPS: Final = 30
"""Node groups per cluster that EKS allows by default (quota L-6D54EA21)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _AddonPods:
    """Pods of an add-on that call AWS."""

    purpose: str
    service_account: ServiceAccount
    """As the add-on names it."""
    managed_policy: str


_CNI: Final = _AddonPods(
    purpose="Gives pods their addresses",
    service_account=ServiceAccount(namespace="kube-system", name="aws-node"),
    managed_policy="AmazonEKS_CNI_Policy",
)
_EBS_CSI: Final = _AddonPods(
    purpose="Makes and attaches volumes",
    service_account=ServiceAccount(namespace="kube-system", name="ebs-csi-controller-sa"),
    managed_policy="service-role/AmazonEBSCSIDriverPolicy",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SparkClusterProps:
    """A control plane and what runs under it."""

    control_plane: ControlPlaneProps
    pools: tuple[NodePoolProps, ...]
    node_role_arn: str
    node_role_key: str
    """What stands for the node role in group names."""
    volumes_key_arn: str
    node_security_group_ids: tuple[str, ...] = ()
    """Groups that every node joins beside the cluster's own, at most four."""
    node_tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Tags on instances, volumes and network interfaces."""
    cni_role_name: str
    """Name of the role of the VPC CNI."""
    ebs_csi_role_name: str
    """Name of the role of the EBS CSI driver."""
    tagger_name: str
    """Name of the function that tags Auto Scaling groups, and of its role."""
    cni_mechanism: Mechanism = "irsa"
    """How the VPC CNI gets credentials."""
    ebs_csi_mechanism: Mechanism = "irsa"
    """How the EBS CSI driver gets credentials."""
    pod_security_groups: bool = False
    """Whether pods may have security groups of their own (SecurityGroupPolicy): the VPC CNI then manages branch interfaces."""


class SparkCluster(Construct):
    """The cluster. `identity` is what roles of later stacks need."""

    def __init__(self, scope: Construct, construct_id: str, props: SparkClusterProps) -> None:
        super().__init__(scope, construct_id)
        self._check(props)
        self._props = props
        self.control_plane = ControlPlane(self, "ControlPlane", props.control_plane)
        self.identity = self.control_plane.identity
        self.security_group_id = self.control_plane.security_group_id
        networking = self._networking_addons()
        self.pools = self._node_pools(networking)
        system: list[CfnResource] = [
            group
            for pool, pool_props in zip(self.pools, props.pools, strict=True)
            if pool_props.role == "system"
            for group in pool.groups
        ]
        self._workload_addons(system)
        self.tagger = AutoScalingTagger(
            self,
            "AutoScalingTags",
            AutoScalingTaggerProps(
                name=props.tagger_name,
                location=props.control_plane.location,
                cluster_name=props.control_plane.cluster_name,
                pools=tuple(self.pools),
                tags=props.node_tags,
                log_retention_days=props.control_plane.log_retention_days,
            ),
        )

    def _check(self, props: SparkClusterProps) -> None:
        groups = sum(len(pool.subnets) for pool in props.pools)
        if groups > MAX_GROUPS:
            raise PropsError(
                "TooManyGroups",
                f"`pools` must make at most {MAX_GROUPS} node groups, got {groups} ({len(props.pools)} pools by zone); merge pools or give them fewer zones",
                self,
            )
        if not any(pool.role == "system" for pool in props.pools):
            raise PropsError("NoSystemPool", "`pools` must hold a system pool, got none; add one of role system", self)
        if len(props.node_security_group_ids) > 4:
            raise PropsError(
                "TooManySecurityGroups",
                f"`node_security_group_ids` must hold at most 4 groups beside the cluster's, got {len(props.node_security_group_ids)}; AWS allows five per interface",
                self,
            )

    def _networking_addons(self) -> list[CfnResource]:
        """Return what nodes need before they can become ready; each refers to the cluster and so waits for it."""
        cni = self._addon_identity("VpcCniRole", _CNI, self._props.cni_role_name, self._props.cni_mechanism)
        configuration = vpc_cni_configuration(pod_security_groups=self._props.pod_security_groups)
        return [
            self._addon("VpcCni", "vpc-cni", [], configuration=configuration, identity=cni),
            self._addon("KubeProxy", "kube-proxy", []),
            self._addon("PodIdentityAgent", "eks-pod-identity-agent", []),
        ]

    def _node_pools(self, networking: list[CfnResource]) -> list[NodePool]:
        props = self._props
        context = NodePoolContext(
            cluster_name=self.control_plane.cluster_name,
            cluster_key=props.control_plane.cluster_name,
            kubernetes_version=props.control_plane.kubernetes_version,
            node_role_arn=props.node_role_arn,
            node_role_key=props.node_role_key,
            security_group_ids=(self.security_group_id, *props.node_security_group_ids),
            volumes_key_arn=props.volumes_key_arn,
            tags=props.node_tags,
        )
        pools = [NodePool(self, f"Pool{pascal(pool.name)}", context, pool) for pool in props.pools]
        for pool in pools:
            pool.add_dependencies(networking)
        return pools

    def _workload_addons(self, system: list[CfnResource]) -> None:
        """Install what runs on nodes, once there are nodes: EKS calls an add-on without ready pods degraded and fails."""
        self._addon("CoreDns", "coredns", system, configuration=COREDNS_CONFIGURATION)
        ebs = self._addon_identity(
            "EbsCsiRole",
            _EBS_CSI,
            self._props.ebs_csi_role_name,
            self._props.ebs_csi_mechanism,
            statements=encrypt_volumes("EncryptVolumes", self._props.volumes_key_arn),
        )
        self._addon("EbsCsi", "aws-ebs-csi-driver", system, configuration=EBS_CSI_CONFIGURATION, identity=ebs)
        self._addon("MetricsServer", "metrics-server", system, configuration=METRICS_SERVER_CONFIGURATION)
        self._addon("NodeMonitoring", "eks-node-monitoring-agent", system, configuration=NODE_MONITORING_CONFIGURATION)
        self._addon("KubeStateMetrics", "kube-state-metrics", system)
        self._addon("NodeExporter", "prometheus-node-exporter", system, configuration=NODE_EXPORTER_CONFIGURATION)

    def _addon(
        self,
        construct_id: str,
        name: AddonName,
        after: Sequence[CfnResource],
        *,
        configuration: Mapping[str, Any] | None = None,
        identity: AddonIdentity | None = None,
    ) -> CfnResource:
        return make_addon(
            self,
            construct_id,
            cluster_name=self.control_plane.cluster_name,
            kubernetes_version=self._props.control_plane.kubernetes_version,
            name=name,
            after=after,
            configuration=configuration,
            identity=identity,
        )

    def _addon_identity(
        self,
        construct_id: str,
        pods: _AddonPods,
        role_name: str,
        mechanism: Mechanism,
        *,
        statements: tuple[Statement, ...] = (),
    ) -> AddonIdentity:
        role = WorkloadRole(
            self,
            construct_id,
            WorkloadRoleProps(
                role_name=role_name,
                location=self._props.control_plane.location,
                purpose=pods.purpose,
                cluster=self.identity,
                service_account=pods.service_account,
                mechanism=mechanism,
                managed_policies=(pods.managed_policy,),
                statements=statements,
                associate=False,
            ),
        )
        return AddonIdentity(role_arn=role.arn, service_account=pods.service_account.name, mechanism=mechanism)
