"""An arrow is drawn only while everything that lets it through is in the templates."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from moka.architecture.environment import Architecture
from moka.architecture.flows import Route

from .conftest import Templates, att, imported, made

Read = Callable[[Templates], Architecture]
Without = Callable[..., Templates]


def test_the_flows_come_in_the_order_of_a_job_with_ports_and_means(demo: Templates, read: Read) -> None:
    assert [(flow.route.value, flow.text) for flow in read(demo).flows] == [
        ("call", "callers to the load balancer: port 443"),
        ("serve", "load balancer to Archer's and the History Server's pods: port 8080"),
        ("store", "Archer to its database: port 5432"),
        ("control", "Archer to the API server of demo-c, in group moka:archer"),
        ("objects", "nodes to S3 through the gateway endpoint"),
        ("services", "nodes to 1 AWS service through interface endpoints: HTTPS"),
        ("internet", "nodes to the internet through NAT and internet gateway"),
    ]


@pytest.mark.parametrize(
    ("gone", "route"),
    [
        ("Balancer", Route.CALL),
        ("BalancerGroup", Route.CALL),
        ("Listener", Route.CALL),
        ("Out", Route.SERVE),
        ("In", Route.SERVE),
        ("FromNodes", Route.STORE),
        ("Database", Route.STORE),
        ("Reach", Route.CONTROL),
        ("S3", Route.OBJECTS),
        ("Sts", Route.SERVICES),
        ("StsGroup", Route.SERVICES),
        ("Route", Route.INTERNET),
        ("Nat", Route.INTERNET),
        ("Gateway", Route.INTERNET),
    ],
)
def test_without_what_lets_it_through_a_flow_is_gone(
    gone: str, route: Route, demo: Templates, read: Read, without: Without
) -> None:
    assert route in [flow.route for flow in read(demo).flows]
    assert route not in [flow.route for flow in read(without(demo, gone)).flows]


def test_without_archers_role_nobody_is_said_to_be_archer(demo: Templates, read: Read, without: Without) -> None:
    routes = {flow.route for flow in read(without(demo, "Archer")).flows}

    assert routes == {Route.CALL, Route.OBJECTS, Route.SERVICES, Route.INTERNET}


def test_archer_reaches_every_cluster_that_lets_it_in(demo: Templates, read: Read) -> None:
    demo["cluster-d"] = {"Cluster": {"Type": "AWS::EKS::Cluster", "Properties": {"Name": "demo-d"}}}
    demo["archer"]["ReachD"] = {
        "Type": "AWS::EKS::AccessEntry",
        "Properties": {**demo["archer"]["Reach"]["Properties"], "ClusterName": "demo-d"},
    }
    control = next(flow for flow in read(demo).flows if flow.route is Route.CONTROL)

    assert control.text.startswith("Archer to the API server of demo-c and demo-d")
    assert control.targets == ("cluster-c/Cluster", "cluster-d/Cluster")


def test_only_rules_for_pods_count_as_archers_way_to_an_api_server(demo: Templates, read: Read) -> None:
    api = {"GroupId": imported("cluster-c", "Cluster"), "FromPort": 443, "ToPort": 443}
    demo["archer"]["FromPods"] = made("EC2::SecurityGroupIngress", **api, SourceSecurityGroupId="sg-001")
    demo["archer"]["FromOther"] = made(
        "EC2::SecurityGroupIngress", **api, SourceSecurityGroupId=att("DatabaseGroup", "GroupId")
    )
    control = next(flow for flow in read(demo).flows if flow.route is Route.CONTROL)

    assert control.text.endswith("; 1 rule for port 443")
    assert "archer/FromPods" in control.of
    assert "archer/FromOther" not in control.of


def test_rules_are_part_of_a_flow_with_the_resources_that_they_are(demo: Templates, read: Read) -> None:
    flows = {flow.route: flow for flow in read(demo).flows}

    assert {"archer/Out", "archer/In"} <= set(flows[Route.SERVE].of)
    assert {"archer/DatabaseGroup", "archer/FromNodes"} <= set(flows[Route.STORE].of)
    assert "network/Route" in flows[Route.INTERNET].of
