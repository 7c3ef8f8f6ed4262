"""Ways to AWS services that do not leave the VPC: S3 by a gateway endpoint, others by interface endpoints.

The gateway endpoint is free and carries the largest flow of a Spark platform, so it is always made. Interface endpoints
cost by the hour and zone; the environment names them.
"""

import dataclasses

from aws_cdk import CfnTag
from aws_cdk import aws_ec2 as ec2
from constructs import Construct


@dataclasses.dataclass(frozen=True, kw_only=True)
class VpcEndpointsProps:
    """Where the endpoints are and who may use them."""

    region: str
    name: str
    """Prefix of the Name tags."""
    vpc_id: str
    vpc_cidrs: tuple[str, ...]
    """Ranges whose hosts may call the interface endpoints: all of the VPC's."""
    route_table_ids: tuple[str, ...]
    """Route tables that lead to S3 through the gateway endpoint."""
    subnet_ids: tuple[str, ...]
    """One subnet per zone for the interfaces; not the nodes' subnets, whose /28 prefixes they would break up."""
    services: tuple[str, ...] = ()
    """Interface endpoints by service name: ecr.api, sts, …"""


class VpcEndpoints(Construct):
    """The endpoints of one VPC."""

    def __init__(self, scope: Construct, construct_id: str, props: VpcEndpointsProps) -> None:
        super().__init__(scope, construct_id)
        ec2.CfnVPCEndpoint(
            self,
            "S3",
            vpc_id=props.vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{props.region}.s3",
            route_table_ids=list(props.route_table_ids),
            tags=[CfnTag(key="Name", value=f"{props.name}-s3")],
        )
        if not props.services:
            return
        group = ec2.CfnSecurityGroup(
            self,
            "SecurityGroup",
            group_description="HTTPS from the VPC to interface endpoints",
            vpc_id=props.vpc_id,
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp", from_port=443, to_port=443, cidr_ip=cidr, description="HTTPS from the VPC"
                )
                for cidr in props.vpc_cidrs
            ],
            security_group_egress=[_NO_EGRESS],
            tags=[CfnTag(key="Name", value=f"{props.name}-endpoints")],
        )
        for service in props.services:
            ec2.CfnVPCEndpoint(
                self,
                _construct_id(service),
                vpc_id=props.vpc_id,
                vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{props.region}.{service}",
                subnet_ids=list(props.subnet_ids),
                security_group_ids=[group.ref],
                private_dns_enabled=True,
                tags=[CfnTag(key="Name", value=f"{props.name}-{service}")],
            )


_NO_EGRESS = ec2.CfnSecurityGroup.EgressProperty(
    ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="Nothing leaves"
)
"""CloudFormation adds allow-all when no egress is written; this rule, CDK's own idiom, matches no packet."""


def _construct_id(service: str) -> str:
    """Return ecr.api as EcrApi."""
    return "".join(part.capitalize() for part in service.replace("-", ".").split("."))
