"""IAM statements as values: one function per thing that a workload may do, so that stacks hold no policy JSON.

Each function names the API calls that the thing needs and no more. Resources are ARNs that callers compute from names;
a wildcard resource is refused unless the statement carries a condition.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]
"""{operator: {condition key: value or values}}."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Statement:
    """One Allow statement."""

    sid: str
    """Letters and digits; says what the statement is for."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a statement that allows its actions on everything without a condition."""
        if "*" in self.resources and not self.conditions:
            raise ValueError(
                f"statement {self.sid} allows {', '.join(self.actions)} on every resource; name them or add a condition"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the statement as IAM writes it."""
        statement: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            statement["Condition"] = {
                operator: {key: value if isinstance(value, str) else list(value) for key, value in keys.items()}
                for operator, keys in self.conditions.items()
            }
        return statement


def policy_document(statements: Sequence[Statement]) -> dict[str, Any]:
    """Return a policy document of `statements`, in their order."""
    return {"Version": "2012-10-17", "Statement": [statement.to_json() for statement in statements]}


def list_bucket(sid: str, bucket_arn: str, prefix: str = "") -> Statement:
    """List `prefix` of a bucket; the empty prefix lists all of it."""
    conditions: Conditions = {"StringLike": {"s3:prefix": [prefix.rstrip("/"), f"{prefix}*"]}} if prefix else {}
    return Statement(sid=sid, actions=("s3:ListBucket",), resources=(bucket_arn,), conditions=conditions)


def read_objects(sid: str, bucket_arn: str, prefix: str = "") -> Statement:
    """Read objects below `prefix`."""
    return Statement(sid=sid, actions=("s3:GetObject",), resources=(f"{bucket_arn}/{prefix}*",))


def write_objects(sid: str, bucket_arn: str, prefix: str = "") -> Statement:
    """Read, write and delete objects below `prefix`, multipart uploads included: what S3A and its committers need."""
    return Statement(
        sid=sid,
        actions=(
            "s3:GetObject",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        ),
        resources=(f"{bucket_arn}/{prefix}*",),
    )


def use_key(sid: str, key_arn: str, *, write: bool) -> Statement:
    """Decrypt with a KMS key and, with `write`, make data keys for new objects."""
    actions = ("kms:Decrypt", "kms:GenerateDataKey") if write else ("kms:Decrypt",)
    return Statement(sid=sid, actions=actions, resources=(key_arn,))


def encrypt_volumes(sid: str, key_arn: str) -> tuple[Statement, ...]:
    """Let the EBS CSI driver make and attach volumes encrypted with a key; grants only for AWS services."""
    return (
        Statement(
            sid=sid,
            actions=("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"),
            resources=(key_arn,),
        ),
        Statement(
            sid=f"{sid}Grants",
            actions=("kms:CreateGrant",),
            resources=(key_arn,),
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    )


def use_glue(sid: str, catalog_arn_prefix: str, databases: Sequence[str]) -> Statement:
    """Read and write the tables of Glue databases.

    `catalog_arn_prefix` is arn:aws:glue:<region>:<account>; a database name may end with * to match a prefix. Spark's
    Hive client also asks for the database `default` at start, whether or not the job uses it.
    """
    names = ("default", *databases)
    resources = [f"{catalog_arn_prefix}:catalog"]
    for name in names:
        resources.append(f"{catalog_arn_prefix}:database/{name}")
        if name != "default":
            resources += [f"{catalog_arn_prefix}:table/{name}/*", f"{catalog_arn_prefix}:userDefinedFunction/{name}/*"]
    return Statement(
        sid=sid,
        actions=(
            "glue:GetDatabase",
            "glue:GetDatabases",
            "glue:GetTable",
            "glue:GetTables",
            "glue:GetPartition",
            "glue:GetPartitions",
            "glue:BatchGetPartition",
            "glue:GetUserDefinedFunction",
            "glue:GetUserDefinedFunctions",
            "glue:CreateTable",
            "glue:UpdateTable",
            "glue:DeleteTable",
            "glue:CreatePartition",
            "glue:BatchCreatePartition",
            "glue:UpdatePartition",
            "glue:BatchUpdatePartition",
            "glue:DeletePartition",
            "glue:BatchDeletePartition",
        ),
        resources=tuple(resources),
    )


def assume_roles(sid: str, role_arns: Sequence[str]) -> Statement:
    """Assume named roles, usually in other accounts."""
    return Statement(sid=sid, actions=("sts:AssumeRole",), resources=tuple(role_arns))


def write_event_logs(sid: str, bucket_arn: str, prefix: str) -> tuple[Statement, ...]:
    """Write Spark event logs below a prefix that teams share, and delete nothing of them but the marker of a running one.

    Spark ends a rolling log by renaming `appstatus_<app>.inprogress`, which on S3 is a copy and a delete; every other
    object of it stays (https://spark.apache.org/docs/4.0.0/monitoring.html#applying-compaction-on-rolling-event-log-files).
    """
    logs = f"{bucket_arn}/{prefix}eventlog_v2_*"
    return (
        Statement(
            sid=sid,
            actions=("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
            resources=(logs,),
        ),
        Statement(sid=f"{sid}EndMarker", actions=("s3:DeleteObject",), resources=(f"{logs}/appstatus_*",)),
    )


def add_objects(sid: str, bucket_arn: str, prefix: str) -> Statement:
    """Add objects below `prefix`, and neither read nor delete any."""
    return Statement(sid=sid, actions=("s3:PutObject",), resources=(f"{bucket_arn}/{prefix}*",))


def look(sid: str, region: str, actions: Sequence[str]) -> Statement:
    """Describe calls that AWS offers for all resources only, in one region. ValueError for a call that is no look."""
    for action in actions:
        if not action.split(":")[1].startswith(("Describe", "Get", "List")):
            raise ValueError(f"statement {sid} allows {action} on every resource; only Describe, Get and List may be")
    return Statement(
        sid=sid,
        actions=tuple(actions),
        resources=("*",),
        conditions={"StringEquals": {"aws:RequestedRegion": region}},
    )


def resize_groups(sid: str, group_arns: str, tag: str, value: str) -> Statement:
    """Change the size of Auto Scaling groups that carry a tag, and end single instances of them."""
    return Statement(
        sid=sid,
        actions=("autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"),
        resources=(group_arns,),
        conditions={"StringEquals": {f"aws:ResourceTag/{tag}": value}},
    )


def register_targets(sid: str, target_group_arns: Sequence[str]) -> Statement:
    """Put pods into target groups and take them out."""
    return Statement(
        sid=sid,
        actions=("elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"),
        resources=tuple(target_group_arns),
    )
