from collections.abc import Callable
from typing import Any

from moka_constructs import ClosedSecurityGroup

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]

NODES = "sg-00000000000000001"


def make(stack: Any, **changes: Any) -> ClosedSecurityGroup:
    return ClosedSecurityGroup(
        stack, "Group", **{"name": "moka-test", "description": "Who may", "vpc_id": "vpc-1", **changes}
    )


def test_nothing_gets_in_or_out_by_default(template: Template, only: Only) -> None:
    group = only(template(make), "AWS::EC2::SecurityGroup")["Properties"]

    assert group["SecurityGroupIngress"] == []
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["255.255.255.255/32"]
    assert {"Key": "Name", "Value": "moka-test"} in group["Tags"]
    assert group["VpcId"] == "vpc-1"


def test_ranges_are_rules_of_the_group_itself(template: Template, only: Only) -> None:
    from aws_cdk import aws_ec2 as ec2

    rule = ec2.CfnSecurityGroup.IngressProperty(ip_protocol="tcp", from_port=1, to_port=1, cidr_ip="10.0.0.0/8")
    group = only(template(lambda stack: make(stack, ingress=(rule,))), "AWS::EC2::SecurityGroup")

    assert [each["CidrIp"] for each in group["Properties"]["SecurityGroupIngress"]] == ["10.0.0.0/8"]


def test_another_group_is_admitted_by_a_rule_beside_the_group(template: Template, only: Only) -> None:
    resources = template(lambda stack: make(stack).admit("FromNodes", NODES, 5432, "PostgreSQL"))
    rule = only(resources, "AWS::EC2::SecurityGroupIngress")["Properties"]

    assert rule["SourceSecurityGroupId"] == NODES
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 5432, 5432)
    assert rule["GroupId"]["Fn::GetAtt"][1] == "GroupId"
    assert not [each for each in resources.values() if each["Type"] == "AWS::EC2::SecurityGroupEgress"]


def test_reaching_another_group_opens_both_sides_of_one_port(template: Template, only: Only) -> None:
    resources = template(lambda stack: make(stack).let_reach("Api", NODES, 8080, "to pods"))
    leaves = only(resources, "AWS::EC2::SecurityGroupEgress")["Properties"]
    enters = only(resources, "AWS::EC2::SecurityGroupIngress")["Properties"]

    assert leaves["DestinationSecurityGroupId"] == enters["GroupId"] == NODES
    assert leaves["GroupId"] == enters["SourceSecurityGroupId"]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in (leaves, enters)} == {(8080, 8080)}
