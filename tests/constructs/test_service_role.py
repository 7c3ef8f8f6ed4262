from collections.abc import Callable
from typing import Any

from moka_constructs import Location, ServiceRole, ServiceRoleProps, Statement

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]

LOCATION = Location(partition="aws", account="111111111111", region="us-east-1")


def test_minimal_props_give_a_role_that_may_do_nothing(template: Template, only: Only) -> None:
    props = ServiceRoleProps(role_name="moka-x", location=LOCATION, description="X", service="ec2.amazonaws.com")
    role = only(template(lambda stack: ServiceRole(stack, "Role", props)), "AWS::IAM::Role")["Properties"]

    assert role["RoleName"] == "moka-x"
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    assert not role.get("Policies")
    assert not role.get("ManagedPolicyArns")


def test_all_props_reach_the_role(template: Template, only: Only) -> None:
    props = ServiceRoleProps(
        role_name="moka-x",
        location=LOCATION,
        description="X",
        service="logs.amazonaws.com",
        managed_policies=("AmazonEKSClusterPolicy",),
        statements=(Statement(sid="Read", actions=("s3:GetObject",), resources=("arn:aws:s3:::b/*",)),),
        own_account_only=True,
    )
    role = only(template(lambda stack: ServiceRole(stack, "Role", props)), "AWS::IAM::Role")["Properties"]

    assert role["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"]
    assert role["Policies"][0]["PolicyDocument"]["Statement"][0]["Sid"] == "Read"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "111111111111"}
    }
