"""A private bucket: TLS only, encrypted with one KMS key, cleaned up by lifecycle rules.

It refuses nothing silently: a name is required, because charts and jobs compute it from the environment.
"""

import dataclasses
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from moka_constructs.errors import PropsError
from moka_constructs.location import Location
from moka_constructs.statements import list_bucket, read_objects, write_objects


@dataclasses.dataclass(frozen=True, kw_only=True)
class BucketReader:
    """A role of another account that may use part of the bucket."""

    principal_arn: str
    prefix: str = ""
    """Ends with a slash; empty means the whole bucket."""
    write: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataBucketProps:
    """What the bucket holds and for how long."""

    bucket_name: str
    location: Location
    key_arn: str
    """KMS key of every object; S3 bucket keys are on, so that a job does not pay KMS per object."""
    retain: bool
    """Whether the bucket outlives its stack. CloudFormation deletes an empty bucket only, so data is never lost in silence."""
    expire_days: int | None = None
    """Days until an object expires; none keeps it."""
    noncurrent_days: int | None = None
    """Days that replaced and deleted versions are kept; none turns versioning off: Spark renames and deletes so much
    in logs and staging that versions would be most of the bill."""
    abort_multipart_days: int = 3
    """Days until an unfinished upload is dropped: S3A's magic committer leaves them when a job dies."""
    readers: tuple[BucketReader, ...] = ()
    """Roles of other accounts that may use it."""
    access_logs_bucket: str | None = None
    """Bucket that takes this one's access logs, under a prefix of this bucket's name; none keeps no access logs."""


def deny_without_tls(bucket_arn: str) -> dict[str, Any]:
    """Return the statement that refuses every request over plain HTTP."""
    return {
        "Sid": "DenyWithoutTls",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


PRIVATE = s3.CfnBucket.PublicAccessBlockConfigurationProperty(
    block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
)


class DataBucket(Construct):
    """A bucket with its policy."""

    def __init__(self, scope: Construct, construct_id: str, props: DataBucketProps) -> None:
        super().__init__(scope, construct_id)
        if props.access_logs_bucket == props.bucket_name:
            raise PropsError(
                "LogsIntoItself",
                f"`access_logs_bucket` must be another bucket, got {props.bucket_name}; a bucket that logs into itself never stops growing",
                self,
            )
        self.name = props.bucket_name
        self.arn = props.location.bucket_arn(props.bucket_name)
        bucket = s3.CfnBucket(
            self,
            "Resource",
            bucket_name=props.bucket_name,
            bucket_encryption=_kms(props.key_arn),
            public_access_block_configuration=PRIVATE,
            ownership_controls=OWNER_ENFORCED,
            versioning_configuration=None
            if props.noncurrent_days is None
            else s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
            lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(rules=_rules(props)),
            logging_configuration=None
            if props.access_logs_bucket is None
            else s3.CfnBucket.LoggingConfigurationProperty(
                destination_bucket_name=props.access_logs_bucket, log_file_prefix=f"{props.bucket_name}/"
            ),
        )
        if props.retain:
            bucket.apply_removal_policy(RemovalPolicy.RETAIN)
        policy = {
            "Version": "2012-10-17",
            "Statement": [deny_without_tls(bucket.attr_arn), *_grants(self.arn, props.readers)],
        }
        s3.CfnBucketPolicy(self, "Policy", bucket=bucket.ref, policy_document=policy)


def _grants(bucket_arn: str, readers: tuple[BucketReader, ...]) -> list[dict[str, Any]]:
    """Return the statements that let other accounts in, two for each."""
    found = []
    for number, reader in enumerate(readers, start=1):
        use = write_objects if reader.write else read_objects
        allowed = (
            list_bucket(f"ListFromOutside{number}", bucket_arn, reader.prefix),
            use(f"UseFromOutside{number}", bucket_arn, reader.prefix),
        )
        found += [{**each.to_json(), "Principal": {"AWS": reader.principal_arn}} for each in allowed]
    return found


OWNER_ENFORCED = s3.CfnBucket.OwnershipControlsProperty(
    rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
)


def _kms(key_arn: str) -> s3.CfnBucket.BucketEncryptionProperty:
    rule = s3.CfnBucket.ServerSideEncryptionRuleProperty(
        bucket_key_enabled=True,
        server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
            sse_algorithm="aws:kms", kms_master_key_id=key_arn
        ),
    )
    return s3.CfnBucket.BucketEncryptionProperty(server_side_encryption_configuration=[rule])


def _rules(props: DataBucketProps) -> list[s3.CfnBucket.RuleProperty]:
    rules = [
        s3.CfnBucket.RuleProperty(
            id="abort-stale-uploads",
            status="Enabled",
            abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                days_after_initiation=props.abort_multipart_days
            ),
        )
    ]
    if props.noncurrent_days is not None:
        expiration = s3.CfnBucket.NoncurrentVersionExpirationProperty(noncurrent_days=props.noncurrent_days)
        rules.append(
            s3.CfnBucket.RuleProperty(
                id="drop-old-versions", status="Enabled", noncurrent_version_expiration=expiration
            )
        )
    if props.expire_days is not None:
        rules.append(
            s3.CfnBucket.RuleProperty(id="expire-objects", status="Enabled", expiration_in_days=props.expire_days)
        )
    return rules
