"""Whether a KMS key lets AWSServiceRoleForAutoScaling use it: by the key's policy or by a grant.

The service-linked role has no KMS permissions of its own, so a policy that only delegates to the account (root) is not
enough: instances with volumes under such a key stop while they start, and nothing says why. Source of the needed
actions: https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html

It reads policies as they are usually written. An allowance with a condition other than `kms:GrantIsForAWSResource` and
`kms:CallerAccount` counts for nothing, so an unusual policy is reported as lacking. A denial with a condition is taken for one
that these calls do not meet, as the usual ones (plain HTTP, another organisation) are.
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
        actions = {action for action in NEEDED_ACTIONS if _covers(statement, action)}
        if statement.get("Effect") == "Deny" and not statement.get("Condition") and _denies(statement, role_arn):
            denied |= actions
        elif statement.get("Effect") == "Allow" and _allows(statement, role_arn):
            allowed |= {action for action in actions if _condition_holds(statement, action, account)}
    return tuple(action for action in NEEDED_ACTIONS if action not in allowed or action in denied)


def _allows(statement: dict[str, Any], role_arn: str) -> bool:
    """Whether an allowance is for the role itself or for everybody; the account's root is neither."""
    named = _principals(statement.get("Principal"))
    return role_arn in named or "*" in named


def _denies(statement: dict[str, Any], role_arn: str) -> bool:
    """Whether a denial hits the role: by its ARN, as one of its account, or because it is not among those left out."""
    if "NotPrincipal" in statement:
        return role_arn not in _principals(statement["NotPrincipal"])
    partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
    ours = {role_arn, "*", account, f"arn:{partition}:iam::{account}:root"}
    return bool(ours & set(_principals(statement.get("Principal"))))


def _principals(principal: Any) -> list[Any]:
    """Return the AWS principals of a statement; everybody is `*`, written in two ways."""
    if principal == "*":
        return ["*"]
    return as_list(principal.get("AWS", [])) if isinstance(principal, dict) else []


def _covers(statement: dict[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _matches(statement["NotAction"], action)
    return _matches(statement.get("Action", []), action)


def _matches(patterns: Any, action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), str(pattern).lower()) for pattern in as_list(patterns))


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
