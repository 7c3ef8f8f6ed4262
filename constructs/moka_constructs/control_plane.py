"""An EKS control plane for batch work: private, encrypted, logged, opened to named roles only (decision D4).

Only `AWS::EKS::*` resources, no Lambda function and no kubectl. It is the L1 of aws_eks_v2: the L2 writes a barrier
parameter, an allow-all security group and tags on subnets of another stack, and hides the settings that Spark needs
(pod garbage collection, scheduler strategy, event lifetime).
"""

import dataclasses
import re
from typing import Literal

from aws_cdk import CfnTag, Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from moka_constructs.addons import ADDON_VERSIONS
from moka_constructs.errors import PropsError
from moka_constructs.location import Location
from moka_constructs.workload_role import ClusterIdentity

LogType = Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]
AccessPolicy = Literal["cluster-admin", "admin", "edit", "view", "admin-view"]

_ACCESS_POLICIES: dict[AccessPolicy, str] = {
    "cluster-admin": "AmazonEKSClusterAdminPolicy",
    "admin": "AmazonEKSAdminPolicy",
    "edit": "AmazonEKSEditPolicy",
    "view": "AmazonEKSViewPolicy",
    "admin-view": "AmazonEKSAdminViewPolicy",
}
EVENT_TTL = "30m"
"""How long Kubernetes keeps events. Spark makes several per pod; Archer records what it needs within seconds."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Access:
    """A policy that an IAM role has on the cluster."""

    role_arn: str
    policy: AccessPolicy
    namespaces: tuple[str, ...] = ()
    """Namespaces that the policy is limited to; none means the whole cluster."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ControlPlaneProps:
    """The cluster, without nodes and add-ons."""

    cluster_name: str
    location: Location
    kubernetes_version: str
    role_arn: str
    """Role of the control plane."""
    vpc_id: str
    subnet_ids: tuple[str, ...]
    """Subnets in two zones at least for EKS' own network interfaces."""
    secrets_key_arn: str
    """KMS key that wraps Kubernetes secrets. EKS cannot change it later."""
    access: tuple[Access, ...]
    """One must be cluster-admin for the whole cluster: the creator gets no rights."""
    public_cidrs: tuple[str, ...] = ()
    """Public ranges that may reach the API server; none makes it private."""
    api_prefix_lists: tuple[str, ...] = ()
    """Managed prefix lists whose networks may reach the API server over private routes."""
    log_types: tuple[LogType, ...] = ("api", "audit", "authenticator", "controllerManager", "scheduler")
    log_retention_days: int = 90
    tier: str = "standard"
    """Provisioned control plane tier; standard scales by itself."""
    terminated_pod_gc_threshold: int = 12_500
    deletion_protection: bool = False
    zonal_shift: bool = False


class ControlPlane(Construct):
    """The cluster, its log group, security group, access entries and OIDC provider."""

    def __init__(self, scope: Construct, construct_id: str, props: ControlPlaneProps) -> None:
        super().__init__(scope, construct_id)
        self._check(props)
        self._props = props
        group = self._security_group()
        self.resource = self._cluster(group)
        self.resource.add_resource_dependency(self._log_group())
        self.cluster_name: str = self.resource.ref
        self.security_group_id: str = self.resource.attr_cluster_security_group_id
        """The group that EKS makes: control plane and nodes talk within it."""
        self.endpoint: str = self.resource.attr_endpoint
        self.certificate_authority: str = self.resource.attr_certificate_authority_data
        """Base64, of the API server's certificate."""
        self._access_entries()
        self.identity = self._identity()

    def _identity(self) -> ClusterIdentity:
        issuer: str = self.resource.attr_open_id_connect_issuer_url
        provider = iam.CfnOIDCProvider(self, "OidcProvider", url=issuer, client_id_list=["sts.amazonaws.com"])
        return ClusterIdentity(
            cluster_name=self.cluster_name,
            cluster_arn=self._props.location.arn("eks", f"cluster/{self._props.cluster_name}"),
            oidc_provider_arn=provider.attr_arn,
            oidc_issuer=Fn.select(1, Fn.split("//", issuer)),
        )

    def _check(self, props: ControlPlaneProps) -> None:
        if props.kubernetes_version not in ADDON_VERSIONS:
            raise PropsError(
                "UnknownKubernetesVersion",
                f"`kubernetes_version` must be one of {', '.join(ADDON_VERSIONS)}, got {props.kubernetes_version}; add its add-ons to ADDON_VERSIONS first",
                self,
            )
        if not any(entry.policy == "cluster-admin" and not entry.namespaces for entry in props.access):
            raise PropsError(
                "NoAdministrator",
                "`access` must give one role cluster-admin on the whole cluster, got none; nobody could ever use the cluster",
                self,
            )
        if "0.0.0.0/0" in props.public_cidrs:
            raise PropsError(
                "OpenToTheWorld", "`public_cidrs` must name networks, got 0.0.0.0/0; list your egress ranges", self
            )

    def _log_group(self) -> logs.CfnLogGroup:
        """Return the log group; made before the cluster, which would make its own and keep logs for ever."""
        return logs.CfnLogGroup(
            self,
            "LogGroup",
            log_group_name=f"/aws/eks/{self._props.cluster_name}/cluster",
            retention_in_days=self._props.log_retention_days,
        )

    def _security_group(self) -> ec2.CfnSecurityGroup:
        """Return a second group on EKS' interfaces, for those who may reach the API server from outside the nodes."""
        return ec2.CfnSecurityGroup(
            self,
            "ApiAccess",
            group_description=f"Who may reach the API server of {self._props.cluster_name} beside its nodes",
            vpc_id=self._props.vpc_id,
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp",
                    from_port=443,
                    to_port=443,
                    source_prefix_list_id=prefix_list,
                    description="API server from a managed prefix list",
                )
                for prefix_list in self._props.api_prefix_lists
            ],
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="icmp",
                    from_port=252,
                    to_port=86,
                    cidr_ip="255.255.255.255/32",
                    description="Nothing leaves through this group",
                )
            ],
            tags=[CfnTag(key="Name", value=f"{self._props.cluster_name}-api-access")],
        )

    def _cluster(self, group: ec2.CfnSecurityGroup) -> eks.CfnCluster:
        props = self._props
        pod_gc = eks.CfnCluster.PodGcControllerConfigProperty(
            terminated_pod_gc_threshold=props.terminated_pod_gc_threshold
        )
        scoring = eks.CfnCluster.ScoringStrategyProperty(type="MostAllocated")
        return eks.CfnCluster(
            self,
            "Resource",
            name=props.cluster_name,
            version=props.kubernetes_version,
            role_arn=props.role_arn,
            access_config=eks.CfnCluster.AccessConfigProperty(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
            ),
            bootstrap_self_managed_addons=False,
            control_plane_scaling_config=eks.CfnCluster.ControlPlaneScalingConfigProperty(tier=props.tier),
            deletion_protection=props.deletion_protection,
            encryption_config=[
                eks.CfnCluster.EncryptionConfigProperty(
                    provider=eks.CfnCluster.ProviderProperty(key_arn=props.secrets_key_arn), resources=["secrets"]
                )
            ],
            kube_api_server_config=eks.CfnCluster.KubeApiServerConfigProperty(event_ttl=EVENT_TTL),
            kube_controller_manager_config=eks.CfnCluster.KubeControllerManagerConfigProperty(
                pod_gc_controller_config=pod_gc
            ),
            # fill nodes up instead of spreading, so that the autoscaler finds empty ones
            kube_scheduler_config=eks.CfnCluster.KubeSchedulerConfigProperty(
                node_resources_fit=eks.CfnCluster.NodeResourcesFitConfigProperty(scoring_strategy=scoring)
            ),
            logging=eks.CfnCluster.LoggingProperty(
                cluster_logging=eks.CfnCluster.ClusterLoggingProperty(
                    enabled_types=[eks.CfnCluster.LoggingTypeConfigProperty(type=kind) for kind in props.log_types]
                )
            ),
            resources_vpc_config=eks.CfnCluster.ResourcesVpcConfigProperty(
                subnet_ids=list(props.subnet_ids),
                security_group_ids=[group.ref],
                endpoint_private_access=True,
                endpoint_public_access=bool(props.public_cidrs),
                public_access_cidrs=list(props.public_cidrs) or None,
            ),
            upgrade_policy=eks.CfnCluster.UpgradePolicyProperty(support_type="STANDARD"),
            zonal_shift_config=eks.CfnCluster.ZonalShiftConfigProperty(enabled=props.zonal_shift),
        )

    def _access_entries(self) -> None:
        """Make one entry per role: EKS knows one entry per principal, with any number of policies."""
        by_role: dict[str, list[Access]] = {}
        for access in self._props.access:
            by_role.setdefault(access.role_arn, []).append(access)
        for role_arn, policies in by_role.items():
            eks.CfnAccessEntry(
                self,
                f"Access{pascal(role_arn.split(':role/', 1)[1])}",
                cluster_name=self.cluster_name,
                principal_arn=role_arn,
                type="STANDARD",
                access_policies=[self._access_policy(access) for access in policies],
            )

    def _access_policy(self, access: Access) -> eks.CfnAccessEntry.AccessPolicyProperty:
        name = _ACCESS_POLICIES[access.policy]
        scope = (
            eks.CfnAccessEntry.AccessScopeProperty(type="namespace", namespaces=list(access.namespaces))
            if access.namespaces
            else eks.CfnAccessEntry.AccessScopeProperty(type="cluster")
        )
        return eks.CfnAccessEntry.AccessPolicyProperty(
            access_scope=scope,
            policy_arn=f"arn:{self._props.location.partition}:eks::aws:cluster-access-policy/{name}",
        )


def pascal(name: str) -> str:
    """Return aws-reserved/Admin as AwsReservedAdmin."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))
