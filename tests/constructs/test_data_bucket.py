from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import DataBucket, DataBucketProps, Location, PropsError

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]


def props(**changes: Any) -> DataBucketProps:
    given: dict[str, Any] = {
        "bucket_name": "moka-test-data",
        "location": Location(partition="aws", account="111111111111", region="us-east-1"),
        "key_arn": "arn:aws:kms:us-east-1:111111111111:key/1",
        "retain": True,
    }
    return DataBucketProps(**{**given, **changes})


def test_minimal_props_keep_objects_and_drop_unfinished_uploads(template: Template, only: Only) -> None:
    bucket = only(template(lambda stack: DataBucket(stack, "Bucket", props())), "AWS::S3::Bucket")
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]

    assert [rule["Id"] for rule in rules] == ["abort-stale-uploads"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert "LoggingConfiguration" not in bucket["Properties"]


def test_all_props_reach_the_bucket(template: Template, only: Only) -> None:
    given = props(
        retain=False, expire_days=14, noncurrent_days=30, abort_multipart_days=2, access_logs_bucket="moka-test-logs"
    )
    bucket = only(template(lambda stack: DataBucket(stack, "Bucket", given)), "AWS::S3::Bucket")
    rules = {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}

    assert "DeletionPolicy" not in bucket  # deleted with its stack, when it is empty
    assert rules["expire-objects"]["ExpirationInDays"] == 14
    assert rules["drop-old-versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rules["abort-stale-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["Properties"]["LoggingConfiguration"]["DestinationBucketName"] == "moka-test-logs"


def test_fails_when_a_bucket_would_log_into_itself(template: Template) -> None:
    with pytest.raises(PropsError, match="must be another bucket, got moka-test-data") as error:
        template(lambda stack: DataBucket(stack, "Bucket", props(access_logs_bucket="moka-test-data")))

    assert error.value.code == "LogsIntoItself"
