"""EKS add-ons, each at a version that a table pins for each Kubernetes version.

There is no "latest": an add-on that changes by itself is an outage nobody deployed. A Kubernetes version without a row
is refused, so that a cluster upgrade starts by choosing its add-ons.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from aws_cdk import CfnResource
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from moka_constructs.workload_role import Mechanism

AddonName = Literal[
    "vpc-cni",
    "kube-proxy",
    "eks-pod-identity-agent",
    "coredns",
    "aws-ebs-csi-driver",
    "metrics-server",
    "eks-node-monitoring-agent",
    "kube-state-metrics",
    "prometheus-node-exporter",
]

ADDON_VERSIONS: Final[Mapping[str, Mapping[AddonName, str]]] = {
    "1.34": {
        "vpc-cni": "v1.22.4-eksbuild.3",
        "kube-proxy": "v1.34.6-eksbuild.18",
        "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
        "coredns": "v1.13.2-eksbuild.11",
        "aws-ebs-csi-driver": "v1.63.0-eksbuild.1",
        "metrics-server": "v0.8.1-eksbuild.10",
        "eks-node-monitoring-agent": "v1.6.5-eksbuild.1",
        "kube-state-metrics": "v2.18.0-eksbuild.10",
        "prometheus-node-exporter": "v1.10.2-eksbuild.8",
    },
    "1.35": {
        "vpc-cni": "v1.22.4-eksbuild.3",
        "kube-proxy": "v1.35.3-eksbuild.29",
        "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
        "coredns": "v1.13.2-eksbuild.31",
        "aws-ebs-csi-driver": "v1.66.0-eksbuild.1",
        "metrics-server": "v0.8.1-eksbuild.10",
        "eks-node-monitoring-agent": "v1.6.5-eksbuild.1",
        "kube-state-metrics": "v2.18.0-eksbuild.10",
        "prometheus-node-exporter": "v1.10.2-eksbuild.8",
    },
    "1.36": {
        "vpc-cni": "v1.22.4-eksbuild.3",
        "kube-proxy": "v1.36.0-eksbuild.21",
        "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
        "coredns": "v1.14.3-eksbuild.16",
        "aws-ebs-csi-driver": "v1.66.0-eksbuild.1",
        "metrics-server": "v0.8.1-eksbuild.10",
        "eks-node-monitoring-agent": "v1.6.5-eksbuild.1",
        "kube-state-metrics": "v2.18.0-eksbuild.10",
        "prometheus-node-exporter": "v1.10.2-eksbuild.8",
    },
}
"""{Kubernetes version: {add-on: version}}, read 2026-11-23 from what other clusters publish as EKS' defaults of October
2026, the last four on 2026-11-24 from clusters of Kubernetes 1.35 (they follow the component, not Kubernetes). `aws eks
describe-addon-versions --kubernetes-version V` lists what an account is offered; not tried by a deploy."""

COREDNS_CONFIGURATION: Final[Mapping[str, Any]] = {
    # each replica answers 1,024 packets a second per interface: replicas follow nodes and cores
    "autoScaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 20},
}

METRICS_SERVER_CONFIGURATION: Final[Mapping[str, Any]] = {"replicas": 2}
"""One in each of two zones: without it `kubectl top` and autoscaling by use stop."""

_EVERY_NODE: Final = [{"operator": "Exists"}]
"""Pools but the system's are tainted; what watches nodes must be on all of them."""
NODE_MONITORING_CONFIGURATION: Final[Mapping[str, Any]] = {"nodeAgent": {"tolerations": _EVERY_NODE}}
"""Node repair acts on what this agent sees; without it only kubelet's own Ready counts."""
NODE_EXPORTER_CONFIGURATION: Final[Mapping[str, Any]] = {"tolerations": _EVERY_NODE}
EBS_CSI_CONFIGURATION: Final[Mapping[str, Any]] = {"node": {"tolerateAllTaints": True}}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AddonIdentity:
    """The role of an add-on's pods."""

    role_arn: str
    service_account: str
    mechanism: Mechanism


def vpc_cni_configuration(*, pod_security_groups: bool) -> dict[str, Any]:
    """Return the VPC CNI's settings.

    With `pod_security_groups`, pods that a SecurityGroupPolicy selects get interfaces of their own; `standard` keeps network
    policies and the way out of the VPC as they are for all others
    (https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html).
    """
    # one /28 per request instead of one address: a node of 110 pods needs 7 calls to EC2, not 110
    env = {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
    if pod_security_groups:
        env |= {"ENABLE_POD_ENI": "true", "POD_SECURITY_GROUP_ENFORCING_MODE": "standard"}
    # EKS leaves the enforcement of NetworkPolicy off by default
    return {"env": env, "enableNetworkPolicy": "true"}


def make_addon(
    scope: Construct,
    construct_id: str,
    *,
    cluster_name: str,
    kubernetes_version: str,
    name: AddonName,
    after: Sequence[CfnResource],
    configuration: Mapping[str, Any] | None = None,
    identity: AddonIdentity | None = None,
) -> eks.CfnAddon:
    """Return an add-on at the pinned version that is installed after `after`.

    `configuration` is the add-on's own settings. Raises KeyError for a Kubernetes version without a row, which
    `ControlPlane` has refused before.
    """
    irsa = identity if identity is not None and identity.mechanism == "irsa" else None
    pod_identity = identity if identity is not None and identity.mechanism == "pod_identity" else None
    addon = eks.CfnAddon(
        scope,
        construct_id,
        cluster_name=cluster_name,
        addon_name=name,
        addon_version=ADDON_VERSIONS[kubernetes_version][name],
        # what someone changed by hand goes back to what the file says
        resolve_conflicts="OVERWRITE",
        configuration_values=None if configuration is None else json.dumps(configuration),
        service_account_role_arn=None if irsa is None else irsa.role_arn,
        pod_identity_associations=None
        if pod_identity is None
        else [
            eks.CfnAddon.PodIdentityAssociationProperty(
                role_arn=pod_identity.role_arn, service_account=pod_identity.service_account
            )
        ],
    )
    if after:
        addon.node.add_dependency(*after)
    return addon
