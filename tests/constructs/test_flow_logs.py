from collections.abc import Callable
from typing import Any

from moka_constructs import FlowLogs, FlowLogsProps, Location

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]

PROPS = FlowLogsProps(
    location=Location(partition="aws", account="111111111111", region="us-east-1"),
    vpc_id="vpc-1",
    log_group_name="/moka/test/flow-logs",
    role_name="moka-test-flow-logs",
    retention_days=30,
)


def test_all_traffic_goes_to_a_group_that_forgets(template: Template, only: Only) -> None:
    resources = template(lambda stack: FlowLogs(stack, "FlowLogs", PROPS))
    log = only(resources, "AWS::EC2::FlowLog")["Properties"]

    assert (log["ResourceType"], log["ResourceId"], log["TrafficType"]) == ("VPC", "vpc-1", "ALL")
    assert only(resources, "AWS::Logs::LogGroup")["Properties"]["RetentionInDays"] == 30


def test_the_role_writes_to_that_group_alone_and_for_this_account_alone(template: Template, only: Only) -> None:
    role = only(template(lambda stack: FlowLogs(stack, "FlowLogs", PROPS)), "AWS::IAM::Role")["Properties"]
    (allowed,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    group = "arn:aws:logs:us-east-1:111111111111:log-group:/moka/test/flow-logs"

    assert allowed["Resource"] == [group, f"{group}:*"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "111111111111"}}
