"""Who may do what, asked of an evaluator over the rendered roles: the same question that IAM answers, for Allow alone."""

import fnmatch
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from environments import load, names
from environments.data import GlueCatalog
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]
May = Callable[..., bool]


def allows(role: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether an inline policy of the role allows the action; ValueError for an operator that it does not know."""
    return any(
        any(fnmatch.fnmatchcase(action, pattern) for pattern in statement["Action"])
        and any(isinstance(each, str) and fnmatch.fnmatchcase(resource, each) for each in statement["Resource"])
        and all(
            fits(operator, str(context.get(key, "")), given)
            for operator, keys in statement.get("Condition", {}).items()
            for key, given in keys.items()
        )
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    )


def fits(operator: str, value: str, given: str | list[str]) -> bool:
    wanted = [given] if isinstance(given, str) else given
    if operator == "StringEquals":
        return value in wanted
    if operator == "StringLike":
        return any(fnmatch.fnmatchcase(value, each) for each in wanted)
    raise ValueError(operator)


@pytest.fixture
def may(stacks: Stacks) -> May:
    """`may("prod/batch", "team-ads", "s3:GetObject", arn)`."""

    def ask(where: str, workload: str, action: str, resource: str, **context: str) -> bool:
        environment, cluster = where.split("/")
        (role,) = (
            each["Properties"]
            for each in stacks[f"{environment}/platform-{cluster}"].resources.values()
            if each["Type"] == "AWS::IAM::Role"
            and each["Properties"]["RoleName"] == f"moka-{environment}-{cluster}-{workload}"
        )
        return allows(role, action, resource, {key.replace("__", ":"): value for key, value in context.items()})

    return ask


def bucket(environment: str, use: names.BucketUse) -> str:
    return f"arn:aws:s3:::{names.bucket(load(environment), use)}"


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
def test_a_team_uses_its_own_staging_and_no_other_teams(may: May, action: str) -> None:
    staging = bucket("prod", "staging")

    assert may("prod/batch", "team-ads", action, f"{staging}/ads/job/part-0")
    assert not may("prod/batch", "team-ads", action, f"{staging}/search/job/part-0")
    assert not may("prod/batch", "team-ads", action, f"{staging}/ads-other/job/part-0")
    assert not may("prod/batch", "team-ads", action, f"{staging}/part-0")


def test_a_team_reads_its_artifacts_and_changes_none(may: May) -> None:
    artifacts = bucket("prod", "artifacts")

    assert may("prod/batch", "team-ads", "s3:GetObject", f"{artifacts}/ads/job.py")
    assert not may("prod/batch", "team-ads", "s3:PutObject", f"{artifacts}/ads/job.py")
    assert not may("prod/batch", "team-ads", "s3:GetObject", f"{artifacts}/search/job.py")


def test_a_team_lists_its_own_prefix_only(may: May) -> None:
    staging = bucket("prod", "staging")

    assert may("prod/batch", "team-ads", "s3:ListBucket", staging, s3__prefix="ads/job/")
    assert not may("prod/batch", "team-ads", "s3:ListBucket", staging, s3__prefix="search/")
    assert not may("prod/batch", "team-ads", "s3:ListBucket", staging, s3__prefix="")


def test_data_granted_for_reading_cannot_be_written(may: May) -> None:
    events, models = "arn:aws:s3:::example-ads-events", "arn:aws:s3:::example-ads-models"

    assert may("prod/batch", "team-ads", "s3:GetObject", f"{events}/day=1/part-0")
    assert not may("prod/batch", "team-ads", "s3:PutObject", f"{events}/day=1/part-0")
    assert not may("prod/batch", "team-ads", "s3:DeleteObject", f"{events}/day=1/part-0")
    assert may("prod/batch", "team-ads", "s3:PutObject", f"{models}/training/part-0")
    assert not may("prod/batch", "team-ads", "s3:PutObject", f"{models}/serving/part-0")
    assert not may("prod/batch", "team-reporting", "s3:GetObject", f"{models}/training/part-0")


def test_event_logs_can_be_written_and_finished_and_not_deleted(may: May) -> None:
    log = f"{bucket('prod', 'event-logs')}/spark-events/eventlog_v2_spark-1"

    for action in ("s3:GetObject", "s3:PutObject"):
        assert may("prod/batch", "team-ads", action, f"{log}/events_1_spark-1")
    assert may("prod/batch", "team-ads", "s3:DeleteObject", f"{log}/appstatus_spark-1.inprogress")
    assert not may("prod/batch", "team-ads", "s3:DeleteObject", f"{log}/events_1_spark-1")
    assert not may("prod/batch", "team-ads", "s3:PutObject", f"{bucket('prod', 'event-logs')}/elsewhere")


def test_no_team_reads_container_logs(may: May) -> None:
    logs = bucket("prod", "container-logs")

    for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"):
        assert not may("prod/batch", "team-ads", action, f"{logs}/logs/j-1/1/driver/spark/1.log.gz", s3__prefix="logs/")


def test_a_team_uses_its_own_glue_databases_only(may: May) -> None:
    assert isinstance(load("dev").catalog, GlueCatalog)
    glue = "arn:aws:glue:us-east-1:111111111111"

    assert may("dev/batch", "team-ads", "glue:CreateTable", f"{glue}:table/ads_dev/clicks")
    assert not may("dev/batch", "team-ads", "glue:CreateTable", f"{glue}:table/search_dev/clicks")
    assert not may("dev/batch", "team-ads", "glue:DeleteTable", f"{glue}:table/default/clicks")
    assert not may("dev/batch", "team-ads", "glue:CreateDatabase", f"{glue}:database/ads_dev")


def test_a_team_assumes_the_named_roles_only(may: May) -> None:
    assert may("prod/batch", "team-homefeed", "sts:AssumeRole", "arn:aws:iam::333333333333:role/FeedFeaturesWriter")
    assert not may("prod/batch", "team-homefeed", "sts:AssumeRole", "arn:aws:iam::333333333333:role/Admin")
    assert not may("prod/batch", "team-ads", "sts:AssumeRole", "arn:aws:iam::333333333333:role/FeedFeaturesWriter")


def test_a_team_uses_the_keys_of_its_data_only(may: May) -> None:
    key = "arn:aws:kms:us-east-1:333333333333:key/00000000-0000-4000-8000-00000000f001"

    assert may("prod/batch", "team-homefeed", "kms:GenerateDataKey", key)
    assert not may("prod/batch", "team-ads", "kms:Decrypt", key)
