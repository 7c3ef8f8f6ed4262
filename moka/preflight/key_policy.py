"""Whether a KMS key lets AWSServiceRoleForAutoScaling use it: by the key's policy or by a grant.

The service-linked role has no KMS permissions of its own, so a policy that only delegates to the account (root) is not
enough: instances with volumes under such a key stop while they start, and nothing says why. Source of the needed
actions: https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html

It reads policies as they are usually written. Conditions other than `kms:GrantIsForAWSResource` and `kms:CallerAccount`
make a statement count for nothing, so an unusual policy is reported as lacking, never as fine.
"""

import fnmatch
from collections.abc import Iterable, Iterator
from typing import Any, Final

from moka.preflight.iam_roles import as_list

NEEDED_ACTIONS: Final = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
SERVICE_ROLE: Final = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"


def autoscaling_role(partition: str, account: str) -> str:
    """Return the ARN of the account's service-linked role of Auto Scaling."""
    return f"arn:{partition}:iam::{account}:role/{SERVICE_ROLE}"


def missing_actions(policy: dict[str, Any], grants: Iterable[dict[str, Any]], role_arn: str) -> tuple[str, ...]:
    """Return the needed actions that neither the key's policy nor a grant gives the role, sorted."""
    account = role_arn.split(":")[4]
    allowed = set(_by_grants(grants, role_arn))
    denied: set[str] = set()
    for statement in as_list(policy.get("Statement", [])):
        if not _names(statement, role_arn):
            continue
        actions = {action for action in NEEDED_ACTIONS if _covers(statement, action)}
        if statement.get("Effect") == "Deny" and not statement.get("Condition"):
            denied |= actions
        elif statement.get("Effect") == "Allow":
            allowed |= {action for action in actions if _condition_holds(statement, action, account)}
    return tuple(action for action in NEEDED_ACTIONS if action not in allowed or action in denied)


def _names(statement: dict[str, Any], role_arn: str) -> bool:
    """Whether the statement's principal is the role itself or everybody; the account's root is neither."""
    principal = statement.get("Principal")
    if principal == "*":
        return True
    named = as_list(principal.get("AWS", [])) if isinstance(principal, dict) else []
    return role_arn in named or "*" in named


def _covers(statement: dict[str, Any], action: str) -> bool:
    patterns = [str(pattern).lower() for pattern in as_list(statement.get("Action", []))]
    return any(fnmatch.fnmatchcase(action.lower(), pattern) for pattern in patterns)


def _condition_holds(statement: dict[str, Any], action: str, account: str) -> bool:
    """Whether every condition is one that Auto Scaling's calls meet."""
    for operator, tests in (statement.get("Condition") or {}).items():
        for key, value in tests.items():
            values = {str(each).lower() for each in as_list(value)}
            for_resource = key.lower() == "kms:grantisforawsresource" and operator == "Bool" and values == {"true"}
            own_account = (
                key.lower() == "kms:calleraccount" and operator.startswith("StringEquals") and account in values
            )
            if not own_account and not (for_resource and action == "kms:CreateGrant"):
                return False
    return True


def _by_grants(grants: Iterable[dict[str, Any]], role_arn: str) -> Iterator[str]:
    for grant in grants:
        if grant.get("GranteePrincipal") == role_arn and not grant.get("Constraints"):
            yield from (f"kms:{operation}" for operation in grant.get("Operations", ()))


def needed_statements(role_arn: str) -> list[dict[str, Any]]:
    """Return the statements that the key's policy needs."""
    principal = {"AWS": role_arn}
    return [
        {
            "Sid": "AutoScalingUsesTheKey",
            "Effect": "Allow",
            "Principal": principal,
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*",
        },
        {
            "Sid": "AutoScalingGrantsItToVolumes",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": True}},
        },
    ]
