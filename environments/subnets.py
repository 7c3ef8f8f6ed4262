"""Divides a network's ranges into subnets: the one place that knows which zone gets which addresses.

The checks size pools against it before anything is deployed, and the network stack makes exactly these subnets. Ranges
are divided in powers of two by position, so that a zone added at the end moves no other zone's subnets as long as there
is a free part: two zones and three zones of one range differ, three and four do not.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

from environments.network import ExistingNetwork, Network, NewNetwork

RESERVED_ADDRESSES: Final = 5
"""AWS keeps the first four addresses and the last one of every subnet."""
PREFIX_ADDRESSES: Final = 16
"""The VPC CNI hands pods addresses in /28 blocks (prefix delegation)."""
PREFIXES_PER_INTERFACE: Final = 14
"""/28 blocks of one network interface from xlarge on: 15 addresses, the first is the interface's own.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/AvailableIpPerENI.html"""


@dataclass(frozen=True, kw_only=True)
class RoutedSubnets:
    """The small subnets of one zone in the primary range."""

    load_balancer: IPv4Network
    control_plane: IPv4Network
    public: IPv4Network
    """For the NAT gateway; has no use in a network without one."""


def pod_subnets(network: NewNetwork) -> dict[str, tuple[IPv4Network, ...]]:
    """Return each zone's subnets for nodes and pods: its share of the pod ranges laid end to end.

    Three zones: one /16 gives each a quarter (/18, the fourth is free), three /16 give each its own.
    """
    ranges = [IPv4Network(cidr) for cidr in network.pod_cidrs]
    zones = network.zones
    bits = 0
    while len(ranges) << bits < len(zones):
        bits += 1
    parts = [part for each in ranges for part in each.subnets(prefixlen_diff=bits)]
    share = len(parts) // len(zones)
    return {zone: tuple(parts[number * share : (number + 1) * share]) for number, zone in enumerate(zones)}


def routed_subnets(network: NewNetwork) -> dict[str, RoutedSubnets]:
    """Return each zone's part of the primary range: half for load balancers, a quarter each for the other two.

    Up to four zones get a quarter of the range each, five and six an eighth. ValueError when a subnet would be smaller
    than AWS' /28; the checks refuse such a file.
    """
    bits = 2 if len(network.zones) <= 4 else 3
    slots = IPv4Network(network.cidr).subnets(prefixlen_diff=bits)
    found = {}
    for zone, slot in zip(network.zones, slots, strict=False):
        if slot.prefixlen + 2 > 28:
            raise ValueError(f"{network.cidr} is too small for {len(network.zones)} zones")
        first, second = slot.subnets()
        control_plane, public = second.subnets()
        found[zone] = RoutedSubnets(load_balancer=first, control_plane=control_plane, public=public)
    return found


def node_subnets(network: Network) -> dict[str, tuple[IPv4Network, ...]]:
    """Return each zone's subnets for nodes and pods, of a new or an existing network."""
    if isinstance(network, ExistingNetwork):
        return {
            zone: tuple(
                IPv4Network(subnet.cidr) for subnet in network.subnets if subnet.use == "nodes" and subnet.zone == zone
            )
            for zone in network.zones
        }
    return pod_subnets(network)


def blocks_in(subnets: tuple[IPv4Network, ...]) -> int:
    """Return how many /28 blocks the subnets can hand out; two of each hold the addresses that AWS keeps."""
    return sum(max(0, subnet.num_addresses // PREFIX_ADDRESSES - 2) for subnet in subnets)


def blocks_per_node(max_pods: int) -> int:
    """Return the /28 blocks that a full node holds: its pods' and the one that the CNI keeps warm."""
    return -(-max_pods // PREFIX_ADDRESSES) + 1


def interfaces_per_node(max_pods: int) -> int:
    """Return the network interfaces that a full node holds."""
    return -(-blocks_per_node(max_pods) // PREFIXES_PER_INTERFACE)


def blocks_spent_on_node(max_pods: int) -> int:
    """Return the /28 blocks that no other node can have once this one is full.

    Beside its own that is one for each interface: EC2 picks the interface's address anywhere in the subnet, and a block of
    which one address is taken can be handed out to nobody.
    """
    return blocks_per_node(max_pods) + interfaces_per_node(max_pods)
