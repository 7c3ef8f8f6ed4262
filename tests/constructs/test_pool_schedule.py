"""Schedules on the template, and the state machine run by moto's interpreter of the States Language against its EKS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService

from moka_constructs import (
    Location,
    NodePool,
    NodePoolContext,
    NodePoolProps,
    NodeSettings,
    NodeSubnet,
    PoolSchedule,
    PoolSchedules,
    PoolSchedulesProps,
    PropsError,
)
from moka_constructs.pool_schedule import resize_definition

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
HERE = Location(partition="aws", account="111111111111", region="us-east-1")


def build(template: Template, **changes: Any) -> dict[str, dict[str, Any]]:
    def make(stack: Any) -> None:
        context = NodePoolContext(
            cluster_name="moka-test-c",
            cluster_key="moka-test-c",
            kubernetes_version="1.35",
            node_role_arn="arn:aws:iam::111111111111:role/nodes",
            node_role_key="nodes",
            security_group_ids=("sg-1",),
            volumes_key_arn="arn:aws:kms:us-east-1:111111111111:key/2",
            tags={},
        )
        pool = NodePool(
            stack,
            "Pool",
            context,
            NodePoolProps(
                name="executor",
                role="executor",
                instance_types=("m8g.xlarge",),
                architecture="arm64",
                settings=NodeSettings(operating_system="al2023", max_pods=32, vcpus=4, nvme_raid0=False),
                subnets={f"us-east-1{letter}": (NodeSubnet(id=f"subnet-{letter}", key=letter),) for letter in "ab"},
                max_nodes_per_zone=20,
                ami_release="1.35.6-20260714",
            ),
        )
        given: dict[str, Any] = {
            "name": "grows-at-night",
            "pool": pool,
            "cron": "0 22 ? * MON-FRI *",
            "timezone": "America/Los_Angeles",
            "min_nodes_per_zone": 4,
            "max_nodes_per_zone": 40,
        }
        PoolSchedules(
            stack,
            "Schedules",
            PoolSchedulesProps(
                cluster_name="moka-test-c",
                resize_role_name="moka-test-c-pool-resize",
                start_role_name="moka-test-c-pool-schedules",
                location=HERE,
                schedules=(PoolSchedule(**{**given, **changes}),),
            ),
        )

    return template(make)


def of_kind(resources: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in resources.values() if each["Type"] == kind]


def test_each_group_of_the_pool_has_a_schedule_in_the_files_time_zone(template: Template) -> None:
    resources = build(template)
    groups = {each["Properties"]["NodegroupName"] for each in of_kind(resources, "AWS::EKS::Nodegroup")}
    schedules = [each["Properties"] for each in of_kind(resources, "AWS::Scheduler::Schedule")]

    assert {each["Name"] for each in schedules} == {"grows-at-night-1a", "grows-at-night-1b"}
    assert {json.loads(each["Target"]["Input"])["NodegroupName"] for each in schedules} == groups
    for each in schedules:
        request = json.loads(each["Target"]["Input"])
        assert (request["ClusterName"], request["MinSize"], request["MaxSize"]) == ("moka-test-c", 4, 40)
        assert each["ScheduleExpression"] == "cron(0 22 ? * MON-FRI *)"
        assert each["ScheduleExpressionTimezone"] == "America/Los_Angeles"
        assert each["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_scheduler_may_start_the_one_machine_and_the_machine_change_the_scheduled_groups_only(
    template: Template,
) -> None:
    resources = build(template)
    roles = {each["Properties"]["RoleName"]: each["Properties"] for each in of_kind(resources, "AWS::IAM::Role")}
    (start,) = roles["moka-test-c-pool-schedules"]["Policies"][0]["PolicyDocument"]["Statement"]
    (resize,) = roles["moka-test-c-pool-resize"]["Policies"][0]["PolicyDocument"]["Statement"]
    groups = [each["Properties"]["NodegroupName"] for each in of_kind(resources, "AWS::EKS::Nodegroup")]

    assert start["Action"] == ["states:StartExecution"]
    assert start["Resource"] == ["arn:aws:states:us-east-1:111111111111:stateMachine:moka-test-c-pool-resize"]
    assert resize["Action"] == ["eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"]
    assert sorted(resize["Resource"]) == sorted(
        f"arn:aws:eks:us-east-1:111111111111:nodegroup/moka-test-c/{name}/*" for name in groups
    )
    for role in roles.values():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "111111111111"}}


def test_fails_when_the_minimum_is_above_the_maximum(template: Template) -> None:
    with pytest.raises(PropsError, match=r"must be at most `max_nodes_per_zone` \(2\), got 4") as error:
        build(template, max_nodes_per_zone=2)

    assert error.value.code == "MinAboveMax"


def as_moto_spells(definition: dict[str, Any]) -> dict[str, Any]:
    """Moto hands requests to boto3 as they are, so it wants the API's clusterName where AWS wants ClusterName."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {f"{key[0].lower()}{key[1:]}": renamed(each) for key, each in value.items()}
        return value

    for state in definition["States"].values():
        if "Parameters" in state:
            state["Parameters"] = renamed(state["Parameters"])
        if "ResultSelector" in state:
            paths = state["ResultSelector"].values()
            assert {path.rsplit(".", 1)[0] for path in paths} == {"$.Nodegroup.ScalingConfig"}
            state["ResultSelector"] = {
                name: ".".join(f"{part[0].lower()}{part[1:]}" for part in path.split("."))
                for name, path in state["ResultSelector"].items()
            }
    return definition


@pytest.fixture
def resized(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, int]]]:
    """`resized(size=3, low=0, high=20)` runs the machine on a group of that size and returns its bounds afterwards.

    `meanwhile` is what somebody else writes into the group once the machine waits.
    """
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # moto puts EKS' datetimes into a JSON history
    monkeypatch.setattr(
        StateTaskService,
        "_normalise_response",
        lambda _, response, **__: response.update(json.loads(json.dumps(response, default=str))),
    )
    definition = as_moto_spells(resize_definition("aws"))
    definition["States"]["Wait"]["Seconds"] = 1
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        eks, machines = boto3.client("eks"), boto3.client("stepfunctions")
        eks.create_cluster(
            name="c", roleArn="arn:aws:iam::123456789012:role/c", resourcesVpcConfig={"subnetIds": ["subnet-1"]}
        )
        machine = machines.create_state_machine(
            name="resize", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/r"
        )["stateMachineArn"]

        def scaling() -> dict[str, int]:
            found: dict[str, int] = eks.describe_nodegroup(clusterName="c", nodegroupName="g")["nodegroup"][
                "scalingConfig"
            ]
            return found

        def run(size: int, low: int, high: int, meanwhile: dict[str, int] | None = None) -> dict[str, int]:
            eks.create_nodegroup(
                clusterName="c",
                nodegroupName="g",
                subnets=["subnet-1"],
                nodeRole="arn:aws:iam::123456789012:role/nodes",
                scalingConfig={"minSize": 0, "maxSize": 50, "desiredSize": size},
            )
            request = {"ClusterName": "c", "NodegroupName": "g", "MinSize": low, "MaxSize": high}
            started = machines.start_execution(stateMachineArn=machine, input=json.dumps(request))["executionArn"]
            for _ in range(300):
                state = machines.describe_execution(executionArn=started)
                if state["status"] != "RUNNING":
                    break
                waiting = any(
                    event["type"] == "WaitStateEntered"
                    for event in machines.get_execution_history(executionArn=started)["events"]
                )
                if meanwhile is not None and waiting:
                    eks.update_nodegroup_config(clusterName="c", nodegroupName="g", scalingConfig=meanwhile)
                    meanwhile = None
                time.sleep(0.05)
            assert state["status"] == "SUCCEEDED", state
            return scaling()

        yield run


def test_a_higher_minimum_lifts_a_smaller_group(resized: Callable[..., dict[str, int]]) -> None:
    assert resized(size=1, low=4, high=40) == {"minSize": 4, "maxSize": 40, "desiredSize": 4}


def test_a_group_within_the_new_bounds_keeps_its_size(resized: Callable[..., dict[str, int]]) -> None:
    assert resized(size=7, low=4, high=40) == {"minSize": 4, "maxSize": 40, "desiredSize": 7}


def test_a_lower_maximum_waits_until_the_autoscaler_has_taken_idle_nodes_away(
    resized: Callable[..., dict[str, int]],
) -> None:
    idle_nodes_went = {"desiredSize": 5}

    assert resized(size=30, low=0, high=5, meanwhile=idle_nodes_went) == {
        "minSize": 0,
        "maxSize": 5,
        "desiredSize": 5,
    }


def test_bounds_that_a_later_schedule_wrote_are_not_undone_by_one_that_waited(
    resized: Callable[..., dict[str, int]],
) -> None:
    """The nodes that were idle have gone too, so that the earlier schedule's maximum would fit by now."""
    morning = {"minSize": 2, "maxSize": 40, "desiredSize": 3}

    assert resized(size=30, low=0, high=5, meanwhile=morning) == morning
