"""How Archer gets to the API servers of all clusters: an access entry for its role, and network rules.

The entry names a Kubernetes group and no policy: what Archer may do is a Role of its own in each namespace, made by charts.
"""

import dataclasses
from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

HTTPS: Final = 443
DNS: Final = 53


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReachedCluster:
    """A cluster that Archer submits to."""

    name: str
    """Name of the EKS cluster."""
    security_group_id: str
    """Group in which its control plane and nodes talk."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArcherReachProps:
    """Who Archer is, and where it goes."""

    role_arn: str
    """Role of Archer's pods; it must exist before the entries."""
    kubernetes_group: str
    """Group that it has on every cluster; RoleBindings name it."""
    host: str
    """Key in `clusters` of the one that Archer runs on."""
    clusters: Mapping[str, ReachedCluster]
    """{name in the environment: cluster}."""
    pod_security_group_ids: tuple[str, ...] = ()
    """Groups that Archer's pods carry; none means that they share their nodes'."""
    pod_ports: tuple[int, ...] = ()
    """Ports of the pods that kubelet probes; used with groups of their own only."""


class ArcherReach(Construct):
    """Entries and rules. Nodes of the host reach their own control plane by the cluster's group already."""

    def __init__(self, scope: Construct, construct_id: str, props: ArcherReachProps) -> None:
        super().__init__(scope, construct_id)
        host = props.clusters[props.host]
        for key, cluster in props.clusters.items():
            suffix = "".join(part.capitalize() for part in key.split("-"))
            eks.CfnAccessEntry(
                self,
                f"Entry{suffix}",
                cluster_name=cluster.name,
                principal_arn=props.role_arn,
                type="STANDARD",
                kubernetes_groups=[props.kubernetes_group],
            )
            if props.pod_security_group_ids:
                for number, group in enumerate(props.pod_security_group_ids, start=1):
                    self._admit(f"Api{suffix}FromPods{number}", cluster.security_group_id, group, HTTPS)
            elif key != props.host:
                self._admit(f"Api{suffix}FromHost", cluster.security_group_id, host.security_group_id, HTTPS)
        # pods with groups of their own leave the nodes': names must still be resolved, and kubelet must still reach them
        for number, group in enumerate(props.pod_security_group_ids, start=1):
            for protocol in ("tcp", "udp"):
                construct = f"Dns{protocol.capitalize()}FromPods{number}"
                self._admit(construct, host.security_group_id, group, DNS, protocol)
            for port in props.pod_ports:
                self._admit(f"Probes{port}ToPods{number}", group, host.security_group_id, port)

    def _admit(self, construct_id: str, target: str, source: str, port: int, protocol: str = "tcp") -> None:
        ec2.CfnSecurityGroupIngress(
            self,
            construct_id,
            group_id=target,
            source_security_group_id=source,
            ip_protocol=protocol,
            from_port=port,
            to_port=port,
            description=f"Archer: {protocol} {port}",
        )
