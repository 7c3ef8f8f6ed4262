"""What stacks hand to later stacks: the only seam between them, frozen, and the same for new and existing networks."""

import dataclasses
from collections.abc import Mapping

from moka_constructs import ClusterIdentity, NodeSubnet


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkOutputs:
    """A network that clusters can be put into. Ids are text for an existing network and tokens for a new one."""

    vpc_id: str
    control_plane_subnet_ids: tuple[str, ...]
    load_balancer_subnet_ids: tuple[str, ...]
    """Subnets for internal load balancers; empty when an existing network names none."""
    node_subnets: Mapping[str, tuple[NodeSubnet, ...]]
    """{zone: subnets for nodes}."""
    node_security_group_ids: tuple[str, ...] = ()
    """Groups that every node joins beside the cluster's own."""
    prefix_list_ids: tuple[str, ...] = ()
    """Managed prefix lists whose networks may reach API servers."""
    alarm_names: tuple[str, ...] = ()
    """Alarms of the network, for the dashboard."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataOutputs:
    """Where data is kept. Bucket names are computed from the environment and need no output."""

    key_arn: str
    """KMS key of buckets and registries."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClusterOutputs:
    """A cluster that roles and charts can be made for."""

    identity: ClusterIdentity
    security_group_id: str
    """Group in which control plane and nodes talk."""
    endpoint: str
    """Address of the API server."""
    certificate_authority: str
    """Base64, of the API server's certificate."""
    alarm_names: tuple[str, ...] = ()
    """Alarms of the cluster, for the dashboard."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlatformOutputs:
    """What delivers manifests to a cluster."""

    manifest_function_arn: str | None
    """None where the file wants files only."""
