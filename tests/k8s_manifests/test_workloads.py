import dataclasses

import pytest

from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.placement import Placement
from k8s_manifests.pods import Container, HttpProbe, Pod, Resources
from k8s_manifests.workloads import (
    Claim,
    DaemonSetProps,
    DeploymentProps,
    ServiceProps,
    StatefulSetProps,
    add_daemon_set,
    add_deployment,
    add_service,
    add_stateful_set,
)

SELECTOR = labels.selector(name="thing", component="server")


@pytest.fixture
def props() -> DeploymentProps:
    probe = HttpProbe(path="/healthz", port=8081)
    container = Container(
        name="main",
        image="registry.example.com/thing:1.2.3",
        ports={"http": 8080},
        resources=Resources(cpu_millis=100, cpu_limit_millis=100, memory_mib=64),
        liveness=probe,
        readiness=probe,
    )
    pod = Pod(
        container=container,
        service_account="thing",
        user_id=185,
        placement=Placement(node_selector={}),
        priority_class="moka-platform",
    )
    return DeploymentProps(name="thing", namespace="moka-system", selector=SELECTOR, replicas=2, pod=pod)


def test_a_deployment_comes_with_a_budget_for_the_same_pods(chart: MokaChart, props: DeploymentProps) -> None:
    add_deployment(chart, props)

    deployment, budget = chart.manifests()
    assert deployment["spec"]["selector"] == budget["spec"]["selector"] == {"matchLabels": SELECTOR}
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_a_rollout_never_has_fewer_pods_than_asked_for(chart: MokaChart, props: DeploymentProps) -> None:
    add_deployment(chart, props)

    deployment, _budget = chart.manifests()
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }


def test_pods_that_must_be_alone_are_ended_before_their_successor_starts(
    chart: MokaChart, props: DeploymentProps
) -> None:
    add_deployment(chart, dataclasses.replace(props, replicas=1, alone=True))

    deployment, _budget = chart.manifests()
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_pods_carry_what_selects_them_and_the_charts_labels(chart: MokaChart, props: DeploymentProps) -> None:
    add_deployment(chart, props)

    deployment, _budget = chart.manifests()
    found = deployment["spec"]["template"]["metadata"]["labels"]
    assert found == {"app.kubernetes.io/name": "thing", "app.kubernetes.io/component": "server"}


def test_a_service_leads_to_ports_by_name(chart: MokaChart) -> None:
    ports = {"http": 80, "metrics": 9090}
    add_service(
        chart, ServiceProps(name="thing", namespace="moka-system", selector=SELECTOR, ports=ports, scraped=True)
    )

    (service,) = chart.manifests()
    assert service["spec"] == {
        "type": "ClusterIP",
        "selector": SELECTOR,
        "ports": [
            {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"},
            {"name": "metrics", "port": 9090, "targetPort": "metrics", "protocol": "TCP"},
        ],
    }
    assert service["metadata"]["labels"]["moka.dev/metrics"] == "true"


def test_a_service_is_scraped_only_when_asked(chart: MokaChart) -> None:
    add_service(chart, ServiceProps(name="thing", namespace="moka-system", selector=SELECTOR, ports={"http": 80}))

    assert "moka.dev/metrics" not in chart.manifests()[0]["metadata"]["labels"]


def test_a_service_may_give_a_port_of_its_pods_another_name(chart: MokaChart) -> None:
    given = {"http": 80, "metrics": 8080}
    props = ServiceProps(
        name="thing", namespace="moka-system", selector=SELECTOR, ports=given, targets={"metrics": "http"}
    )
    add_service(chart, props)

    ports = chart.manifests()[0]["spec"]["ports"]
    assert [(port["name"], port["port"], port["targetPort"]) for port in ports] == [
        ("http", 80, "http"),
        ("metrics", 8080, "http"),
    ]


def test_pods_differ_when_the_configuration_that_they_read_at_start_does(props: DeploymentProps) -> None:
    import cdk8s

    marks = []
    for text in ("", "a: 1", "a: 2", "a: 2"):
        chart = MokaChart(cdk8s.App(), "Chart", labels={"app.kubernetes.io/name": "thing"})
        add_deployment(chart, dataclasses.replace(props, configuration=text))
        marks.append(chart.manifests()[0]["spec"]["template"]["metadata"].get("annotations"))

    assert marks[0] is None
    assert marks[1] != marks[2] == marks[3]


def test_pods_of_a_stateful_set_get_names_by_its_service_and_keep_their_volume(
    chart: MokaChart, props: DeploymentProps
) -> None:
    claim = Claim(name="state", path="/state", storage_class="moka-gp3", size_gib=20)
    given = StatefulSetProps(
        name="thing", namespace="moka-system", selector=SELECTOR, replicas=3, pod=props.pod, claim=claim
    )
    add_stateful_set(chart, given)

    stateful_set, budget = chart.manifests()
    spec = stateful_set["spec"]
    assert (spec["serviceName"], spec["replicas"], spec["updateStrategy"]) == ("thing", 3, {"type": "RollingUpdate"})
    (container,) = spec["template"]["spec"]["containers"]
    assert {"name": "state", "mountPath": "/state"} in container["volumeMounts"]
    (found,) = spec["volumeClaimTemplates"]
    assert found["spec"]["resources"] == {"requests": {"storage": "20Gi"}}
    assert budget["spec"]["maxUnavailable"] == 1


def test_a_daemon_set_spreads_nothing_and_has_no_budget(chart: MokaChart, props: DeploymentProps) -> None:
    add_daemon_set(chart, DaemonSetProps(name="thing", namespace="moka-system", selector=SELECTOR, pod=props.pod))

    (found,) = chart.manifests()
    assert "topologySpreadConstraints" not in found["spec"]["template"]["spec"]
    assert found["spec"]["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": "10%"}


def test_a_headless_service_names_pods_that_are_not_ready_yet(chart: MokaChart) -> None:
    props = ServiceProps(name="thing", namespace="moka-system", selector=SELECTOR, ports={"http": 80}, headless=True)
    add_service(chart, props)

    spec = chart.manifests()[0]["spec"]
    assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", True)
