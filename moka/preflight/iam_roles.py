"""Roles as several checks look at them: fetched by name, told apart by ARN, judged by whom they trust.

IAM looks roles up by name alone, and a name is unique in an account whatever its path: a role that is found under another
ARN has another path, and CloudFormation or EKS would refuse the ARN that the file says.
"""

from typing import Any

from environments import Environment
from moka.preflight.aws import Reader
from moka.preflight.calls import Call
from moka.preflight.failures import NotFoundError


def account_of(arn: str) -> str:
    """Return the account id in an ARN."""
    return arn.split(":")[4]


def region_of(arn: str) -> str:
    """Return the region in an ARN; empty for a global service."""
    return arn.split(":")[3]


def role_name(arn: str) -> str:
    """Return the name at the end of a role's ARN, without its path."""
    return arn.rsplit("/", 1)[-1]


def in_account(environment: Environment, arn: str) -> bool:
    """Whether the ARN belongs to the environment's account; others cannot be looked at with its credentials."""
    return account_of(arn) == environment.account


def fetch_role(aws: Reader, call: Call, name: str) -> dict[str, Any] | None:
    """Return the role, None when there is none."""
    try:
        role: dict[str, Any] = aws.get(call, RoleName=name)["Role"]
    except NotFoundError:
        return None
    return role


def trusts(role: dict[str, Any], service: str) -> bool:
    """Whether the role's trust policy lets the service principal assume it."""
    statements = as_list(role.get("AssumeRolePolicyDocument", {}).get("Statement", []))
    return any(
        statement.get("Effect") == "Allow"
        and isinstance(statement.get("Principal"), dict)
        and service in as_list(statement["Principal"].get("Service", []))
        for statement in statements
    )


def as_list(value: Any) -> list[Any]:
    """Return a policy element as a list: IAM lets one value stand without brackets."""
    return list(value) if isinstance(value, list | tuple) else [value]
