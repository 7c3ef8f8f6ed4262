"""What every section of an environment file shares: the model base and the string types with a shape.

A type refuses a value with a `PydanticCustomError` whose context carries `allowed` and `fix`, because `problems.py` prints
both beside the value; a message alone would say what is wrong and not what to do.
"""

import contextlib
import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Section(BaseModel):
    """A frozen part of an environment: unknown keys are refused; `descriptions.py` reads the docstrings of fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def refuse(kind: str, *, allowed: str, fix: str) -> PydanticCustomError:
    """Return the error that a field type raises: `allowed` says what fits, `fix` what to do. `kind` is a stable code."""
    return PydanticCustomError(kind, "must be {allowed}; {fix}", {"allowed": allowed, "fix": fix})


@dataclass(frozen=True)
class Shape:
    """A pattern that a string matches whole, with the words for it; the JSON schema carries the pattern too."""

    kind: str
    pattern: str
    allowed: str
    fix: str

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "pattern": f"^(?:{self.pattern})$", "x-allowed": self.allowed}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value, flags=re.ASCII):
            raise refuse(self.kind, allowed=self.allowed, fix=self.fix)
        return value


def shaped(kind: str, pattern: str, *, allowed: str, fix: str) -> Shape:
    """Return a validator for strings that match `pattern` whole; `fix` ends with an example that does."""
    return Shape(kind, pattern, allowed, fix)


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
        "account",
        r"\d{12}",
        allowed="a 12-digit AWS account id in quotes",
        fix='write all 12 digits in quotes, for example "111111111111"',
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

ZoneId = Annotated[
    str,
    shaped(
        "zone-id",
        r"[a-z]{2,5}\d-az\d",
        allowed="an availability zone id",
        fix="take it from `aws ec2 describe-availability-zones`, for example use1-az4",
    ),
]
"""A zone's id, the same in every account; its name (us-east-1a) is not, in the regions older than 2012."""


def _arn(kind: str, service: str, resource: str, thing: str, example: str) -> Shape:
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
TopicArn = Annotated[
    str,
    _arn(
        "topic-arn", "sns", r"[\w-]{1,256}", "an SNS topic", "arn:aws:sns:us-east-1:111111111111:data-platform-alerts"
    ),
]
LogRetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
"""The values that CloudWatch Logs accepts."""

CacheSecretArn = Annotated[
    str,
    _arn(
        "cache-secret-arn",
        "secretsmanager",
        r"secret:ecr-pullthroughcache/[\w/+=.@-]+",
        "a secret whose name starts with ecr-pullthroughcache/, as ECR demands",
        "arn:aws:secretsmanager:us-east-1:111111111111:secret:ecr-pullthroughcache/docker-hub-AbCdEf",
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


def aws_id(prefix: str) -> Shape:
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


KeyPrefix = Annotated[
    str,
    shaped(
        "prefix",
        r"([^/*?][^*?]*/)?",
        allowed="empty or a key prefix that ends with a slash, has none in front and no wildcard",
        fix="write it so, for example events/",
    ),
]
