"""Existing networks by themselves. Refusals in full are in `cases/existing-network.yaml`."""

from collections.abc import Callable

from environments.checks import existing_network
from environments.model import Environment

Make = Callable[..., Environment]


def test_a_new_network_is_not_judged_as_an_existing_one(environment: Make) -> None:
    made = environment("dev")

    assert list(existing_network.subnets(made)) == []
    assert list(existing_network.subnets_per_zone(made)) == []
    assert list(existing_network.security_groups(made)) == []


def test_four_security_groups_are_allowed(environment: Make) -> None:
    groups = [f"sg-0000000{number}" for number in range(4)]

    made = environment("staging", {"network.node_security_group_ids": groups})

    assert list(existing_network.security_groups(made)) == []


def test_a_zone_may_have_several_subnets_for_nodes(environment: Make) -> None:
    more = {"id": "subnet-0a1b2c3d4e5f6a004", "zone": "us-east-1a", "use": "nodes", "cidr": "100.64.192.0/19"}
    subnets = [subnet.model_dump() for subnet in environment("staging").network.subnets]  # type: ignore[union-attr]  # staging's network exists

    made = environment("staging", {"network.subnets": [*subnets, more]})

    assert list(existing_network.subnets(made)) == []
    assert list(existing_network.subnets_per_zone(made)) == []


def test_a_subnet_that_is_smaller_than_awss_smallest_is_refused(environment: Make) -> None:
    (finding,) = existing_network.subnets(environment("staging", {"network.subnets.0.cidr": "10.60.0.0/29"}))

    assert finding.allowed == "a /28 or larger, as every AWS subnet"
