from typing import Any

import pytest

from moka_constructs import Alarm, Metric, PropsError, make_alarm

NODES = Metric(namespace="AWS/X", name="Nodes", dimensions={"Group": "g"}, statistic="Maximum")
MOST = Metric(namespace="AWS/X", name="Most", dimensions={"Group": "g"}, statistic="Maximum")


def build(template: Any, only: Any, *topics: str, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "name": "moka-x",
        "meaning": "X is full. Add some.",
        "metrics": {"nodes": NODES},
        "threshold": 1,
    }
    alarm = Alarm(**{**given, **changes})
    properties: dict[str, Any] = only(
        template(lambda stack: make_alarm(stack, "Alarm", alarm, topics)), "AWS::CloudWatch::Alarm"
    )["Properties"]
    return properties


def test_one_metric_needs_no_math_and_all_periods_count(template: Any, only: Any) -> None:
    made = build(template, only, "arn:t", periods=4)

    assert (made["MetricName"], made["Statistic"], made["Period"]) == ("Nodes", "Maximum", 300)
    assert (made["EvaluationPeriods"], made["DatapointsToAlarm"]) == (4, 4)
    assert made["AlarmActions"] == made["OKActions"] == ["arn:t"]
    assert "Metrics" not in made


def test_an_expression_alone_is_returned_and_its_metrics_are_inputs(template: Any, only: Any) -> None:
    made = build(template, only, metrics={"nodes": NODES, "most": MOST}, expression="nodes / most")

    assert [(each["Id"], each["ReturnData"]) for each in made["Metrics"]] == [
        ("result", True),
        ("nodes", False),
        ("most", False),
    ]
    assert "MetricName" not in made
    assert "Period" not in made


def test_without_topics_it_has_no_actions(template: Any, only: Any) -> None:
    assert "AlarmActions" not in build(template, only)


@pytest.mark.parametrize(("key", "most"), [("name", 255), ("meaning", 1024)])
def test_texts_that_cloudwatch_refuses_are_refused_at_synth(template: Any, only: Any, key: str, most: int) -> None:
    assert build(template, only, **{key: "x" * most})
    with pytest.raises(PropsError, match=f"`{key}` must have at most {most} characters"):
        build(template, only, **{key: "x" * (most + 1)})
