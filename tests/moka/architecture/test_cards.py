from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from moka.architecture.cards import counted_kinds
from moka.architecture.environment import Architecture
from moka.architecture.facts import Fact

from .conftest import Templates, att, made, ref

Read = Callable[[Templates], Architecture]


def card(architecture: Architecture, icon: str) -> tuple[Fact, ...]:
    return next((each.facts for each in architecture.cards if each.icon == icon), ())


def said(facts: tuple[Fact, ...]) -> list[tuple[str, str]]:
    return [(fact.text, fact.detail) for fact in facts]


def test_a_bucket_is_told_without_the_accounts_number_and_with_what_protects_it(read: Read) -> None:
    tls = {"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    found = read(
        {
            "data": {
                "Key": made("KMS::Key"),
                "Alias": made("KMS::Alias", AliasName="alias/demo-data", TargetKeyId=att("Key")),
                "Logs": made(
                    "S3::Bucket",
                    BucketName="demo-logs-111111111111-eu-west-1",
                    VersioningConfiguration={"Status": "Enabled"},
                    LifecycleConfiguration={"Rules": [{"Id": "abort"}, {"ExpirationInDays": 30}]},
                    BucketEncryption={
                        "ServerSideEncryptionConfiguration": [
                            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": att("Key")}}
                        ]
                    },
                ),
                "Policy": made("S3::BucketPolicy", Bucket=ref("Logs"), PolicyDocument=tls),
                "Plain": made("S3::Bucket", BucketName="plain"),
                "Short": made(
                    "S3::Bucket", BucketName="short", LifecycleConfiguration={"Rules": [{"ExpirationInDays": 1}]}
                ),
            }
        }
    )

    assert said(card(found, "bucket")) == [
        ("demo-logs-…-eu-west-1", "kept 30 days · versioned · TLS only · key demo-data"),
        ("plain", "kept for ever"),
        ("short", "kept 1 day"),
    ]
    assert card(found, "bucket")[0].tip == "demo-logs-111111111111-eu-west-1"


def test_repositories_that_are_alike_are_told_together_and_caches_of_other_registries_after_them(read: Read) -> None:
    fixed = {"ImageTagMutability": "IMMUTABLE"}
    found = read(
        {
            "data": {
                "Spark": made("ECR::Repository", RepositoryName="demo/spark", **fixed),
                "Own": made("ECR::Repository", RepositoryName="demo/own"),
                "Archer": made("ECR::Repository", RepositoryName="demo/archer", **fixed),
                "Rule": made(
                    "ECR::PullThroughCacheRule", EcrRepositoryPrefix="demo/hub", UpstreamRegistryUrl="docker.io"
                ),
            }
        }
    )

    assert said(card(found, "image")) == [
        ("2 repositories", "immutable tags"),
        ("demo/spark", ""),
        ("demo/archer", ""),
        ("1 repository", "mutable tags"),
        ("demo/own", ""),
        ("demo/hub/*", "cache of docker.io"),
    ]


def test_keys_that_exist_already_are_named_with_who_names_them(demo: Templates, read: Read) -> None:
    arn = "arn:aws:kms:eu-west-1:111111111111:key/0000-5a1"
    demo["data"]["Logs"]["Properties"]["Anything"] = {"deep": [{"er": arn}]}
    demo["archer"]["Database"]["Properties"]["KmsKeyId"] = arn
    own, existing = card(read(demo), "key")

    assert (own.text, own.existing, own.of) == ("demo-secrets", False, ("cluster-c/Key", "cluster-c/Alias"))
    assert (existing.text, existing.detail, existing.existing) == ("0000-5a1", "existing · named by RDS, S3", True)


def test_a_key_that_does_not_rotate_is_told(read: Read) -> None:
    assert said(card(read({"data": {"Key": made("KMS::Key")}}), "key")) == [("Key", "not rotated")]


def test_roles_are_counted_by_who_assumes_them(demo: Templates, read: Read) -> None:
    trust = {"Statement": [{"Principal": {"Service": "lambda.amazonaws.com"}}]}
    boundary = "arn:aws:iam::1:policy/team/Boundary"
    demo["data"]["Role"] = made("IAM::Role", AssumeRolePolicyDocument=trust, PermissionsBoundary=boundary)

    assert said(card(read(demo), "role")) == [
        ("2 roles", "for pods"),
        ("1 role", "for lambda"),
        ("Boundary", "existing · boundary of roles"),
        ("1 OIDC provider", "for pods of clusters"),
    ]


def test_monitoring_counts_alarms_by_stack_and_names_the_rest(read: Read) -> None:
    topics = ["arn:aws:sns:eu-west-1:1:demo-alarms", "arn:aws:sns:eu-west-1:1:oncall"]
    alarm = made("CloudWatch::Alarm", AlarmActions=topics)
    found = read(
        {
            "data": {
                "Topic": made("SNS::Topic", TopicName="demo-alarms"),
                "Mail": made("SNS::Subscription", TopicArn=ref("Topic"), Protocol="email", Endpoint="a@example.com"),
            },
            "archer": {
                "A": alarm,
                "B": alarm,
                "Board": made("CloudWatch::Dashboard", DashboardName="demo"),
                "Log": made("Logs::LogGroup", RetentionInDays=90),
                "Log2": made("Logs::LogGroup"),
                "Failures": made("Events::Rule", Name="launch-failures"),
            },
        }
    )

    assert said(card(found, "alarm")) == [
        ("2 alarms", "of archer"),
        ("demo", "dashboard"),
        ("2 log groups", "kept: 1 for 90 days, 1 for ever"),
        ("demo-alarms", "topic · email a@example.com"),
        ("oncall", "existing · topic"),
        ("launch-failures", "event rule"),
    ]


def test_automation_names_schedules_machines_functions_and_custom_resources(read: Read) -> None:
    schedule = made(
        "Scheduler::Schedule",
        GroupName=ref("Group"),
        ScheduleExpression="cron(0 22 ? * * *)",
        ScheduleExpressionTimezone="Europe/Dublin",
    )
    found = read(
        {
            "cluster-c": {
                "Group": made("Scheduler::ScheduleGroup", Name="demo-c"),
                "S1": schedule,
                "S2": schedule,
                "Machine": made("StepFunctions::StateMachine", StateMachineName="resize"),
                "Function": made("Lambda::Function", FunctionName="tagger", Runtime="python3.13"),
                "Tags": {"Type": "Custom::Tags", "Properties": {}},
                "More": {"Type": "Custom::Tags", "Properties": {}},
            }
        }
    )

    assert said(card(found, "clock")) == [
        ("schedules demo-c", "2 at cron(0 22 ? * * *) · Europe/Dublin"),
        ("resize", "state machine"),
        ("tagger", "function"),
        ("Tags", "2 custom resources"),
    ]


@pytest.mark.parametrize("icon", ["bucket", "image", "key", "role", "alarm", "clock"])
def test_there_is_no_card_for_what_is_not_there(icon: str, read: Read) -> None:
    nothing: dict[str, Any] = {"network": {"Vpc": made("EC2::VPC")}}

    assert card(read(nothing), icon) == ()


def test_kinds_are_counted_by_name(demo: Templates, read: Read) -> None:
    counted = counted_kinds(each for each in read(demo).resources if each.stack == "data")

    assert counted == {"AWS::S3::Bucket": 1, "AWS::SNS::Topic": 1, "AWS::SNS::TopicPolicy": 1}
    assert list(counted) == sorted(counted)
