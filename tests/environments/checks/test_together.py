"""Environments against each other; `test_loading.py` has the refusals as they are printed."""

from collections.abc import Callable
from ipaddress import IPv4Network

from environments.checks.together import overlapping_networks, routable_ranges
from environments.model import Environment

Make = Callable[..., Environment]


def test_pods_ranges_are_not_routed(environment: Make) -> None:
    assert [cidr for _, cidr in routable_ranges(environment("staging"))] == [IPv4Network("10.60.0.0/20")]
    assert [cidr for _, cidr in routable_ranges(environment("prod"))] == [IPv4Network("10.80.0.0/18")]


def test_a_new_network_inside_an_existing_one_is_told_once(environment: Make) -> None:
    staging, dev = environment("staging"), environment("dev", {"network.cidr": "10.60.8.0/22"})

    ((told, finding),) = overlapping_networks([staging, dev])

    assert told is dev
    assert finding.value == "10.60.8.0/22"


def test_neighbours_are_allowed(environment: Make) -> None:
    dev, test = environment("dev"), environment("test", {"network.cidr": "10.40.16.0/22"})

    assert list(overlapping_networks([dev, test])) == []
