"""What an environment can grow to, from its file alone: the numbers that quotas and subnets are held against.

Everything is counted at the pools' maxima, raised to the highest that a schedule sets. Numbers of things that the platform
adds by itself are upper bounds with their reason; nothing here asks AWS.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from environments import Environment
from environments.clusters import Cluster, Pool
from environments.instances import instance_types
from environments.network import NewNetwork
from environments.subnets import PREFIX_ADDRESSES, blocks_per_node, blocks_spent_on_node
from environments.subnets import interfaces_per_node as interfaces_of

Capacity = Literal["on_demand", "spot"]
Family = Literal["standard", "x"]

CONTROL_PLANE_INTERFACES: Final = 4
"""EKS makes two to four interfaces per cluster (https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html)."""
CLUSTER_WORKLOAD_ROLES: Final = 14
"""IAM roles per cluster beside the teams': control plane, nodes, VPC CNI, EBS CSI, tagger, two of schedules, autoscaler, History
Server, log shipping, ManifestSet, and on Archer's host Archer, its migration and the load balancer controller. A test
counts those of the templates."""
ENVIRONMENT_ROLES: Final = 3
"""IAM roles per environment: flow logs, pull-through caches, the database's monitoring."""


@dataclass(frozen=True, kw_only=True)
class GroupSize:
    """A pool in one zone: one managed node group."""

    cluster: Cluster
    pool: Pool
    zone: str
    nodes: int
    """The most nodes it can have."""


def group_sizes(environment: Environment) -> Iterator[GroupSize]:
    """Yield every node group at its maximum."""
    for cluster in environment.clusters:
        for pool in cluster.pools:
            nodes = most_nodes(environment, cluster, pool)
            for zone in environment.pool_zones(pool):
                yield GroupSize(cluster=cluster, pool=pool, zone=zone, nodes=nodes)


def most_nodes(environment: Environment, cluster: Cluster, pool: Pool) -> int:
    """Return the most nodes of the pool in one zone, schedules included."""
    scheduled = [
        schedule.max_nodes_per_zone
        for schedule in environment.schedules
        if (schedule.cluster, schedule.pool) == (cluster.name, pool.name)
    ]
    return max([pool.max_nodes_per_zone, *scheduled])


def family_of(instance_type: str) -> Family | None:
    """Return the vCPU quota's family of a type; None for families that the instance table does not have."""
    letters = re.match(r"[a-z]+(?=\d)", instance_type)
    if letters is None:
        return None
    if letters[0] == "x":
        return "x"
    # im4gn and is4gen are storage families of the standard quota; inf, trn, dl, hpc, vt, mac and u- are not
    return "standard" if letters[0] in {*"acdhimrtz", "im", "is"} else None


def vcpus(environment: Environment) -> Counter[tuple[Capacity, Family]]:
    """Return the vCPU of all pools at their maxima, by the quota that counts them."""
    total: Counter[tuple[Capacity, Family]] = Counter()
    for group in group_sizes(environment):
        by_family: dict[Family, int] = {}
        for name in group.pool.instance_types:
            family, known = family_of(name), instance_types().get(name)
            if family is not None and known is not None:
                by_family[family] = max(by_family.get(family, 0), known.vcpu)
        for family, vcpu in by_family.items():
            total[group.pool.capacity, family] += group.nodes * vcpu
    return total


def disk_gib(environment: Environment) -> int:
    """Return the gp3 root volumes of all nodes, GiB."""
    return sum(group.nodes * group.pool.disk_gib for group in group_sizes(environment))


def nat_gateways(environment: Environment) -> int:
    """Return how many NAT gateways, and so Elastic IPs, are made."""
    network = environment.network
    if not isinstance(network, NewNetwork) or network.nat == "none":
        return 0
    return len(network.zones) if network.nat == "per_zone" else 1


def interfaces_per_node(pool: Pool) -> int:
    """Return the network interfaces that a full node holds."""
    return interfaces_of(pool.max_pods)


def addresses_per_node(pool: Pool) -> int:
    """Return the addresses that a full node takes from its subnet: its interfaces' own and its pods' /28 blocks."""
    return interfaces_per_node(pool) + PREFIX_ADDRESSES * blocks_per_node(pool.max_pods)


def addresses_spent_on_node(pool: Pool) -> int:
    """Return the addresses that no other node can use once this one is full, when its own lie as badly as they can."""
    return PREFIX_ADDRESSES * blocks_spent_on_node(pool.max_pods)


def platform_interfaces(environment: Environment) -> int:
    """Return the interfaces that are no node's: control planes, endpoints, NAT, load balancer, database."""
    network = environment.network
    zones = len(network.zones)
    endpoints = len(network.interface_endpoints) * zones if isinstance(network, NewNetwork) else 0
    database = 1 + environment.archer.database.readers
    return (
        CONTROL_PLANE_INTERFACES * len(environment.clusters) + endpoints + nat_gateways(environment) + zones + database
    )


def interfaces(environment: Environment) -> int:
    """Return all network interfaces."""
    nodes = sum(group.nodes * interfaces_per_node(group.pool) for group in group_sizes(environment))
    return nodes + platform_interfaces(environment)


def network_address_usage(environment: Environment) -> int:
    """Return the VPC's address usage units: one per interface's address, one per /28 block.

    https://docs.aws.amazon.com/vpc/latest/userguide/network-address-usage.html
    """
    blocks = sum(group.nodes * blocks_per_node(group.pool.max_pods) for group in group_sizes(environment))
    return interfaces(environment) + blocks


def node_groups(environment: Environment) -> int:
    """Return the node groups of the cluster that has the most."""
    counts = Counter(group.cluster.name for group in group_sizes(environment))
    return max(counts.values(), default=0)


def largest_node_group(environment: Environment) -> int:
    """Return the nodes of the largest node group."""
    return max((group.nodes for group in group_sizes(environment)), default=0)


def roles(environment: Environment) -> int:
    """Return the IAM roles that all stacks make together, an upper bound."""
    per_cluster = sum(CLUSTER_WORKLOAD_ROLES + len(environment.teams_on(cluster)) for cluster in environment.clusters)
    return per_cluster + ENVIRONMENT_ROLES
