"""A security group that lets nothing in and nothing out until rules of their own say so.

Rules that join two groups are resources beside them, in the later stack, so that no group refers to one that is made after
it; `admit` makes the two halves of such a rule.
"""

from typing import Final

from aws_cdk import CfnTag
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

NOTHING_LEAVES: Final = ec2.CfnSecurityGroup.EgressProperty(
    ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="Nothing leaves"
)
"""CloudFormation adds allow-all when no egress is written; this rule, CDK's own idiom, matches no packet."""


class ClosedSecurityGroup(Construct):
    """The group. `id` is a token."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        vpc_id: str,
        ingress: tuple[ec2.CfnSecurityGroup.IngressProperty, ...] = (),
    ) -> None:
        """Make the group; `ingress` is for ranges and prefix lists, `name` its Name tag."""
        super().__init__(scope, construct_id)
        group = ec2.CfnSecurityGroup(
            self,
            "Resource",
            group_description=description,
            vpc_id=vpc_id,
            security_group_ingress=list(ingress),
            security_group_egress=[NOTHING_LEAVES],
            tags=[CfnTag(key="Name", value=name)],
        )
        self.id: str = group.attr_group_id

    def admit(self, construct_id: str, source_group_id: str, port: int, description: str) -> None:
        """Let members of another group reach `port` of this one's over TCP."""
        _ingress(self, construct_id, into=self.id, source=source_group_id, port=port, description=description)

    def let_reach(self, construct_id: str, target_group_id: str, port: int, description: str) -> None:
        """Let members of this group reach `port` of another's over TCP: out of this one and into the other."""
        ec2.CfnSecurityGroupEgress(
            self,
            f"{construct_id}Out",
            group_id=self.id,
            destination_security_group_id=target_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=description,
        )
        _ingress(self, f"{construct_id}In", into=target_group_id, source=self.id, port=port, description=description)


def _ingress(scope: Construct, construct_id: str, *, into: str, source: str, port: int, description: str) -> None:
    ec2.CfnSecurityGroupIngress(
        scope,
        construct_id,
        group_id=into,
        source_security_group_id=source,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=description,
    )
