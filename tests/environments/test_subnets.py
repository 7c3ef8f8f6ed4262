"""How ranges are divided: which zone gets which addresses, and what moves when a zone is added."""

from ipaddress import IPv4Network
from itertools import combinations

import pytest

from environments import load
from environments.network import NewNetwork
from environments.subnets import (
    blocks_in,
    blocks_per_node,
    blocks_spent_on_node,
    interfaces_per_node,
    node_subnets,
    pod_subnets,
    routed_subnets,
)

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1e", "us-east-1f")


def _network(zones: int, pod_cidrs: tuple[str, ...] = ("100.64.0.0/16",), cidr: str = "10.40.0.0/20") -> NewNetwork:
    return NewNetwork(mode="new", cidr=cidr, zones=ZONES[:zones], pod_cidrs=pod_cidrs)


@pytest.mark.parametrize(
    ("zones", "ranges", "share"),
    [
        (2, ("100.64.0.0/16",), ["100.64.0.0/17"]),
        (3, ("100.64.0.0/16",), ["100.64.0.0/18"]),
        (3, ("100.64.0.0/16", "100.65.0.0/16"), ["100.64.0.0/17"]),
        (3, ("100.64.0.0/16", "100.65.0.0/16", "100.66.0.0/16"), ["100.64.0.0/16"]),
        (2, ("100.64.0.0/16", "100.65.0.0/16", "100.66.0.0/16", "100.67.0.0/16"), ["100.64.0.0/16", "100.65.0.0/16"]),
        (6, ("100.64.0.0/16",), ["100.64.0.0/19"]),
    ],
)
def test_the_first_zone_gets_its_share(zones: int, ranges: tuple[str, ...], share: list[str]) -> None:
    assert [str(subnet) for subnet in pod_subnets(_network(zones, ranges))["us-east-1a"]] == share


@pytest.mark.parametrize("zones", range(2, 7))
@pytest.mark.parametrize("ranges", range(1, 5))
def test_subnets_are_apart_and_inside_their_ranges(zones: int, ranges: int) -> None:
    network = _network(zones, tuple(f"100.{64 + number}.0.0/16" for number in range(ranges)))
    subnets = [subnet for of_zone in pod_subnets(network).values() for subnet in of_zone]
    small = [
        subnet
        for zone in routed_subnets(network).values()
        for subnet in (zone.load_balancer, zone.control_plane, zone.public)
    ]

    assert set(pod_subnets(network)) == set(routed_subnets(network)) == set(network.zones)
    assert not [pair for pair in combinations([*subnets, *small], 2) if pair[0].overlaps(pair[1])]
    assert all(any(subnet.subnet_of(IPv4Network(cidr)) for cidr in network.pod_cidrs) for subnet in subnets)
    assert all(subnet.subnet_of(IPv4Network(network.cidr)) for subnet in small)


def test_a_fourth_zone_moves_no_subnet_of_three() -> None:
    three, four = _network(3), _network(4)

    assert {zone: pod_subnets(four)[zone] for zone in three.zones} == pod_subnets(three)
    assert {zone: routed_subnets(four)[zone] for zone in three.zones} == routed_subnets(three)


@pytest.mark.parametrize(("cidr", "zones"), [("10.40.0.0/24", 4), ("10.40.0.0/23", 6)])
def test_the_smallest_range_that_the_checks_allow_has_room(cidr: str, zones: int) -> None:
    plan = routed_subnets(_network(zones, cidr=cidr))

    assert all(zone.control_plane.prefixlen == zone.public.prefixlen == 28 for zone in plan.values())
    assert all(zone.load_balancer.prefixlen == 27 for zone in plan.values())


def test_a_range_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="too small for 6 zones"):
        routed_subnets(_network(6, cidr="10.40.0.0/24"))


def test_an_existing_network_has_the_subnets_of_the_file() -> None:
    subnets = node_subnets(load("staging").network)

    assert {zone: [str(subnet) for subnet in of_zone] for zone, of_zone in subnets.items()} == {
        "us-east-1a": ["100.64.0.0/18"],
        "us-east-1b": ["100.64.64.0/18"],
        "us-east-1c": ["100.64.128.0/18"],
    }


def test_blocks_are_counted_as_prefix_delegation_takes_them() -> None:
    assert blocks_per_node(110) == 8
    assert blocks_per_node(16) == 2
    assert blocks_per_node(17) == 3
    assert [interfaces_per_node(pods) for pods in (110, 208, 209, 250)] == [1, 1, 2, 2]
    assert [blocks_spent_on_node(pods) for pods in (16, 110, 250)] == [3, 9, 19]
    assert blocks_in((IPv4Network("100.64.0.0/18"),)) == 1022
    assert blocks_in((IPv4Network("100.64.0.0/28"),)) == 0
