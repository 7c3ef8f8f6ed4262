"""The network of an environment: one that Moka makes, or one that the account already has.

Nothing here is looked up: an existing network is written down by id and CIDR, so that a synth needs no AWS call and
the sizes can be checked before a deploy.
"""

from typing import Annotated, Literal

from pydantic import Field

from environments.base import Cidr, LogRetentionDays, PrefixListId, Section, SecurityGroupId, SubnetId, VpcId, Zone

InterfaceEndpoint = Literal[
    "autoscaling",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticloadbalancing",
    "glue",
    "kms",
    "logs",
    "monitoring",
    "secretsmanager",
    "ssm",
    "ssmmessages",
    "sts",
]
"""AWS services that can be reached without leaving the VPC; S3 is always a gateway endpoint and free."""


class NewNetwork(Section):
    """A VPC that Moka makes: small routed subnets in the primary range, nodes and pods in non-routed secondary ranges."""

    mode: Literal["new"]
    """Moka makes the VPC."""
    cidr: Cidr
    """Primary range, /16 to /24, routable in the company: control-plane interfaces, load balancers, NAT gateways."""
    zones: Annotated[tuple[Zone, ...], Field(min_length=2, max_length=6)]
    """Availability zones, in the order in which subnets are numbered; adding one at the end changes no other."""
    pod_cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=4)]
    """Secondary ranges for nodes and pods, /16 to /20, inside 100.64.0.0/10, which nobody routes.

    Zone n takes its share of all ranges laid end to end; with one range per zone a zone has its range alone."""
    nat: Literal["none", "single", "per_zone"] = "single"
    """NAT gateways: one for all zones (cheap, one zone's failure cuts all), one per zone, or none (fully private)."""
    interface_endpoints: tuple[InterfaceEndpoint, ...] = ()
    """Interface endpoints to make. With nat none every service that the platform calls must be here."""
    flow_log_retention_days: LogRetentionDays | None = 30
    """Days that VPC flow logs are kept in CloudWatch; null makes no flow logs."""


SubnetUse = Literal["control_plane", "nodes", "load_balancer"]


class ExistingSubnet(Section):
    """One subnet of an existing network."""

    id: SubnetId
    """Id of the subnet."""
    zone: Zone
    """Availability zone that it is in."""
    use: SubnetUse
    """What Moka puts there: control-plane interfaces, nodes with their pods, or internal load balancers."""
    cidr: Cidr
    """The subnet's range: sizes and overlaps are checked from it."""


class ExistingNetwork(Section):
    """A VPC that the account already has, written down by id. Moka adds no route and no gateway to it."""

    mode: Literal["existing"]
    """The account has the VPC."""
    vpc_id: VpcId
    """Id of the VPC."""
    vpc_cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=6)]
    """All ranges of the VPC, the primary one first."""
    subnets: Annotated[tuple[ExistingSubnet, ...], Field(min_length=2)]
    """At least one subnet for nodes and one for the control plane in each zone used; two zones at least."""
    node_security_group_ids: tuple[SecurityGroupId, ...] = ()
    """Security groups that every node joins beside Moka's own, at most four (AWS allows five per interface)."""
    prefix_list_ids: tuple[PrefixListId, ...] = ()
    """Managed prefix lists whose networks may reach the API server and Archer's load balancer."""
    internet_egress: bool
    """Whether the nodes' route tables lead to the internet (NAT, transit gateway); without it images come from the registry alone."""

    @property
    def zones(self) -> tuple[Zone, ...]:
        """Zones that have a subnet for nodes, sorted."""
        return tuple(sorted({subnet.zone for subnet in self.subnets if subnet.use == "nodes"}))


Network = Annotated[NewNetwork | ExistingNetwork, Field(discriminator="mode")]
