"""What every section of an environment file shares: the model base and the string types with a shape.

A type refuses a value with a `PydanticCustomError` whose context carries `allowed` and `fix`, because `problems.py` prints
both beside the value; a message alone would say what is wrong and not what to do.
"""

import contextlib
import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Section(BaseModel):
    """A frozen part of an environment: unknown keys are refused, field docstrings become the schema's descriptions."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def refuse(kind: str, *, allowed: str, fix: str) -> PydanticCustomError:
    """Return the error that a field type raises: `allowed` says what fits, `fix` what to do. `kind` is a stable code."""
    return PydanticCustomError(kind, "must be {allowed}; {fix}", {"allowed": allowed, "fix": fix})  # type: ignore[arg-type]  # pydantic wants LiteralString for a constant


def shaped(kind: str, pattern: str, *, allowed: str, fix: str) -> AfterValidator:
    """Return a validator for strings that match `pattern` whole."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise refuse(kind, allowed=allowed, fix=fix)
        return value

    return AfterValidator(check)


def _check_cidr(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        fix = "write the network address, for example 10.20.0.0/20"
        with contextlib.suppress(ValueError):
            fix = f"write the network address: {ipaddress.IPv4Network(value, strict=False)}"
        raise refuse("cidr", allowed="an IPv4 network in CIDR notation with no host bits set", fix=fix) from error
    return str(network)


Cidr = Annotated[str, AfterValidator(_check_cidr)]
"""An IPv4 network such as 10.20.0.0/20."""

Name = Annotated[
    str,
    shaped(
        "name",
        r"[a-z][a-z0-9]*(-[a-z0-9]+)*",
        allowed="lower-case letters, digits and single hyphens, a letter first",
        fix="rename it, for example batch-a",
    ),
]
"""A name that ends up in Kubernetes and AWS names; each field bounds its own length."""

Account = Annotated[
    str,
    shaped(
        "account", r"\d{12}", allowed="a 12-digit AWS account id in quotes", fix='quote it, for example "111111111111"'
    ),
]
Region = Annotated[
    str,
    shaped("region", r"[a-z]{2}(-[a-z]+)+-\d", allowed="an AWS region name", fix="name one, for example us-east-1"),
]
Zone = Annotated[
    str,
    shaped(
        "zone",
        r"[a-z]{2}(-[a-z]+)+-\d[a-z]",
        allowed="an availability zone name",
        fix="name one, for example us-east-1a",
    ),
]


def _arn(kind: str, service: str, resource: str, thing: str, example: str) -> AfterValidator:
    return shaped(
        kind,
        rf"arn:aws[a-z-]*:{service}:[a-z0-9-]*:\d{{12}}:{resource}",
        allowed=f"the ARN of {thing}",
        fix=f"copy it whole, for example {example}",
    )


RoleArn = Annotated[
    str, _arn("role-arn", "iam", r"role/[\w+=,.@/-]+", "an IAM role", "arn:aws:iam::111111111111:role/Admin")
]
PolicyArn = Annotated[
    str, _arn("policy-arn", "iam", r"policy/[\w+=,.@/-]+", "an IAM policy", "arn:aws:iam::111111111111:policy/Boundary")
]
KeyArn = Annotated[
    str,
    _arn(
        "key-arn",
        "kms",
        r"key/[0-9a-f-]{36}",
        "a KMS key",
        "arn:aws:kms:us-east-1:111111111111:key/00000000-0000-4000-8000-000000000000",
    ),
]
CertificateArn = Annotated[
    str,
    _arn(
        "certificate-arn",
        "acm",
        r"certificate/[0-9a-f-]{36}",
        "an ACM certificate",
        "arn:aws:acm:us-east-1:111111111111:certificate/00000000-0000-4000-8000-000000000000",
    ),
]


def aws_id(prefix: str) -> AfterValidator:
    """Return a validator for ids such as vpc-0123456789abcdef0."""
    return shaped(
        f"{prefix}-id",
        rf"{prefix}-[0-9a-f]{{8,17}}",
        allowed=f"an id that starts with {prefix}-",
        fix=f"copy it from the account, for example {prefix}-0123456789abcdef0",
    )


VpcId = Annotated[str, aws_id("vpc")]
SubnetId = Annotated[str, aws_id("subnet")]
SecurityGroupId = Annotated[str, aws_id("sg")]
PrefixListId = Annotated[str, aws_id("pl")]
