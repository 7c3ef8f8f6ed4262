import functools
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk
import pytest

from environments import environment_names, load, names
from moka import alarms_reference
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]
OfKind = Callable[[SynthesizedStack, str], list[dict[str, Any]]]
WATCHED = [name for name in environment_names() if load(name).alarms is not None]
ALARM = "AWS::CloudWatch::Alarm"

DOCUMENTED = {("AWS/EKS", "apiserver_storage_size_bytes"), ("AWS/RDS", "ACUUtilization")}
"""Metrics that the CDK's list lacks: https://docs.aws.amazon.com/eks/latest/userguide/cloudwatch.html and
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html."""


@functools.cache
def published() -> frozenset[tuple[str, str]]:
    """Metrics that AWS publishes, (namespace, name): the lists that the CDK carries, made from AWS' own dashboards."""
    (archive,) = (Path(aws_cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.tgz")
    found = set(DOCUMENTED)
    with tarfile.open(archive) as package:
        for member in package:
            if member.name.endswith("-canned-metrics.generated.js"):
                text = package.extractfile(member).read().decode()  # type: ignore[union-attr]  # a file, by its name
                found |= set(re.findall(r'namespace:"([^"]+)",metricName:"([^"]+)"', text))
    return frozenset(found)


def alarms(stacks: Stacks, name: str) -> dict[str, dict[str, Any]]:
    """{alarm's name: properties} of an environment."""
    return {
        each["Properties"]["AlarmName"]: each["Properties"]
        for path, stack in stacks.items()
        for each in stack.resources.values()
        if path.startswith(f"{name}/") and each["Type"] == ALARM
    }


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"][1:]] if "Metrics" in alarm else [alarm]


def topics(name: str) -> list[str]:
    environment = load(name)
    assert environment.alarms is not None
    own = [f"arn:aws:sns:{environment.region}:{environment.account}:moka-{name}-alarms"]
    return [*(own if environment.alarms.emails else []), *environment.alarms.topic_arns]


def test_an_environment_without_the_section_has_no_alarm_and_no_dashboard(stacks: Stacks) -> None:
    assert WATCHED == ["dev", "prod", "staging"]
    kinds = {
        each["Type"] for path, stack in stacks.items() if path.startswith("test/") for each in stack.resources.values()
    }
    assert {kind for kind in kinds if kind.startswith(("AWS::CloudWatch", "AWS::SNS", "AWS::Events"))} == set()


@pytest.mark.parametrize("name", WATCHED)
def test_every_alarm_says_what_to_do_and_tells_every_topic_of_start_and_end(stacks: Stacks, name: str) -> None:
    for alarm in alarms(stacks, name).values():
        assert 80 < len(alarm["AlarmDescription"]) < 1024
        assert alarm.get("AlarmActions", []) == topics(name)
        assert alarm.get("OKActions", []) == topics(name)
        assert alarm["TreatMissingData"] in {"breaching", "notBreaching"}


@pytest.mark.parametrize("name", WATCHED)
def test_every_metric_is_one_that_aws_publishes(stacks: Stacks, name: str) -> None:
    seen = {
        (metric["Namespace"], metric["MetricName"])
        for alarm in alarms(stacks, name).values()
        for metric in metrics(alarm)
    }

    assert seen - published() == set()
    assert {"AWS/EKS", "AWS/AutoScaling", "AWS/RDS"} <= {namespace for namespace, _ in seen}


@pytest.mark.parametrize("name", WATCHED)
def test_every_control_plane_and_every_autoscaled_group_is_watched(stacks: Stacks, name: str) -> None:
    environment, found = load(name), alarms(stacks, name)
    for cluster in environment.clusters:
        eks = names.eks_cluster(environment, cluster)
        for what in ("api-throttled", "etcd-size"):
            alarm = found[f"moka-{name}-{cluster.name}-{what}"]
            assert alarm["Dimensions"] == [{"Name": "ClusterName", "Value": eks}]
        expected = {
            f"moka-{name}-{cluster.name}-full-{pool.name}-{zone}"
            for pool in cluster.pools
            if pool.role != "system"
            for zone in environment.pool_zones(pool)
        }
        assert {each for each in found if f"moka-{name}-{cluster.name}-full-" in each} == expected


def test_a_full_group_is_measured_by_the_names_that_the_tagger_returns(stacks: Stacks) -> None:
    alarm = alarms(stacks, "prod")["moka-prod-batch-full-executor-arm-us-east-1a"]
    stack = stacks["prod/cluster-batch"]
    (tagger,) = (key for key, each in stack.resources.items() if each["Type"] == "Custom::MokaAutoScalingTags")
    groups = [each["name"] for each in json.loads(stack.resources[tagger]["Properties"]["Groups"])]
    number = next(place for place, group in enumerate(groups) if group.startswith("executor-arm-us-east-1a-"))

    assert [metric["Dimensions"][0]["Value"] for metric in metrics(alarm)] == [
        {"Fn::GetAtt": [tagger, f"Group{number}"]}
    ] * 2
    assert alarm["Metrics"][0]["Expression"] == "IF(most > 0, nodes / most * 100, 0)"
    assert alarm["EvaluationPeriods"] * alarm["Metrics"][1]["MetricStat"]["Period"] == 30 * 60


def test_a_pool_of_one_size_has_no_alarm_for_being_full(dev_with: Callable[..., Stacks]) -> None:
    """It always is; a schedule that gives it room makes the alarm worth having."""
    cluster = load("dev").clusters[0]
    fixed = {"driver": {"min_nodes_per_zone": 4}, "executor": {"min_nodes_per_zone": 10}}
    pools = tuple(pool.model_copy(update=fixed.get(pool.name, {})) for pool in cluster.pools)

    found = alarms(dev_with(clusters=(cluster.model_copy(update={"pools": pools}),)), "dev")

    full = {name for name in found if "-full-" in name}
    assert full == {f"moka-dev-batch-full-executor-us-east-1{letter}" for letter in "abc"}


def test_every_nat_gateway_is_watched(stacks: Stacks) -> None:
    for name in WATCHED:
        stack = stacks.get(f"{name}/network")
        if stack is None:
            continue
        gateways = {key for key, each in stack.resources.items() if each["Type"] == "AWS::EC2::NatGateway"}
        watched = {
            each["Properties"]["Dimensions"][0]["Value"]["Ref"]
            for each in stack.resources.values()
            if each["Type"] == ALARM
        }
        assert watched == gateways
    assert len([each for each in alarms(stacks, "prod") if "nat-ports" in each]) == 3


def test_etcd_rings_at_three_quarters_of_what_the_tier_allows(stacks: Stacks) -> None:
    for name in WATCHED:
        for cluster in load(name).clusters:
            limit = 8 if cluster.control_plane_tier == "standard" else 16
            alarm = alarms(stacks, name)[f"moka-{name}-{cluster.name}-etcd-size"]
            assert alarm["Threshold"] == limit * 1024**3 * 3 / 4


def test_thresholds_are_those_of_the_file(stacks: Stacks) -> None:
    found = alarms(stacks, "prod")

    assert found["moka-prod-batch-api-throttled"]["Threshold"] == 120 * 5
    assert alarms(stacks, "dev")["moka-dev-batch-api-throttled"]["Threshold"] == 60 * 5
    assert found["moka-prod-archer-database-busy"]["Threshold"] == 90


def test_a_service_without_any_pod_is_trouble_and_a_sleeping_database_is_not(stacks: Stacks) -> None:
    found = alarms(stacks, "prod")
    services = {name: each for name, each in found.items() if name.endswith("-unreachable")}

    assert set(services) == {f"moka-prod-archer-{service}-unreachable" for service in ("api", "livy", "history")}
    assert {each["TreatMissingData"] for each in services.values()} == {"breaching"}
    assert found["moka-prod-archer-database-busy"]["TreatMissingData"] == "notBreaching"


def test_schedules_that_fail_are_told_where_there_are_schedules(stacks: Stacks) -> None:
    for name in WATCHED:
        environment = load(name)
        scheduled = {f"moka-{name}-{each.cluster}-schedule-failed" for each in environment.schedules}
        found = {key: each for key, each in alarms(stacks, name).items() if key.endswith("-schedule-failed")}
        assert set(found) == scheduled
        for key, alarm in found.items():
            cluster = key.removeprefix(f"moka-{name}-").removesuffix("-schedule-failed")
            machines = {
                each["Properties"]["StateMachineName"]
                for each in stacks[f"{name}/cluster-{cluster}"].resources.values()
                if each["Type"] == "AWS::StepFunctions::StateMachine"
            }
            result, *inputs = alarm["Metrics"]
            watched = {each["MetricStat"]["Metric"]["MetricName"]: each["MetricStat"]["Metric"] for each in inputs}
            assert result["Expression"] == "FILL(failed, 0) + FILL(late, 0)"
            assert set(watched) == {"ExecutionsFailed", "ExecutionsTimedOut"}
            for metric in watched.values():
                assert {metric["Dimensions"][0]["Value"].rsplit(":", 1)[1]} == machines
    assert any(load(name).schedules for name in WATCHED)


def test_nodes_that_do_not_start_for_want_of_addresses_are_told_for_every_group(
    stacks: Stacks, of_kind: OfKind
) -> None:
    stack = stacks["prod/cluster-batch"]
    (rule,) = of_kind(stack, "AWS::Events::Rule")
    detail = rule["EventPattern"]["detail"]

    assert rule["EventPattern"]["detail-type"] == ["EC2 Instance Launch Unsuccessful"]
    assert len(detail["AutoScalingGroupName"]) == len(of_kind(stack, "AWS::EKS::Nodegroup"))
    assert {"wildcard": "*free addresses*"} in detail["StatusMessage"]
    assert [each["Arn"] for each in rule["Targets"]] == topics("prod")
    assert of_kind(stacks["dev/cluster-batch"], "AWS::Events::Rule") == []


def test_the_topic_is_encrypted_with_a_key_that_both_services_may_use(stacks: Stacks, of_kind: OfKind) -> None:
    """EventBridge sends no account with what it publishes: a condition on it would drop its messages in silence."""
    stack = stacks["prod/data"]
    (topic,) = of_kind(stack, "AWS::SNS::Topic")
    (policy,) = of_kind(stack, "AWS::SNS::TopicPolicy")
    key = stack.resources[topic["KmsMasterKeyId"]["Fn::GetAtt"][0]]["Properties"]["KeyPolicy"]["Statement"]
    ours = {"StringEquals": {"aws:SourceAccount": "111111111111"}}
    *publish, tls = policy["PolicyDocument"]["Statement"]

    assert topic["TopicName"] == "moka-prod-alarms"
    assert [(each["Principal"], each.get("Condition")) for each in key[1:]] == [
        ({"Service": ["cloudwatch.amazonaws.com"]}, ours),
        ({"Service": ["events.amazonaws.com"]}, None),
    ]
    assert {tuple(each["Action"]) for each in key[1:]} == {("kms:Decrypt", "kms:GenerateDataKey*")}
    assert [(each["Principal"], each.get("Condition")) for each in publish] == [
        ({"Service": "cloudwatch.amazonaws.com"}, ours),
        ({"Service": "events.amazonaws.com"}, None),
    ]
    arn = "arn:aws:sns:us-east-1:111111111111:moka-prod-alarms"
    assert {(each["Action"], each["Resource"]) for each in publish} == {("sns:Publish", arn)}
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert [each["Endpoint"] for each in of_kind(stack, "AWS::SNS::Subscription")] == ["data-platform@example.com"]
    assert of_kind(stacks["dev/data"], "AWS::SNS::Topic") == []


@pytest.mark.parametrize("name", WATCHED)
def test_the_dashboard_graphs_only_metrics_that_aws_publishes(stacks: Stacks, of_kind: OfKind, name: str) -> None:
    (board,) = of_kind(stacks[f"{name}/archer"], "AWS::CloudWatch::Dashboard")
    given = [
        metric
        for widget in json.loads(board["DashboardBody"])["widgets"]
        if widget["type"] == "metric"
        for metric in widget["properties"]["metrics"]
    ]
    plain = {(each[0], each[1]) for each in given if isinstance(each[0], str)}
    searches = [each[0]["expression"] for each in given if isinstance(each[0], dict)]
    searched = {re.findall(r"\{(AWS/\w+),.*?MetricName=\"(\w+)\"", text)[0] for text in searches}

    assert (plain | searched) - published() == set()
    assert len(searched) >= 5
    assert len(plain) >= 4


@pytest.mark.parametrize("name", WATCHED)
def test_the_dashboard_shows_every_alarm_and_no_widget_covers_another(
    stacks: Stacks, of_kind: OfKind, name: str
) -> None:
    environment = load(name)
    (board,) = of_kind(stacks[f"{name}/archer"], "AWS::CloudWatch::Dashboard")
    widgets = json.loads(board["DashboardBody"])["widgets"]
    shown = {arn for each in widgets if each["type"] == "alarm" for arn in each["properties"]["alarms"]}
    prefix = f"arn:aws:cloudwatch:{environment.region}:{environment.account}:alarm:"

    assert board["DashboardName"] == f"moka-{name}"
    assert shown == {f"{prefix}{alarm}" for alarm in alarms(stacks, name)}
    cells = [
        (x, y)
        for each in widgets
        for x in range(each["x"], each["x"] + each["width"])
        for y in range(each["y"], each["y"] + each["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23
    searches = [
        entry["expression"]
        for each in widgets
        for metric in each["properties"].get("metrics", [])
        for entry in metric
        if isinstance(entry, dict) and "expression" in entry
    ]
    # a quoted term has to be a whole value: only names of metrics are
    assert all(search.count('"') == 2 and 'MetricName="' in search for search in searches)
    assert any("eks executor" in search for search in searches)
    headings = [each["properties"]["markdown"] for each in widgets if each["type"] == "text"]
    assert [heading.split(" (")[0] for heading in headings] == [
        *(f"## Cluster {cluster.name}" for cluster in environment.clusters),
        "## NAT gateways",
        "## Archer",
    ]
    assert {each["properties"]["region"] for each in widgets if each["type"] == "metric"} == {environment.region}


def test_the_reference_of_alarms_is_what_the_templates_give(stacks: Stacks) -> None:
    told = alarms_reference.PAGE.read_text(encoding="utf-8")

    assert told == alarms_reference.page(stacks.values()), "stale: run python -m moka.alarms_reference"
