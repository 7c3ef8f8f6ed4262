from collections.abc import Callable
from typing import Any

from moka_constructs import AccessLogBucket, AccessLogBucketProps, Location

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]

PROPS = AccessLogBucketProps(
    bucket_name="moka-test-logs",
    location=Location(partition="aws", account="111111111111", region="us-east-1"),
    source_buckets=("moka-test-data",),
    retain=True,
    expire_days=90,
)


def test_it_takes_logs_of_named_buckets_only_and_forgets_them(template: Template, only: Only) -> None:
    resources = template(lambda stack: AccessLogBucket(stack, "Logs", PROPS))
    bucket = only(resources, "AWS::S3::Bucket")["Properties"]
    statements = only(resources, "AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
    (allowed,) = (each for each in statements if each["Sid"] == "S3WritesAccessLogs")

    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 90
    assert allowed["Condition"]["ArnLike"] == {"aws:SourceArn": ["arn:aws:s3:::moka-test-data"]}


def test_it_refuses_plain_http_like_every_bucket(template: Template, only: Only) -> None:
    resources = template(lambda stack: AccessLogBucket(stack, "Logs", PROPS))
    statements = only(resources, "AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]

    assert {each["Sid"] for each in statements if each["Effect"] == "Deny"} == {"DenyWithoutTls"}


def test_load_balancers_of_the_account_write_below_their_prefix(template: Template, only: Only) -> None:
    resources = template(lambda stack: AccessLogBucket(stack, "Logs", PROPS))
    statements = only(resources, "AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
    (allowed,) = (each for each in statements if each["Sid"] == "LoadBalancersWriteAccessLogs")

    assert allowed["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert allowed["Resource"] == "arn:aws:s3:::moka-test-logs/load-balancer/AWSLogs/111111111111/*"
    assert allowed["Action"] == "s3:PutObject"
