"""The bucket that takes the access logs of other buckets and of load balancers.

It is encrypted with S3's own key because neither service can write access logs to a bucket under a customer key, and it
keeps no logs about itself.
"""

import dataclasses
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from moka_constructs.data_bucket import OWNER_ENFORCED, PRIVATE, deny_without_tls
from moka_constructs.location import Location

LOAD_BALANCER_PREFIX: Final = "load-balancer"
"""Where load balancers write.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccessLogBucketProps:
    """Where access logs go and for how long."""

    bucket_name: str
    location: Location
    source_buckets: tuple[str, ...]
    """Names of the buckets that may write their logs here."""
    retain: bool
    expire_days: int = 365


class AccessLogBucket(Construct):
    """A bucket that S3's logging service may write to, for named source buckets of this account, and its load balancers."""

    def __init__(self, scope: Construct, construct_id: str, props: AccessLogBucketProps) -> None:
        super().__init__(scope, construct_id)
        self.name = props.bucket_name
        self.arn = props.location.bucket_arn(props.bucket_name)
        default = s3.CfnBucket.ServerSideEncryptionByDefaultProperty(sse_algorithm="AES256")
        bucket = s3.CfnBucket(
            self,
            "Resource",
            bucket_name=props.bucket_name,
            bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    s3.CfnBucket.ServerSideEncryptionRuleProperty(server_side_encryption_by_default=default)
                ]
            ),
            public_access_block_configuration=PRIVATE,
            ownership_controls=OWNER_ENFORCED,
            lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
                rules=[
                    s3.CfnBucket.RuleProperty(
                        id="expire-objects", status="Enabled", expiration_in_days=props.expire_days
                    )
                ]
            ),
        )
        if props.retain:
            bucket.apply_removal_policy(RemovalPolicy.RETAIN)
        write = {
            "Sid": "S3WritesAccessLogs",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{self.arn}/*",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": props.location.account},
                "ArnLike": {"aws:SourceArn": [props.location.bucket_arn(name) for name in props.source_buckets]},
            },
        }
        balancers = {
            "Sid": "LoadBalancersWriteAccessLogs",
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            # load balancers of other accounts write below their own number, so the path is the condition
            "Resource": f"{self.arn}/{LOAD_BALANCER_PREFIX}/AWSLogs/{props.location.account}/*",
        }
        statements = [deny_without_tls(bucket.attr_arn), write, balancers]
        s3.CfnBucketPolicy(
            self, "Policy", bucket=bucket.ref, policy_document={"Version": "2012-10-17", "Statement": statements}
        )
