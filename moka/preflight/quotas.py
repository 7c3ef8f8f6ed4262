"""The service quotas that an environment can run into: code, AWS' default, and what counts against each.

Codes and defaults are AWS' (https://docs.aws.amazon.com/eks/latest/best-practices/known_limits_and_service_quotas.html,
https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html,
https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html; read on 2026-11-23). A default is used only
where Service Quotas knows no value for the account.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from environments import Environment
from environments.names import eks_cluster
from environments.network import ExistingNetwork, NewNetwork
from moka.preflight import growth, usage
from moka.preflight.aws import Reader
from moka.preflight.calls import Call

ADDRESSES: Final = Call("ec2", "DescribeAddresses")
VPCS: Final = Call("ec2", "DescribeVpcs")
INTERFACES: Final = Call("ec2", "DescribeNetworkInterfaces")
CLUSTERS: Final = Call("eks", "ListClusters")

USAGE_CALLS: Final = (usage.INSTANCES, usage.VOLUMES, ADDRESSES, VPCS, INTERFACES, CLUSTERS)

Used = Callable[[Environment, Reader], float]


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One service quota."""

    name: str
    service: str
    """Service code of Service Quotas."""
    code: str
    default: float
    """AWS' default for a new account."""
    needed: Callable[[Environment], float]
    """What the environment needs when it has grown as far as its file allows; 0 when the quota does not concern it."""
    unit: str = ""
    """vCPU or TiB; empty for things that the name counts."""
    used: Used | None = None
    """What others use already; None where the quota is per thing that the environment makes, or no API tells."""


def _used_vcpus(capacity: growth.Capacity, family: growth.Family) -> Used:
    def used(environment: Environment, aws: Reader) -> float:
        return usage.vcpus_of_others(environment, usage.fetch_instances(aws))[capacity, family]

    return used


def _needed_vcpus(capacity: growth.Capacity, family: growth.Family) -> Callable[[Environment], float]:
    return lambda environment: growth.vcpus(environment)[capacity, family]


def _used_tib(environment: Environment, aws: Reader) -> float:
    return usage.gib_of_others(environment, usage.fetch_gp3_volumes(aws), usage.fetch_instances(aws)) / 1024


def _used_addresses(environment: Environment, aws: Reader) -> float:
    found = aws.get(ADDRESSES).get("Addresses", [])
    return sum(1 for each in found if not usage.made_by_network_stack(environment, each))


def _used_vpcs(environment: Environment, aws: Reader) -> float:
    return sum(1 for each in aws.pages(VPCS, "Vpcs") if not usage.made_by_network_stack(environment, each))


def _used_interfaces(environment: Environment, aws: Reader) -> float:
    found = list(aws.pages(INTERFACES, "NetworkInterfaces"))
    return usage.interfaces_of_others(environment, found, usage.fetch_instances(aws))


def _used_clusters(environment: Environment, aws: Reader) -> float:
    ours = {eks_cluster(environment, cluster) for cluster in environment.clusters}
    # ListClusters answers with names, not with objects
    return sum(1 for name in aws.pages(CLUSTERS, "clusters") if str(name) not in ours)


def _vpc_ranges(environment: Environment) -> float:
    network = environment.network
    return 1 + len(network.pod_cidrs) if isinstance(network, NewNetwork) else 0


def _vcpu_quotas() -> Iterator[Quota]:
    rows: tuple[tuple[str, str, growth.Capacity, growth.Family, float], ...] = (
        ("on-demand vCPU of standard families (A, C, D, H, I, M, R, T, Z)", "L-1216C47A", "on_demand", "standard", 5),
        ("spot vCPU of standard families (A, C, D, H, I, M, R, T, Z)", "L-34B43A08", "spot", "standard", 5),
        ("on-demand vCPU of X families", "L-7295265B", "on_demand", "x", 0),
        ("spot vCPU of X families", "L-E3A00192", "spot", "x", 0),
    )
    for name, code, capacity, family, default in rows:
        yield Quota(
            name=name,
            service="ec2",
            code=code,
            default=default,
            unit="vCPU",
            needed=_needed_vcpus(capacity, family),
            used=_used_vcpus(capacity, family),
        )


QUOTAS: Final = (
    *_vcpu_quotas(),
    Quota(
        name="gp3 storage",
        service="ebs",
        code="L-7A658B76",
        default=50,
        unit="TiB",
        needed=lambda environment: growth.disk_gib(environment) / 1024,
        used=_used_tib,
    ),
    Quota(
        name="Elastic IPs",
        service="ec2",
        code="L-0263D0A3",
        default=5,
        needed=growth.nat_gateways,
        used=_used_addresses,
    ),
    Quota(
        name="VPCs",
        service="vpc",
        code="L-F678F1CE",
        default=5,
        needed=lambda environment: 0 if isinstance(environment.network, ExistingNetwork) else 1,
        used=_used_vpcs,
    ),
    Quota(name="IPv4 ranges per VPC", service="vpc", code="L-83CA0A9D", default=5, needed=_vpc_ranges),
    Quota(
        name="network interfaces",
        service="vpc",
        code="L-DF5E4CA3",
        default=5000,
        needed=growth.interfaces,
        used=_used_interfaces,
    ),
    Quota(
        name="network address usage per VPC",
        service="vpc",
        code="L-BB24F6E5",
        default=64000,
        needed=growth.network_address_usage,
    ),
    Quota(
        name="EKS clusters",
        service="eks",
        code="L-1194D53C",
        default=100,
        needed=lambda environment: len(environment.clusters),
        used=_used_clusters,
    ),
    Quota(
        name="node groups per cluster",
        service="eks",
        code="L-6D54EA21",
        default=30,
        needed=growth.node_groups,
    ),
    Quota(
        name="nodes per node group",
        service="eks",
        code="L-BD136A63",
        default=450,
        needed=growth.largest_node_group,
    ),
)
"""IAM's quota of roles is not here: `iam:GetAccountSummary` tells it together with its usage."""
