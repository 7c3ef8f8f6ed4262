"""What `moka preflight` counts against quotas, held against what the stacks make."""

from collections import Counter

import pytest

from environments import environment_names, load
from moka.assembly import SynthesizedStack
from moka.preflight import growth

Stacks = dict[str, SynthesizedStack]


@pytest.fixture
def made(stacks: Stacks, name: str) -> Counter[tuple[str, str]]:
    """{(stack's name, resource type): number} of an environment."""
    return Counter(
        (path.split("/")[1], each["Type"])
        for path, stack in stacks.items()
        if path.startswith(f"{name}/")
        for each in stack.resources.values()
    )


def total(made: Counter[tuple[str, str]], kind: str) -> int:
    return sum(number for (_, each), number in made.items() if each == kind)


@pytest.mark.parametrize("name", environment_names())
def test_roles_are_counted_from_above_and_not_far_from_it(name: str, made: Counter[tuple[str, str]]) -> None:
    environment, roles = load(name), total(made, "AWS::IAM::Role")

    assert roles <= growth.roles(environment) <= roles + 10 * len(environment.clusters)


@pytest.mark.parametrize("name", environment_names())
def test_addresses_and_groups_are_counted_exactly(name: str, made: Counter[tuple[str, str]]) -> None:
    environment = load(name)
    groups = [number for (_, kind), number in made.items() if kind == "AWS::EKS::Nodegroup"]

    assert growth.nat_gateways(environment) == total(made, "AWS::EC2::EIP") == total(made, "AWS::EC2::NatGateway")
    assert growth.node_groups(environment) == max(groups)
