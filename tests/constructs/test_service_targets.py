from collections.abc import Callable
from typing import Any

import pytest

from moka_constructs import PropsError, Service, ServiceTargets

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]
Only = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]


def service(**changes: Any) -> Service:
    given: dict[str, Any] = {
        "name": "Api",
        "hostname": "archer.example.com",
        "target_port": 8080,
        "target_group_name": "moka-test-archer-api",
        "health_path": "/readyz",
    }
    return Service(**{**given, **changes})


def targets(template: Template, only: Only, given: Service) -> dict[str, Any]:
    resources = template(lambda stack: ServiceTargets(stack, "Targets", "vpc-1", given))
    properties: dict[str, Any] = only(resources, "AWS::ElasticLoadBalancingV2::TargetGroup")["Properties"]
    return properties


def test_targets_are_pod_addresses_that_a_binding_finds_by_name(template: Template, only: Only) -> None:
    group = targets(template, only, service())

    assert group["TargetType"] == "ip"
    assert group["Name"] == "moka-test-archer-api"
    assert (group["Protocol"], group["Port"], group["VpcId"]) == ("HTTP", 8080, "vpc-1")
    assert "Targets" not in group


def test_health_is_asked_at_the_target_port_unless_another_is_given(template: Template, only: Only) -> None:
    group = targets(template, only, service())

    assert (group["HealthCheckPath"], group["HealthCheckPort"]) == ("/readyz", "8080")
    assert group["Matcher"] == {"HttpCode": "200"}
    assert group["HealthCheckIntervalSeconds"] * group["UnhealthyThresholdCount"] <= 30


def test_all_props_reach_the_target_group(template: Template, only: Only) -> None:
    given = service(
        target_port=8998, target_group_name="moka-test-archer-livy", health_path="/healthz", health_port=8080
    )
    group = targets(template, only, given)

    assert (group["Port"], group["Name"]) == (8998, "moka-test-archer-livy")
    assert (group["HealthCheckPath"], group["HealthCheckPort"]) == ("/healthz", "8080")


def test_a_pod_that_ends_leaves_within_thirty_seconds(template: Template, only: Only) -> None:
    attributes = {each["Key"]: each["Value"] for each in targets(template, only, service())["TargetGroupAttributes"]}

    assert attributes["deregistration_delay.timeout_seconds"] == "30"
    assert attributes["load_balancing.algorithm.type"] == "least_outstanding_requests"


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"target_group_name": "m" * 33}, "NameTooLong", "must have at most 32 characters, got 'm+' \\(33\\)"),
        ({"health_path": "readyz"}, "HealthPathForm", "must start with a slash, got 'readyz'"),
    ],
)
def test_fails_when_elastic_load_balancing_would_refuse_it(
    template: Template, changes: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(PropsError, match=message) as error:
        template(lambda stack: ServiceTargets(stack, "Targets", "vpc-1", service(**changes)))

    assert error.value.code == code
