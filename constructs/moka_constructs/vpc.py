"""A VPC for EKS: small routed subnets in the primary range, nodes and pods in secondary ranges that nobody routes.

Subnets and their ranges come in as props, computed by the caller: a construct that carves addresses by counting would
move every subnet when a zone is added. Zones are names, never looked up.
"""

import dataclasses
import ipaddress
from collections.abc import Mapping
from typing import Literal

from aws_cdk import Acknowledgment, CfnTag, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from moka_constructs.errors import PropsError

Nat = Literal["none", "single", "per_zone"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ZoneSubnets:
    """The ranges of one availability zone."""

    zone: str
    """Name of the zone: us-east-1a."""
    control_plane: str
    """/28 or larger in the primary range for EKS' interfaces; EKS asks for 6 free addresses, 16 while it upgrades."""
    load_balancer: str
    """Range in the primary range for internal load balancers and interface endpoints."""
    public: str
    """Range in the primary range for NAT gateways; used only where there are any."""
    nodes: tuple[str, ...]
    """Ranges inside the secondary ranges for nodes and their pods."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class VpcProps:
    """The address plan and the way out."""

    name: str
    """Name tag of the VPC; subnets and gateways are named after it."""
    cidr: str
    """Primary range."""
    secondary_cidrs: tuple[str, ...]
    zones: tuple[ZoneSubnets, ...]
    nat: Nat = "single"
    """none: no way out, no public subnets. single: one gateway in the first zone. per_zone: one per zone."""
    cluster_names: tuple[str, ...] = ()
    """EKS clusters that share the subnets: load-balancer controllers find subnets by a tag per cluster."""


class Vpc(Construct):
    """The VPC with subnets, route tables and gateways. Ids are tokens; zones keep the order of the props."""

    def __init__(self, scope: Construct, construct_id: str, props: VpcProps) -> None:
        super().__init__(scope, construct_id)
        if len({zone.zone for zone in props.zones}) < 2:
            raise PropsError(
                "TooFewZones",
                f"`zones` must name at least two availability zones (EKS' rule), got {[zone.zone for zone in props.zones]}; add one",
                self,
            )
        self._props = props
        vpc = ec2.CfnVPC(
            self,
            "Resource",
            cidr_block=props.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=[CfnTag(key="Name", value=props.name)],
        )
        self.vpc_id: str = vpc.ref
        Validations.of(self).acknowledge(
            Acknowledgment(
                id="CloudFormation-Validate::W3010",
                reason="zones are part of the address plan: a template that picks them itself moves subnets",
            )
        )
        self.cidrs = (props.cidr, *props.secondary_cidrs)
        self._blocks = {
            cidr: ec2.CfnVPCCidrBlock(self, f"Range{number}", vpc_id=self.vpc_id, cidr_block=cidr)
            for number, cidr in enumerate(props.secondary_cidrs, start=1)
        }
        self.route_table_ids: list[str] = []
        """Route tables of the private subnets, one per zone."""
        self.control_plane_subnet_ids: list[str] = []
        self.load_balancer_subnet_ids: list[str] = []
        self.node_subnet_ids: dict[str, list[str]] = {}
        """{zone: subnet ids}."""
        self.nat_gateway_ids: dict[str, str] = {}
        """{zone: id of the NAT gateway that stands there}; tokens."""
        gateways = self._nat_gateways()
        for zone in props.zones:
            self._private_subnets(zone, gateways)

    def _nat_gateways(self) -> dict[str, str]:
        """Return {zone: id of the NAT gateway that its nodes leave through}; empty without NAT."""
        props = self._props
        if props.nat == "none":
            return {}
        internet = ec2.CfnInternetGateway(self, "InternetGateway", tags=[CfnTag(key="Name", value=props.name)])
        internet_id = internet.ref
        attachment = ec2.CfnVPCGatewayAttachment(
            self, "InternetAttachment", vpc_id=self.vpc_id, internet_gateway_id=internet_id
        )
        table = ec2.CfnRouteTable(self, "PublicRoutes", vpc_id=self.vpc_id, tags=self._name("public"))
        table_id = table.ref
        route = ec2.CfnRoute(
            self,
            "PublicDefaultRoute",
            route_table_id=table_id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=internet_id,
        )
        route.add_resource_dependency(attachment)
        gateways: dict[str, str] = {}
        for zone in props.zones if props.nat == "per_zone" else props.zones[:1]:
            suffix = _suffix(zone.zone)
            subnet = self._subnet(f"Public{suffix}", zone.zone, zone.public, "public", {"kubernetes.io/role/elb": "1"})
            subnet_id = self._associate(f"Public{suffix}Routes", subnet, table_id)
            address = ec2.CfnEIP(self, f"NatAddress{suffix}", domain="vpc", tags=self._name(f"nat-{zone.zone}"))
            address.add_resource_dependency(attachment)
            gateway = ec2.CfnNatGateway(
                self,
                f"Nat{suffix}",
                subnet_id=subnet_id,
                allocation_id=address.attr_allocation_id,
                tags=self._name(f"nat-{zone.zone}"),
            )
            gateway.add_resource_dependency(route)
            gateways[zone.zone] = gateway.ref
        self.nat_gateway_ids = dict(gateways)
        first = next(iter(gateways.values()))
        return {zone.zone: gateways.get(zone.zone, first) for zone in props.zones}

    def _private_subnets(self, zone: ZoneSubnets, gateways: dict[str, str]) -> None:
        suffix = _suffix(zone.zone)
        table = ec2.CfnRouteTable(self, f"Routes{suffix}", vpc_id=self.vpc_id, tags=self._name(f"private-{zone.zone}"))
        table_id: str = table.ref
        self.route_table_ids.append(table_id)
        if gateways:
            ec2.CfnRoute(
                self,
                f"DefaultRoute{suffix}",
                route_table_id=table_id,
                destination_cidr_block="0.0.0.0/0",
                nat_gateway_id=gateways[zone.zone],
            )
        control_plane = self._subnet(f"ControlPlane{suffix}", zone.zone, zone.control_plane, "control-plane")
        self.control_plane_subnet_ids.append(self._associate(f"ControlPlane{suffix}Routes", control_plane, table_id))

        discovery = {f"kubernetes.io/cluster/{name}": "shared" for name in self._props.cluster_names}
        discovery["kubernetes.io/role/internal-elb"] = "1"
        balancer = self._subnet(f"LoadBalancer{suffix}", zone.zone, zone.load_balancer, "load-balancer", discovery)
        self.load_balancer_subnet_ids.append(self._associate(f"LoadBalancer{suffix}Routes", balancer, table_id))

        for number, cidr in enumerate(zone.nodes, start=1):
            nodes = self._subnet(f"Nodes{suffix}{number}", zone.zone, cidr, "nodes")
            # CloudFormation sees no reference, and the subnet cannot exist before its range is part of the VPC
            nodes.add_resource_dependency(self._block_of(cidr))
            subnet_id = self._associate(f"Nodes{suffix}{number}Routes", nodes, table_id)
            self.node_subnet_ids.setdefault(zone.zone, []).append(subnet_id)

    def _block_of(self, cidr: str) -> ec2.CfnVPCCidrBlock:
        subnet = ipaddress.IPv4Network(cidr)
        for secondary, block in self._blocks.items():
            if subnet.subnet_of(ipaddress.IPv4Network(secondary)):
                return block
        raise PropsError(
            "NodesOutsideRanges",
            f"`nodes` must lie inside one of `secondary_cidrs` ({', '.join(self._blocks)}), got {cidr}; add its range or choose another",
            self,
        )

    def _subnet(
        self, construct_id: str, zone: str, cidr: str, use: str, tags: Mapping[str, str] | None = None
    ) -> ec2.CfnSubnet:
        extra = {"moka.dev/subnet": use, **(tags or {})}
        return ec2.CfnSubnet(
            self,
            construct_id,
            vpc_id=self.vpc_id,
            availability_zone=zone,
            cidr_block=cidr,
            map_public_ip_on_launch=False,
            tags=[*self._name(f"{use}-{zone}"), *(CfnTag(key=key, value=value) for key, value in extra.items())],
        )

    def _associate(self, construct_id: str, subnet: ec2.CfnSubnet, route_table_id: str) -> str:
        """Give a subnet its route table and return its id."""
        subnet_id: str = subnet.ref
        ec2.CfnSubnetRouteTableAssociation(self, construct_id, subnet_id=subnet_id, route_table_id=route_table_id)
        return subnet_id

    def _name(self, what: str) -> list[CfnTag]:
        return [CfnTag(key="Name", value=f"{self._props.name}-{what}")]


def _suffix(zone: str) -> str:
    """Return the part of a construct id that names a zone: us-east-1a gives 1A, which no other zone of a region has."""
    return zone.rsplit("-", 1)[1].upper()
