from typing import Any

import cdk8s
import pytest

from environments.names import ARCHER_GROUP
from k8s_manifests.errors import ChartError
from k8s_manifests.flow_control import FlowControlChart

SERVICE_ACCOUNTS = 9000
"""Precedence of the built-in schema that drivers would fall into."""
LEADERS = 200
"""Precedence of the last built-in schema for leader election."""


def subjects(rendered: Any, name: str) -> list[dict[str, Any]]:
    (rule,) = rendered.one("FlowSchema", name)["spec"]["rules"]
    found: list[dict[str, Any]] = rule["subjects"]
    return found


def test_drivers_of_every_team_and_archer_have_levels_of_their_own(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        cluster = rendered.environment.cluster(rendered.cluster)
        assert subjects(rendered, "moka-archer") == [{"kind": "Group", "group": {"name": ARCHER_GROUP}}]
        assert subjects(rendered, "moka-drivers") == [
            {"kind": "ServiceAccount", "serviceAccount": {"name": "spark", "namespace": f"spark-{team.name}"}}
            for team in rendered.environment.teams_on(cluster)
        ]


def test_every_schema_leads_to_a_level_that_is_there_and_is_asked_between_leaders_and_service_accounts(
    every_cluster: list[Any],
) -> None:
    for rendered in every_cluster:
        levels = {each["metadata"]["name"] for each in rendered.of_kind("PriorityLevelConfiguration")}
        for schema in rendered.of_kind("FlowSchema"):
            assert schema["spec"]["priorityLevelConfiguration"]["name"] in levels
            assert LEADERS < schema["spec"]["matchingPrecedence"] < SERVICE_ACCOUNTS
            assert schema["spec"]["distinguisherMethod"] == {"type": "ByNamespace"}


def test_archer_is_sorted_before_drivers(dev: Any) -> None:
    archer, drivers = (
        dev.one("FlowSchema", name)["spec"]["matchingPrecedence"] for name in ("moka-archer", "moka-drivers")
    )

    assert archer < drivers


def test_a_full_level_queues_and_lends_what_it_does_not_use(dev: Any) -> None:
    for level in dev.of_kind("PriorityLevelConfiguration"):
        limited = level["spec"]["limited"]
        queuing = limited["limitResponse"]["queuing"]
        assert limited["limitResponse"]["type"] == "Queue"
        assert limited["lendablePercent"] > 0
        # the API server refuses hands that are too large for their queues; this is its bound in bits
        assert queuing["handSize"] * queuing["queues"].bit_length() <= 60


def test_without_a_job_namespace_there_is_nothing_to_sort() -> None:
    with pytest.raises(ChartError, match="needs at least one job namespace, got none"):
        FlowControlChart(cdk8s.App(), "FlowControl", environment="dev", job_namespaces=())
