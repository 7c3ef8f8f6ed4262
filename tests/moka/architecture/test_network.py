from __future__ import annotations

from collections.abc import Callable

from moka.architecture.environment import Architecture

from .conftest import Templates, made, node_group, ref

Read = Callable[[Templates], Architecture]


def test_subnets_have_their_range_zone_purpose_and_way_out(demo: Templates, read: Read) -> None:
    found = read(demo).network

    assert [(each.name, each.zone, each.use, each.way_out.text if each.way_out else "") for each in found.subnets] == [
        ("10.0.1.0/24", "eu-west-1a", "public", "via internet gateway"),
        ("100.64.0.0/17", "eu-west-1a", "nodes", "via NAT eu-west-1a"),
        ("100.64.128.0/17", "eu-west-1b", "nodes", "via NAT eu-west-1a"),
    ]
    assert found.zones == ("eu-west-1a", "eu-west-1b")


def test_a_subnet_whose_table_has_no_route_has_no_way_out(demo: Templates, read: Read) -> None:
    del demo["network"]["Route"]

    ways = {each.zone: each.way_out for each in read(demo).network.of_use("nodes")}
    assert [way.text for way in ways.values() if way] == ["no way out", "no way out"]


def test_the_vpc_has_its_name_and_both_kinds_of_range(demo: Templates, read: Read) -> None:
    found = read(demo).network

    assert found.vpc is not None
    assert (found.vpc.text, found.vpc.detail, found.vpc.existing) == ("VPC demo", "10.0.0.0/16", False)
    assert [(each.text, each.of) for each in found.ranges] == [("100.64.0.0/16", ("network/Range",))]


def test_gateways_and_endpoints_are_told_apart(demo: Templates, read: Read) -> None:
    found = read(demo).network

    assert [(nat.zone, nat.elastic_ip) for nat in found.nat_gateways] == [("eu-west-1a", True)]
    assert found.internet_gateway is not None
    assert found.internet_gateway.text == "Internet gateway"
    assert [each.text for each in found.gateway_endpoints] == ["S3"]
    assert [each.text for each in found.interface_endpoints] == ["sts"]


def test_a_gateway_that_is_attached_to_nothing_is_told(demo: Templates, read: Read) -> None:
    del demo["network"]["Attachment"]

    gateway = read(demo).network.internet_gateway
    assert gateway is not None
    assert gateway.text == "Internet gateway, not attached"


def test_of_an_existing_network_only_what_is_named_is_known(read: Read) -> None:
    groups = {zone: node_group("driver", f"eu-west-1{zone}", f"subnet-00{zone}") for zone in ("a", "b")}
    cluster = made("EKS::Cluster", Name="demo-c", ResourcesVpcConfig={"SubnetIds": ["subnet-00c"]})
    balancer = made("ElasticLoadBalancingV2::LoadBalancer", Subnets=["subnet-00d", "subnet-00a"])
    group = made("EC2::SecurityGroup", VpcId="vpc-001")
    rule = made("EC2::SecurityGroupIngress", GroupId=ref("G"), SourceSecurityGroupId="sg-00f")
    found = read(
        {"cluster-c": {"Cluster": cluster, **groups}, "archer": {"L": balancer, "G": group, "R": rule}}
    ).network

    assert found.vpc is not None
    assert (found.vpc.text, found.vpc.existing, found.vpc.of) == ("VPC vpc-001", True, ())
    assert {(each.name, each.use, each.zone) for each in found.subnets} == {
        ("subnet-00c", "control-plane", None),
        ("subnet-00a", "nodes", "eu-west-1a"),
        ("subnet-00b", "nodes", "eu-west-1b"),
        ("subnet-00d", "load-balancer", None),
    }
    assert all(each.existing and not each.of and each.way_out is None for each in found.subnets)
    assert [each.text for each in found.existing_groups] == ["sg-00f"]
    assert (found.ranges, found.nat_gateways, found.internet_gateway) == ((), (), None)


def test_an_environment_without_any_network_has_none(read: Read) -> None:
    assert read({"data": {"B": made("S3::Bucket")}}).network.vpc is None
