import ipaddress
from collections.abc import Callable
from typing import Any

import pytest

from environments import load
from environments.network import NewNetwork
from environments.subnets import pod_subnets
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]
OfKind = Callable[[SynthesizedStack, str], list[dict[str, Any]]]


def new_network(name: str) -> NewNetwork:
    network = load(name).network
    assert isinstance(network, NewNetwork)
    return network


def subnets(stack: SynthesizedStack, use: str) -> dict[str, dict[str, Any]]:
    found = {}
    for logical_id, resource in stack.resources.items():
        tags = {tag["Key"]: tag["Value"] for tag in resource.get("Properties", {}).get("Tags", [])}
        if resource["Type"] == "AWS::EC2::Subnet" and tags["moka.dev/subnet"] == use:
            found[logical_id] = {**resource, "tags": tags}
    return found


def test_zones_are_those_of_the_file_and_never_picked_by_cloudformation(stacks: Stacks) -> None:
    for name in ("test", "dev", "prod"):
        zones = {
            subnet["Properties"]["AvailabilityZone"] for subnet in subnets(stacks[f"{name}/network"], "nodes").values()
        }

        assert zones == set(new_network(name).zones)


def test_nodes_and_pods_live_in_the_secondary_ranges_as_the_environment_divides_them(stacks: Stacks) -> None:
    network = new_network("prod")
    expected = {str(subnet) for parts in pod_subnets(network).values() for subnet in parts}
    found = {each["Properties"]["CidrBlock"] for each in subnets(stacks["prod/network"], "nodes").values()}

    assert found == expected
    ranges = [ipaddress.IPv4Network(cidr) for cidr in network.pod_cidrs]
    assert all(any(ipaddress.IPv4Network(cidr).subnet_of(each) for each in ranges) for cidr in found)


def test_a_subnet_of_a_secondary_range_waits_for_that_range(stacks: Stacks) -> None:
    stack = stacks["prod/network"]
    blocks = {
        logical_id: resource["Properties"]["CidrBlock"]
        for logical_id, resource in stack.resources.items()
        if resource["Type"] == "AWS::EC2::VPCCidrBlock"
    }

    for subnet in subnets(stack, "nodes").values():
        (block,) = (blocks[each] for each in subnet["DependsOn"] if each in blocks)
        inside = ipaddress.IPv4Network(subnet["Properties"]["CidrBlock"])
        assert inside.subnet_of(ipaddress.IPv4Network(block))
    assert set(blocks.values()) == set(new_network("prod").pod_cidrs)


def test_control_plane_interfaces_have_small_subnets_of_their_own_in_the_primary_range(stacks: Stacks) -> None:
    network = new_network("dev")
    found = [
        ipaddress.IPv4Network(each["Properties"]["CidrBlock"])
        for each in subnets(stacks["dev/network"], "control-plane").values()
    ]

    assert len(found) == len(network.zones)
    assert all(each.subnet_of(ipaddress.IPv4Network(network.cidr)) and each.prefixlen <= 28 for each in found)


def test_nothing_gets_a_public_address_by_itself(stacks: Stacks, of_kind: OfKind) -> None:
    for subnet in of_kind(stacks["prod/network"], "AWS::EC2::Subnet"):
        assert subnet["MapPublicIpOnLaunch"] is False


@pytest.mark.parametrize(("name", "gateways"), [("dev", 1), ("prod", 3)])
def test_nat_gateways_are_one_or_one_per_zone_as_the_file_says(
    stacks: Stacks, of_kind: OfKind, name: str, gateways: int
) -> None:
    stack = stacks[f"{name}/network"]
    routes = [each for each in of_kind(stack, "AWS::EC2::Route") if "NatGatewayId" in each]

    assert len(of_kind(stack, "AWS::EC2::NatGateway")) == gateways
    assert len({str(route["NatGatewayId"]) for route in routes}) == gateways
    assert len(routes) == len(new_network(name).zones)


def test_without_nat_there_is_no_way_to_the_internet(dev_with: Callable[..., Stacks], of_kind: OfKind) -> None:
    stack = dev_with(network={"nat": "none"})["dev/network"]

    for kind in ("InternetGateway", "NatGateway", "EIP", "Route"):
        assert of_kind(stack, f"AWS::EC2::{kind}") == []
    assert subnets(stack, "public") == {}


def test_s3_is_always_reached_through_a_gateway_endpoint_from_every_private_subnet(
    stacks: Stacks, of_kind: OfKind
) -> None:
    for name in ("test", "dev", "prod"):
        stack = stacks[f"{name}/network"]
        (gateway,) = (each for each in of_kind(stack, "AWS::EC2::VPCEndpoint") if each["VpcEndpointType"] == "Gateway")

        assert gateway["ServiceName"].endswith(".s3")
        private = {
            str(each["RouteTableId"])
            for each in of_kind(stack, "AWS::EC2::SubnetRouteTableAssociation")
            if "Public" not in str(each["SubnetId"])
        }
        assert {str(table) for table in gateway["RouteTableIds"]} == private


def test_interface_endpoints_are_those_of_the_file_and_open_to_the_vpc_alone(stacks: Stacks, of_kind: OfKind) -> None:
    for name in ("test", "dev", "prod"):
        network = new_network(name)
        stack = stacks[f"{name}/network"]
        interfaces = [
            each for each in of_kind(stack, "AWS::EC2::VPCEndpoint") if each["VpcEndpointType"] == "Interface"
        ]
        prefix = f"com.amazonaws.{load(name).region}."

        assert {each["ServiceName"] for each in interfaces} == {prefix + each for each in network.interface_endpoints}
        assert all(each["PrivateDnsEnabled"] for each in interfaces)
        groups = of_kind(stack, "AWS::EC2::SecurityGroup")
        assert len(groups) == (1 if interfaces else 0)
        for group in groups:
            sources = {(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupIngress"]}
            assert sources == {(cidr, 443, 443) for cidr in (network.cidr, *network.pod_cidrs)}


def test_load_balancer_subnets_carry_the_discovery_tags(stacks: Stacks) -> None:
    found = subnets(stacks["prod/network"], "load-balancer")

    assert len(found) == 3
    for subnet in found.values():
        assert subnet["tags"]["kubernetes.io/role/internal-elb"] == "1"
        assert subnet["tags"]["kubernetes.io/cluster/moka-prod-batch"] == "shared"
        assert subnet["tags"]["kubernetes.io/cluster/moka-prod-adhoc"] == "shared"


def test_flow_logs_are_kept_as_long_as_the_file_says_and_null_makes_none(stacks: Stacks, of_kind: OfKind) -> None:
    (group,) = of_kind(stacks["dev/network"], "AWS::Logs::LogGroup")

    assert group["RetentionInDays"] == new_network("dev").flow_log_retention_days
    assert len(of_kind(stacks["dev/network"], "AWS::EC2::FlowLog")) == 1
    assert new_network("test").flow_log_retention_days is None
    assert of_kind(stacks["test/network"], "AWS::EC2::FlowLog") == []


def test_an_existing_network_adds_no_vpc_no_subnet_no_route_and_no_gateway(stacks: Stacks) -> None:
    assert load("staging").network.mode == "existing"
    kinds = {
        resource["Type"]
        for path, stack in stacks.items()
        if path.startswith("staging/")
        for resource in stack.resources.values()
    }
    forbidden = ("VPC", "Subnet", "Route", "RouteTable", "InternetGateway", "NatGateway", "VPCEndpoint", "VPCCidrBlock")

    assert "staging/network" not in stacks
    assert not kinds & {f"AWS::EC2::{kind}" for kind in forbidden}


def test_an_existing_network_is_used_by_id(stacks: Stacks, of_kind: OfKind) -> None:
    network = load("staging").network
    assert network.mode == "existing"
    stack = stacks["staging/cluster-batch"]
    (cluster,) = of_kind(stack, "AWS::EKS::Cluster")
    given = {subnet.id for subnet in network.subnets if subnet.use == "nodes"}

    assert set(cluster["ResourcesVpcConfig"]["SubnetIds"]) == {
        subnet.id for subnet in network.subnets if subnet.use == "control_plane"
    }
    used = {subnet for group in of_kind(stack, "AWS::EKS::Nodegroup") for subnet in group["Subnets"]}
    assert used == given


def test_the_vpc_carries_the_name_by_which_the_load_balancer_controller_finds_it(
    stacks: Stacks, of_kind: OfKind
) -> None:
    for name in ("test", "dev", "prod"):
        (vpc,) = of_kind(stacks[f"{name}/network"], "AWS::EC2::VPC")

        assert {"Key": "Name", "Value": f"moka-{name}"} in vpc["Tags"]
