from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import PropsError, Vpc, VpcProps, ZoneSubnets

Resources = dict[str, dict[str, Any]]
Template = Callable[[Callable[[Any], object]], Resources]


def zone(letter: str, number: int, nodes: tuple[str, ...] | None = None) -> ZoneSubnets:
    return ZoneSubnets(
        zone=f"us-east-1{letter}",
        control_plane=f"10.0.{number}.0/28",
        public=f"10.0.{number}.16/28",
        load_balancer=f"10.0.{number}.32/27",
        nodes=nodes if nodes is not None else (f"100.64.{number * 64}.0/18",),
    )


def props(**changes: Any) -> VpcProps:
    given: dict[str, Any] = {
        "name": "moka-test",
        "cidr": "10.0.0.0/20",
        "secondary_cidrs": ("100.64.0.0/16",),
        "zones": (zone("a", 0), zone("b", 1)),
    }
    return VpcProps(**{**given, **changes})


def kinds(resources: Resources) -> dict[str, int]:
    found: dict[str, int] = {}
    for resource in resources.values():
        kind = resource["Type"].removeprefix("AWS::EC2::")
        found[kind] = found.get(kind, 0) + 1
    return found


def test_minimal_props_give_a_vpc_with_one_way_out(template: Template) -> None:
    found = kinds(template(lambda stack: Vpc(stack, "Vpc", props())))

    assert found == {
        "VPC": 1,
        "VPCCidrBlock": 1,
        "InternetGateway": 1,
        "VPCGatewayAttachment": 1,
        "EIP": 1,
        "NatGateway": 1,
        "Subnet": 7,
        "RouteTable": 3,
        "Route": 3,
        "SubnetRouteTableAssociation": 7,
    }


def test_each_zone_leaves_through_its_own_gateway_when_asked(template: Template) -> None:
    resources = template(lambda stack: Vpc(stack, "Vpc", props(nat="per_zone")))
    targets = [
        each["Properties"].get("NatGatewayId") for each in resources.values() if each["Type"].endswith("::Route")
    ]

    assert kinds(resources)["NatGateway"] == 2
    assert len({str(target) for target in targets if target}) == 2


def test_a_gateway_waits_for_the_route_that_makes_it_useful(template: Template) -> None:
    resources = template(lambda stack: Vpc(stack, "Vpc", props()))
    (gateway,) = (each for each in resources.values() if each["Type"] == "AWS::EC2::NatGateway")

    assert gateway["DependsOn"]
    assert {resources[each]["Type"] for each in gateway["DependsOn"]} == {"AWS::EC2::Route"}


def test_a_zone_with_two_ranges_has_two_subnets_that_each_wait_for_their_range(template: Template) -> None:
    zones = (zone("a", 0, ("100.64.0.0/16", "100.66.0.0/16")), zone("b", 1, ("100.65.0.0/16",)))
    ranges = ("100.64.0.0/16", "100.65.0.0/16", "100.66.0.0/16")
    resources = template(lambda stack: Vpc(stack, "Vpc", props(zones=zones, secondary_cidrs=ranges)))
    waits = {
        each["Properties"]["CidrBlock"]: [resources[on]["Properties"]["CidrBlock"] for on in each["DependsOn"]]
        for each in resources.values()
        if each["Type"] == "AWS::EC2::Subnet" and each["Properties"]["CidrBlock"].startswith("100.")
    }

    assert waits == {cidr: [cidr] for cidr in ranges}


def test_adding_a_zone_at_the_end_changes_nothing_of_the_others(template: Template, tmp_path: Any) -> None:
    before = template(lambda stack: Vpc(stack, "Vpc", props()))
    after = template(lambda stack: Vpc(stack, "Vpc", props(zones=(zone("a", 0), zone("b", 1), zone("c", 2)))))

    assert {key: after[key] for key in before} == before
    assert len(after) > len(before)


def test_fails_with_fewer_than_two_zones(template: Template) -> None:
    with pytest.raises(PropsError, match="at least two availability zones") as error:
        template(lambda stack: Vpc(stack, "Vpc", props(zones=(zone("a", 0),))))

    assert error.value.code == "TooFewZones"
    assert error.value.path == "Test/Vpc"


def test_fails_when_nodes_lie_outside_the_secondary_ranges(template: Template) -> None:
    zones = (zone("a", 0), zone("b", 1, ("100.99.0.0/18",)))

    with pytest.raises(PropsError, match=r"got 100\.99\.0\.0/18; add its range or choose another") as error:
        template(lambda stack: Vpc(stack, "Vpc", props(zones=zones)))

    assert error.value.code == "NodesOutsideRanges"
