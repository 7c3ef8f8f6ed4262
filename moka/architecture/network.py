"""The network as the templates have it: the VPC with its ranges, subnets by zone and purpose, and the ways out of it.

Of a network that exists already the templates name ids only. A subnet's purpose is then told by what is put into it, and its zone by
the node groups in it; where neither is told, neither is made up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from moka.architecture.facts import Fact
from moka.architecture.resources import keys, texts, written
from moka.inventory import zone_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moka.architecture.resources import Resource, Resources

USES: Final = ("public", "load-balancer", "control-plane", "nodes", "other")
"""Purposes of subnets, from the outside in."""
_GROUP_ID: Final = re.compile(r"sg-[0-9a-f]+")
_TAG: Final = "moka.dev/subnet"
_GATEWAY_NAMES: Final = {"s3": "S3", "dynamodb": "DynamoDB"}
"""The services that have gateway endpoints, as people write them."""
_PLACED: Final = (
    ("AWS::EKS::Cluster", ("ResourcesVpcConfig", "SubnetIds"), "control-plane"),
    ("AWS::EKS::Nodegroup", ("Subnets",), "nodes"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", ("Subnets",), "load-balancer"),
    ("AWS::RDS::DBSubnetGroup", ("SubnetIds",), "load-balancer"),
)
"""(type, property, purpose) of what is put into subnets; the first that names a subnet tells its purpose."""


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """One subnet."""

    of: tuple[str, ...]
    name: str
    """Its range; the id of one that exists already."""
    use: str
    """One of USES."""
    zone: str | None
    """None when the templates do not tell it."""
    way_out: Fact | None
    """Its default route; None for none, and for one of a network that exists already."""
    existing: bool = False


@dataclass(frozen=True, kw_only=True)
class NatGateway:
    """One NAT gateway with its address."""

    of: tuple[str, ...]
    zone: str | None
    elastic_ip: bool
    """Whether its address is one that the templates make."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """The one VPC of an environment."""

    vpc: Fact | None
    """Its name, and its primary range as detail; the id alone when it exists already; None when no template tells."""
    ranges: tuple[Fact, ...] = ()
    """Secondary ranges."""
    subnets: tuple[Subnet, ...] = ()
    nat_gateways: tuple[NatGateway, ...] = ()
    internet_gateway: Fact | None = None
    gateway_endpoints: tuple[Fact, ...] = ()
    interface_endpoints: tuple[Fact, ...] = ()
    flow_logs: tuple[Fact, ...] = ()
    existing_groups: tuple[Fact, ...] = ()
    """Security groups that exist already."""
    zones: tuple[str, ...] = ()
    """Those that are told, in order."""

    def of_use(self, use: str) -> tuple[Subnet, ...]:
        return tuple(subnet for subnet in self.subnets if subnet.use == use)


def read_network(resources: Resources) -> Network:
    """The network of these resources."""
    subnets = (*_own_subnets(resources), *_existing_subnets(resources))
    endpoints = resources.of_kind("AWS::EC2::VPCEndpoint")
    interface = [each for each in endpoints if each.get("VpcEndpointType") == "Interface"]
    groups = resources.of_kind("AWS::EKS::Nodegroup")
    zones = {subnet.zone for subnet in subnets} | {zone_of(str(group.get("NodegroupName"))) for group in groups}
    return Network(
        vpc=_vpc(resources),
        ranges=tuple(
            Fact(of=keys(block), text=str(block.get("CidrBlock")))
            for block in resources.of_kind("AWS::EC2::VPCCidrBlock")
        ),
        subnets=subnets,
        nat_gateways=tuple(_nat_gateways(resources)),
        internet_gateway=_internet_gateway(resources),
        gateway_endpoints=tuple(_endpoint(each) for each in endpoints if each not in interface),
        interface_endpoints=tuple(_endpoint(each) for each in interface),
        flow_logs=tuple(
            Fact(of=keys(each), text=f"flow logs of {str(each.get('TrafficType', default='ALL')).lower()} traffic")
            for each in resources.of_kind("AWS::EC2::FlowLog")
        ),
        existing_groups=tuple(Fact(of=(), text=group, existing=True) for group in sorted(_existing_groups(resources))),
        zones=tuple(sorted(zone for zone in zones if zone is not None)),
    )


def _vpc(resources: Resources) -> Fact | None:
    for vpc in resources.of_kind("AWS::EC2::VPC"):
        name = vpc.tags.get("Name", vpc.logical_id)
        return Fact(of=keys(vpc), text=f"VPC {name}", detail=str(vpc.get("CidrBlock", default="")))
    ids = [written(each.get("VpcId")) for each in resources]
    first = next((each for each in ids if each is not None), None)
    return None if first is None else Fact(of=(), text=f"VPC {first}", existing=True)


def _existing_groups(resources: Resources) -> set[str]:
    return {text for each in resources for text in texts(each.properties) if _GROUP_ID.fullmatch(text)}


def _own_subnets(resources: Resources) -> Iterator[Subnet]:
    for subnet in resources.of_kind("AWS::EC2::Subnet"):
        use = subnet.tags.get(_TAG, USES[-1])
        yield Subnet(
            of=keys(subnet),
            name=str(subnet.get("CidrBlock")),
            use=use if use in USES else USES[-1],
            zone=written(subnet.get("AvailabilityZone")),
            way_out=_way_out(resources, subnet),
        )


def _existing_subnets(resources: Resources) -> Iterator[Subnet]:
    uses: dict[str, str] = {}
    zones: dict[str, str | None] = {}
    for kind, path, use in _PLACED:
        for placed in resources.of_kind(kind):
            for subnet_id in filter(None, map(written, placed.get(*path, default=()))):
                uses.setdefault(subnet_id, use)
                if kind == "AWS::EKS::Nodegroup":
                    zones[subnet_id] = zone_of(str(placed.get("NodegroupName")))
    for subnet_id, use in uses.items():
        yield Subnet(of=(), name=subnet_id, use=use, zone=zones.get(subnet_id), way_out=None, existing=True)


def _way_out(resources: Resources, subnet: Resource) -> Fact | None:
    for association in resources.referring(subnet, ["AWS::EC2::SubnetRouteTableAssociation"], "SubnetId"):
        table = resources.at(association, association.get("RouteTableId"))
        routes = resources.referring(table, ["AWS::EC2::Route"], "RouteTableId") if table is not None else []
        for route in routes:
            nat = resources.at(route, route.get("NatGatewayId"))
            gateway = resources.at(route, route.get("GatewayId"))
            if nat is not None:
                zone = _zone(resources, nat)
                return Fact(of=keys(association, table, route), text=f"via NAT {zone}" if zone else "via NAT")
            if gateway is not None:
                return Fact(of=keys(association, table, route), text="via internet gateway")
        return Fact(of=keys(association, table), text="no way out")
    return None


def _zone(resources: Resources, nat: Resource) -> str | None:
    subnet = resources.at(nat, nat.get("SubnetId"))
    return None if subnet is None else written(subnet.get("AvailabilityZone"))


def _nat_gateways(resources: Resources) -> Iterator[NatGateway]:
    for nat in resources.of_kind("AWS::EC2::NatGateway"):
        address = resources.at(nat, nat.get("AllocationId"))
        yield NatGateway(of=keys(nat, address), zone=_zone(resources, nat), elastic_ip=address is not None)


def _internet_gateway(resources: Resources) -> Fact | None:
    for gateway in resources.of_kind("AWS::EC2::InternetGateway"):
        attachments = resources.referring(gateway, ["AWS::EC2::VPCGatewayAttachment"], "InternetGatewayId")
        text = "Internet gateway" if attachments else "Internet gateway, not attached"
        return Fact(of=keys(gateway, attachments), text=text)
    return None


def _endpoint(endpoint: Resource) -> Fact:
    service = str(endpoint.get("ServiceName")).split(".", 3)[-1]
    return Fact(of=keys(endpoint), text=_GATEWAY_NAMES.get(service, service), tip=str(endpoint.get("ServiceName")))
