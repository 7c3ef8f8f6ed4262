"""A CloudWatch alarm that says what it means and what to do first.

Missing data is never left to the default ("missing"), with which an alarm stays in whatever state it had: each alarm says
what silence means. Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudwatch-alarm.html
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from aws_cdk import CfnResource
from constructs import Construct

from moka_constructs.errors import PropsError

MAX_NAME = 255
MAX_DESCRIPTION = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric:
    """One time series."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Alarm:
    """When to call somebody, and what to tell them."""

    name: str
    meaning: str
    """What is going wrong, and what to do first: the text of the notification."""
    metrics: Mapping[str, Metric]
    """{id: metric}; ids are lower-case words that `expression` may use."""
    expression: str | None = None
    """Metric math over the ids; None for the only metric as it is."""
    threshold: float
    comparison: Literal["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold"] = (
        "GreaterThanOrEqualToThreshold"
    )
    period_seconds: int = 300
    periods: int = 3
    """Periods in a row, all of them over the threshold."""
    silence: Literal["breaching", "notBreaching", "ignore"] = "notBreaching"
    """What no data means."""


def make_alarm(scope: Construct, construct_id: str, alarm: Alarm, topic_arns: Sequence[str]) -> None:
    """Make `alarm`; all topics hear when it starts and when it ends."""
    for key, text, most in (("name", alarm.name, MAX_NAME), ("meaning", alarm.meaning, MAX_DESCRIPTION)):
        if len(text) > most:
            raise PropsError(
                "AlarmTextTooLong",
                f"`{key}` must have at most {most} characters, got {text!r} ({len(text)}); shorten it",
                scope,
            )
    properties: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.meaning,
        "ComparisonOperator": alarm.comparison,
        "Threshold": alarm.threshold,
        "EvaluationPeriods": alarm.periods,
        "DatapointsToAlarm": alarm.periods,
        "TreatMissingData": alarm.silence,
    }
    if topic_arns:
        properties |= {"AlarmActions": list(topic_arns), "OKActions": list(topic_arns)}
    if alarm.expression is None:
        (metric,) = alarm.metrics.values()
        properties |= {**_metric(metric), "Statistic": metric.statistic, "Period": alarm.period_seconds}
    else:
        result = {"Id": "result", "Expression": alarm.expression, "ReturnData": True}
        inputs = [_input(key, metric, alarm.period_seconds) for key, metric in alarm.metrics.items()]
        properties["Metrics"] = [result, *inputs]
    CfnResource(scope, construct_id, type="AWS::CloudWatch::Alarm", properties=properties)


def _metric(metric: Metric) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions.items()]
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}


def _input(key: str, metric: Metric, period: int) -> dict[str, Any]:
    stat = {"Metric": _metric(metric), "Period": period, "Stat": metric.statistic}
    return {"Id": key, "MetricStat": stat, "ReturnData": False}
