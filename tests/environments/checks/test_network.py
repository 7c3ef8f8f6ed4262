"""Network checks by themselves: what is allowed, and where the bounds are. Refusals in full are in `cases/network.yaml`."""

from collections.abc import Callable
from typing import Any

import pytest

from environments.checks import network
from environments.checks.network import NEEDED_ENDPOINTS
from environments.model import Environment

Make = Callable[..., Environment]


@pytest.mark.parametrize("cidr", ["10.40.0.0/16", "10.40.0.0/24", "172.16.0.0/20", "192.168.0.0/20"])
def test_private_ranges_of_a_good_size_are_allowed(cidr: str, environment: Make) -> None:
    assert list(network.new_ranges(environment("dev", {"network.cidr": cidr}))) == []


def test_five_zones_need_a_larger_range(environment: Make) -> None:
    zones = [f"us-east-1{letter}" for letter in "abcde"]

    (finding,) = network.new_ranges(environment("dev", {"network.cidr": "10.40.0.0/24", "network.zones": zones}))

    assert finding.allowed == "a range from /16 to /23 (5 zones)"


@pytest.mark.parametrize("cidr", ["100.64.0.0/16", "100.127.240.0/20"])
def test_pod_ranges_that_nobody_routes_are_allowed(cidr: str, environment: Make) -> None:
    assert list(network.new_ranges(environment("dev", {"network.pod_cidrs": [cidr]}))) == []


def test_a_private_network_with_its_endpoints_is_allowed(environment: Make) -> None:
    made = environment("dev", {"network.nat": "none", "network.interface_endpoints": [*NEEDED_ENDPOINTS, "glue"]})

    assert list(network.private_network(made)) == []


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({"catalog": {"kind": "glue"}}, "glue"),
        ({"identity": {"mechanism": "pod_identity"}}, "eks-auth"),
        ({"identity": {"overrides": {"archer": "pod_identity"}}}, "eks-auth"),
    ],
)
def test_what_the_file_uses_needs_its_endpoint_in_a_private_network(
    changes: dict[str, Any], needed: str, environment: Make
) -> None:
    private = {
        "catalog": {"kind": "none"},
        "network.nat": "none",
        "network.interface_endpoints": list(NEEDED_ENDPOINTS),
    }

    assert list(network.private_network(environment("dev", private))) == []
    (finding,) = network.private_network(environment("dev", {**private, **changes}))
    assert finding.fix == f"add {needed}, or set nat: single"


def test_services_ranges_touching_the_network_are_allowed(environment: Make) -> None:
    assert list(network.overlaps(environment("dev", {"network.cidr": "172.21.0.0/20"}))) == []


def test_an_existing_network_is_not_judged_as_a_new_one(environment: Make) -> None:
    made = environment("staging")

    assert list(network.new_ranges(made)) == []
    assert list(network.private_network(made)) == []
    assert list(network.endpoints_once(made)) == []


def test_a_zone_without_eks_may_be_named_while_the_network_does_not_use_it(environment: Make) -> None:
    made = environment("dev", {"zone_ids": {"us-east-1a": "use1-az1", "us-east-1e": "use1-az3"}})

    assert list(network.identified_zones(made)) == []
