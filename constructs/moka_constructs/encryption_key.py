"""A customer-managed KMS key with rotation, administered through the account's IAM policies.

A service that uses a key under its own identity (EC2 Auto Scaling) must be named in the key policy, because no IAM
policy of ours reaches it; everything else is granted by roles.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct

from moka_constructs.location import Location


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncryptionKeyProps:
    """What the key encrypts and who uses it without a role of ours."""

    alias: str
    """Alias without the prefix alias/: moka-dev-data."""
    description: str
    location: Location
    retain: bool
    """Whether the key outlives its stack. A deleted key makes its data unreadable for ever."""
    outside_users: Mapping[str, bool] = dataclasses.field(default_factory=dict)
    """{role of another account: whether it may also encrypt}; roles of this account need no word in the key policy."""
    services: tuple[str, ...] = ()
    """AWS services that use the key under their own identity, for this account's resources."""
    services_without_account: tuple[str, ...] = ()
    """The same for services that do not say for which account they act, so that no condition can ask for it."""
    for_auto_scaling: bool = False
    """Whether EC2 Auto Scaling may start instances with volumes under this key; nodes never start otherwise."""


class EncryptionKey(Construct):
    """A key, its alias, and its key policy."""

    def __init__(self, scope: Construct, construct_id: str, props: EncryptionKeyProps) -> None:
        super().__init__(scope, construct_id)
        statements = [_account(props.location)]
        if props.services:
            statements.append(_services(props.services, props.location.account))
        if props.services_without_account:
            statements.append(_services(props.services_without_account, None))
        if props.for_auto_scaling:
            statements += _auto_scaling(props.location)
        statements += [
            _outside(number, role, write=write)
            for number, (role, write) in enumerate(props.outside_users.items(), start=1)
        ]
        key = kms.CfnKey(
            self,
            "Resource",
            description=props.description,
            enable_key_rotation=True,
            pending_window_in_days=30,
            key_policy={"Version": "2012-10-17", "Statement": statements},
        )
        key.apply_removal_policy(RemovalPolicy.RETAIN if props.retain else RemovalPolicy.DESTROY)
        self.arn: str = key.attr_arn
        kms.CfnAlias(self, "Alias", alias_name=f"alias/{props.alias}", target_key_id=self.arn)


def _account(location: Location) -> dict[str, Any]:
    return {
        "Sid": "IamPoliciesOfThisAccount",
        "Effect": "Allow",
        "Principal": {"AWS": location.iam_arn("root")},
        "Action": "kms:*",
        "Resource": "*",
    }


def _services(services: tuple[str, ...], account: str | None) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": "Services" if account is None else "ServicesForThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
    }
    return (
        statement if account is None else {**statement, "Condition": {"StringEquals": {"aws:SourceAccount": account}}}
    )


def _outside(number: int, role_arn: str, *, write: bool) -> dict[str, Any]:
    return {
        "Sid": f"OutsideUser{number}",
        "Effect": "Allow",
        "Principal": {"AWS": role_arn},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"] if write else ["kms:Decrypt"],
        "Resource": "*",
    }


def _auto_scaling(location: Location) -> list[dict[str, Any]]:
    """Return what EC2 Auto Scaling's service-linked role needs of a key of ours.

    Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
    """
    role = location.iam_arn("role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")
    base: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": role}, "Resource": "*"}
    use = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    grant = {"Action": "kms:CreateGrant", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}
    return [
        {"Sid": "AutoScalingUsesTheKey", **base, "Action": use},
        {"Sid": "AutoScalingGrantsToEc2", **base, **grant},
    ]
