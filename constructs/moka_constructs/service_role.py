"""An IAM role that an AWS service assumes. Permissions boundary and path come from the stage, never from here."""

import dataclasses
from typing import Any

from aws_cdk import aws_iam as iam
from constructs import Construct

from moka_constructs.location import Location
from moka_constructs.statements import Statement, policy_document


def inline_policies(statements: tuple[Statement, ...]) -> list[iam.CfnRole.PolicyProperty]:
    """Return the role's one inline policy, or none when there is nothing to allow."""
    if not statements:
        return []
    return [iam.CfnRole.PolicyProperty(policy_name="moka", policy_document=policy_document(statements))]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceRoleProps:
    """Who assumes the role and what it may do."""

    role_name: str
    """Name of the role, at most 64 characters; fixed, so that its ARN is known before a deploy."""
    location: Location
    description: str
    service: str
    """Service principal: eks.amazonaws.com."""
    managed_policies: tuple[str, ...] = ()
    """AWS managed policies by name, path included."""
    statements: tuple[Statement, ...] = ()
    own_account_only: bool = False
    """Whether the service must act for this account (aws:SourceAccount); not every service sends it."""


class ServiceRole(Construct):
    """A role for one AWS service."""

    def __init__(self, scope: Construct, construct_id: str, props: ServiceRoleProps) -> None:
        super().__init__(scope, construct_id)
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"Service": props.service},
            "Action": "sts:AssumeRole",
        }
        if props.own_account_only:
            statement["Condition"] = {"StringEquals": {"aws:SourceAccount": props.location.account}}
        role = iam.CfnRole(
            self,
            "Resource",
            role_name=props.role_name,
            description=props.description,
            assume_role_policy_document={"Version": "2012-10-17", "Statement": [statement]},
            managed_policy_arns=[props.location.aws_policy_arn(name) for name in props.managed_policies],
            policies=inline_policies(props.statements),
        )
        self.arn: str = role.attr_arn
