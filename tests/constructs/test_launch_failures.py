from typing import Any

import pytest

from moka_constructs import LaunchFailures, LaunchFailuresProps, PropsError


def build(template: Any, only: Any, topics: int) -> dict[str, Any]:
    props = LaunchFailuresProps(
        name="moka-x", auto_scaling_groups=["eks-a", "eks-b"], topic_arns=[f"arn:{number}" for number in range(topics)]
    )
    properties: dict[str, Any] = only(
        template(lambda stack: LaunchFailures(stack, "Rule", props)), "AWS::Events::Rule"
    )["Properties"]
    return properties


def test_the_rule_listens_to_its_groups_and_leaves_want_of_spot_capacity_out(template: Any, only: Any) -> None:
    detail = build(template, only, 1)["EventPattern"]["detail"]

    assert detail["AutoScalingGroupName"] == ["eks-a", "eks-b"]
    assert not any("apacity" in reason["wildcard"] for reason in detail["StatusMessage"])


def test_every_topic_is_a_target_of_its_own(template: Any, only: Any) -> None:
    targets = build(template, only, 5)["Targets"]

    assert [each["Arn"] for each in targets] == [f"arn:{number}" for number in range(5)]
    assert len({each["Id"] for each in targets}) == 5


@pytest.mark.parametrize("topics", [0, 6])
def test_a_number_of_topics_that_a_rule_cannot_have_is_refused(template: Any, only: Any, topics: int) -> None:
    with pytest.raises(PropsError, match="must name 1 to 5 topics"):
        build(template, only, topics)
