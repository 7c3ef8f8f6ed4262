"""Flows judged on the rendered policies by the rules of Kubernetes, not on how the policies are written."""

from collections.abc import Callable
from typing import Any

import pytest

from environments import Environment, load
from tests.k8s_manifests.network_evaluator import End, address, passes, pod_of

CONTROL_PLANE = "10.40.2.5"
"""In dev's first control-plane subnet, 10.40.2.0/23."""
DRIVER = End(namespace="spark-ads", labels={"spark-role": "driver"})
EXECUTOR = End(namespace="spark-ads", labels={"spark-role": "executor"})
STRANGER = End(namespace="spark-ads", labels={"app": "shell"})
OTHER_DRIVER = End(namespace="spark-shared", labels={"spark-role": "driver"})
DNS = End(namespace="kube-system", labels={"k8s-app": "kube-dns"})
PROMETHEUS = End(namespace="monitoring", namespace_labels={"moka.dev/scraper": "true"}, labels={"app": "prometheus"})
ARCHER = End(namespace="moka-system", labels={"app.kubernetes.io/name": "archer", "app.kubernetes.io/component": "api"})
"""The pods that show drivers' pages; a test holds that they carry these labels."""

MASTER = End(
    namespace="moka-celeborn", labels={"app.kubernetes.io/name": "celeborn", "app.kubernetes.io/component": "master"}
)


@pytest.mark.parametrize(
    ("source", "target", "port", "protocol"),
    [
        pytest.param(DRIVER, DNS, 53, "UDP", id="driver asks DNS"),
        pytest.param(EXECUTOR, DNS, 53, "TCP", id="executor asks DNS by TCP"),
        pytest.param(DRIVER, address(CONTROL_PLANE), 443, "TCP", id="driver to the API server's interface"),
        pytest.param(DRIVER, address("172.20.0.1"), 443, "TCP", id="driver to the API server's Service"),
        pytest.param(DRIVER, EXECUTOR, 7079, "TCP", id="driver to executor"),
        pytest.param(EXECUTOR, DRIVER, 7078, "TCP", id="executor to driver"),
        pytest.param(EXECUTOR, EXECUTOR, 35001, "TCP", id="executor to executor: shuffle"),
        pytest.param(EXECUTOR, address("52.216.1.1"), 443, "TCP", id="executor to S3"),
        pytest.param(DRIVER, address("10.40.1.20"), 443, "TCP", id="driver to an interface endpoint: STS"),
        pytest.param(ARCHER, DRIVER, 4040, "TCP", id="Archer to a driver's page"),
        pytest.param(PROMETHEUS, DRIVER, 4040, "TCP", id="whoever reads metrics to a driver's"),
    ],
)
def test_a_job_reaches_what_it_needs(dev: Any, source: End, target: End, port: int, protocol: str) -> None:
    assert passes(dev, source, target, port, protocol)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        pytest.param(EXECUTOR, address("172.20.0.1"), 443, id="executor to the API server"),
        pytest.param(DRIVER, address("169.254.169.254"), 80, id="driver to instance metadata"),
        pytest.param(DRIVER, address("169.254.170.23"), 80, id="driver to the Pod Identity agent under IRSA"),
        pytest.param(DRIVER, address("52.216.1.1"), 80, id="driver to the internet in clear text"),
        pytest.param(DRIVER, address("52.216.1.1"), 22, id="driver to the internet by SSH"),
        pytest.param(DRIVER, address("10.9.9.9"), 443, id="driver to another network of the company"),
        pytest.param(DRIVER, address("100.64.7.7"), 443, id="driver to a node's kubelet range by HTTPS"),
        pytest.param(DRIVER, address("100.64.7.7"), 10250, id="driver to a kubelet"),
        pytest.param(DRIVER, address(CONTROL_PLANE), 10250, id="driver to another port of the control plane"),
        pytest.param(DRIVER, OTHER_DRIVER, 7078, id="driver to another team's driver"),
        pytest.param(OTHER_DRIVER, EXECUTOR, 7079, id="another team's driver to an executor"),
        pytest.param(End(namespace="moka-yunikorn"), DRIVER, 4040, id="another namespace to a driver"),
        pytest.param(DRIVER, End(namespace="moka-operator"), 8080, id="driver to the operator"),
        pytest.param(DRIVER, End(namespace="moka-yunikorn"), 9080, id="driver to YuniKorn's REST interface"),
        pytest.param(DRIVER, End(namespace="kube-system", labels={"k8s-app": "other"}), 53, id="port 53 elsewhere"),
        pytest.param(DRIVER, DNS, 9153, id="driver to CoreDNS' metrics"),
        pytest.param(STRANGER, DRIVER, 4040, id="a pod of the namespace that is not Spark to a driver"),
        pytest.param(STRANGER, address("52.216.1.1"), 443, id="a pod that is not Spark to the internet"),
        pytest.param(DRIVER, STRANGER, 8080, id="driver to a pod that is not Spark"),
        pytest.param(address("10.40.1.20"), DRIVER, 4040, id="from the VPC to a driver's page"),
        pytest.param(ARCHER, EXECUTOR, 4040, id="Archer to an executor"),
        pytest.param(ARCHER, DRIVER, 7078, id="Archer to a driver's RPC"),
        pytest.param(PROMETHEUS, DRIVER, 7078, id="whoever reads metrics to a driver's RPC"),
        pytest.param(
            End(namespace="monitoring"), DRIVER, 4040, id="a namespace without the label to a driver's metrics"
        ),
        pytest.param(EXECUTOR, MASTER, 9097, id="executor to Celeborn where there is none"),
        pytest.param(EXECUTOR, address("10.12.16.9"), 9083, id="executor to a metastore where there is none"),
    ],
)
def test_a_job_reaches_nothing_else_and_nobody_reaches_it(dev: Any, source: End, target: End, port: int) -> None:
    assert not passes(dev, source, target, port)


def test_without_interface_endpoints_the_vpc_is_closed_but_for_the_control_plane(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    network = {**load("dev").network.model_dump(mode="json"), "interface_endpoints": []}
    rendered = render(dev_with(network=network))

    assert passes(rendered, DRIVER, address(CONTROL_PLANE), 443)
    assert not passes(rendered, DRIVER, address("10.40.1.20"), 443)


PLATFORM_FLOWS = [
    ("spark-operator-controller", "moka-operator"),
    ("spark-operator-webhook", "moka-operator"),
    ("yunikorn-scheduler", "moka-yunikorn"),
    ("yunikorn-admission-controller", "moka-yunikorn"),
    ("cluster-autoscaler", "moka-system"),
    ("load-balancer-controller", "moka-system"),
    ("load-balancer-controller-certificate", "moka-system"),
]


@pytest.mark.parametrize(("workload", "namespace"), PLATFORM_FLOWS)
def test_every_part_of_the_platform_asks_dns_and_the_api_server_and_no_strangers(
    dev: Any, workload: str, namespace: str
) -> None:
    pod = pod_of(dev, workload, namespace)

    assert passes(dev, pod, DNS, 53, "UDP")
    assert passes(dev, pod, address(CONTROL_PLANE), 443)
    assert passes(dev, pod, address("172.20.0.1"), 443)
    assert not passes(dev, pod, address("169.254.169.254"), 80)
    assert not passes(dev, pod, DRIVER, 4040)
    for port in (22, 443, 4040, 8080, 9080, 9089, 9443):
        assert not passes(dev, STRANGER, pod, port)
        assert not passes(dev, address("100.64.7.7"), pod, port)


@pytest.mark.parametrize(
    ("workload", "namespace", "port"),
    [
        ("spark-operator-webhook", "moka-operator", 9443),
        ("yunikorn-admission-controller", "moka-yunikorn", 9089),
        ("load-balancer-controller", "moka-system", 9443),
    ],
)
def test_the_api_server_calls_webhooks_and_nothing_else(dev: Any, workload: str, namespace: str, port: int) -> None:
    pod = pod_of(dev, workload, namespace)

    assert passes(dev, address(CONTROL_PLANE), pod, port)
    assert not passes(dev, address(CONTROL_PLANE), pod, 8080)
    assert not passes(dev, address("10.40.1.20"), pod, port)


@pytest.mark.parametrize(
    ("workload", "namespace", "port"),
    [
        ("spark-operator-controller", "moka-operator", 8080),
        ("spark-operator-webhook", "moka-operator", 8080),
        ("yunikorn-scheduler", "moka-yunikorn", 9080),
        ("cluster-autoscaler", "moka-system", 8085),
        ("load-balancer-controller", "moka-system", 8080),
    ],
)
def test_metrics_are_read_from_a_namespace_that_carries_the_label(
    dev: Any, workload: str, namespace: str, port: int
) -> None:
    pod = pod_of(dev, workload, namespace)

    assert passes(dev, PROMETHEUS, pod, port)
    assert not passes(dev, End(namespace="monitoring", labels={"app": "prometheus"}), pod, port)


def test_every_port_that_is_to_be_scraped_can_be_scraped(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for service in rendered.of_kind("Service"):
            if service["metadata"]["labels"].get("moka.dev/metrics") != "true":
                continue
            (port,) = (each["port"] for each in service["spec"]["ports"] if each["name"] == "metrics")
            pods = End(namespace=service["metadata"]["namespace"], labels=service["spec"]["selector"])
            assert passes(rendered, PROMETHEUS, pods, port), service["metadata"]["name"]


def test_only_the_admission_controller_asks_the_scheduler_whether_queues_are_right(dev: Any) -> None:
    scheduler = pod_of(dev, "yunikorn-scheduler", "moka-yunikorn")
    admission = pod_of(dev, "yunikorn-admission-controller", "moka-yunikorn")

    assert passes(dev, admission, scheduler, 9080)
    assert not passes(dev, scheduler, admission, 9089)
    assert not passes(dev, ARCHER, scheduler, 9080)


def test_aws_is_reached_by_those_who_have_a_role_and_by_nobody_else(dev: Any) -> None:
    s3 = address("52.216.1.1")
    reaching = {name for name, namespace in PLATFORM_FLOWS if passes(dev, pod_of(dev, name, namespace), s3, 443)}

    assert reaching == {"cluster-autoscaler", "load-balancer-controller"}


def test_with_pod_identity_the_agent_is_reached_by_those_who_use_it(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    agent = address("169.254.170.23")
    rendered = render(dev_with(identity={"mechanism": "irsa", "overrides": {"cluster-autoscaler": "pod_identity"}}))

    assert passes(rendered, pod_of(rendered, "cluster-autoscaler", "moka-system"), agent, 80)
    assert not passes(rendered, pod_of(rendered, "load-balancer-controller", "moka-system"), agent, 80)


def test_the_history_server_is_reached_by_the_load_balancer_and_reaches_the_bucket_alone(dev: Any) -> None:
    server = pod_of(dev, "history-server", "moka-system")

    # dev's load balancer has 10.40.0.0/23, .4.0/23 and .8.0/23
    assert passes(dev, address("10.40.4.9"), server, 18080)
    assert not passes(dev, address("10.40.4.9"), server, 8080)
    for stranger in (STRANGER, DRIVER, OTHER_DRIVER, PROMETHEUS, address(CONTROL_PLANE), address("100.64.7.7")):
        assert not passes(dev, stranger, server, 18080)
    assert passes(dev, server, DNS, 53, "UDP")
    assert passes(dev, server, address("52.216.1.1"), 443)
    assert not passes(dev, server, address(CONTROL_PLANE), 6443)
    assert not passes(dev, server, address("10.40.4.9"), 5432)
    assert not passes(dev, server, DRIVER, 4040)
    assert not passes(dev, server, address("169.254.169.254"), 80)


ROLES = ("api", "dispatcher", "tracker", "janitor")


def test_archers_roles_reach_database_api_servers_and_aws_and_only_the_load_balancer_reaches_one_of_them(
    dev: Any,
) -> None:
    balancer, database = address("10.40.4.9"), address("10.40.0.77")
    for role in ROLES:
        pod = pod_of(dev, f"archer-{role}", "moka-system")
        assert ARCHER.labels.items() <= pod.labels.items() or role != "api"
        assert passes(dev, pod, database, 5432)
        assert passes(dev, pod, address(CONTROL_PLANE), 443)
        assert passes(dev, pod, address("52.216.1.1"), 443)
        assert passes(dev, PROMETHEUS, pod, 8080)
        assert not passes(dev, pod, address("169.254.169.254"), 80)
        assert not passes(dev, pod, EXECUTOR, 4040)
        assert [passes(dev, balancer, pod, port) for port in (8080, 8998)] == [role == "api"] * 2
        assert passes(dev, pod, DRIVER, 4040) == (role == "api")
        for stranger in (STRANGER, DRIVER, address("100.64.7.7"), pod_of(dev, "history-server", "moka-system")):
            assert not passes(dev, stranger, pod, 8080)
            assert not passes(dev, stranger, pod, 8998)


def test_the_migration_reaches_the_database_and_the_masters_secret_and_no_api_server(dev: Any) -> None:
    pod = pod_of(dev, "archer-migrate", "moka-system")

    assert passes(dev, pod, address("10.40.0.77"), 5432)
    assert passes(dev, pod, address("52.216.1.1"), 443)
    assert not passes(dev, pod, address("172.20.0.1"), 443)
    assert not passes(dev, pod, DRIVER, 4040)
    assert not passes(dev, PROMETHEUS, pod, 8080)


def test_the_log_shipper_reaches_the_bucket_and_is_reached_for_metrics_alone(dev: Any) -> None:
    shipper = pod_of(dev, "log-shipper", "moka-logs")

    assert passes(dev, shipper, DNS, 53, "UDP")
    assert passes(dev, shipper, address("52.216.1.1"), 443)
    assert passes(dev, PROMETHEUS, shipper, 2020)
    assert not passes(dev, shipper, address("172.20.0.1"), 443)
    assert not passes(dev, shipper, address("169.254.169.254"), 80)
    for stranger in (STRANGER, DRIVER, ARCHER, address("100.64.7.7"), End(namespace="moka-logs")):
        assert not passes(dev, stranger, shipper, 2020)


def test_a_pod_of_the_platforms_namespace_that_no_chart_knows_is_closed(dev: Any) -> None:
    unknown = End(namespace="moka-system", labels={"app": "shell"})

    assert not passes(dev, unknown, DNS, 53, "UDP")
    assert not passes(dev, unknown, address("10.40.0.77"), 5432)
    assert not passes(dev, DRIVER, unknown, 8080)


def test_celeborn_and_the_metastore_are_reached_where_the_file_has_them(every_cluster: list[Any]) -> None:
    (batch,) = (each for each in every_cluster if (each.environment.name, each.cluster) == ("prod", "batch"))
    (adhoc,) = (each for each in every_cluster if (each.environment.name, each.cluster) == ("prod", "adhoc"))
    on_batch = End(namespace="spark-ads", labels={"spark-role": "executor"})
    on_adhoc = End(namespace="spark-analysts", labels={"spark-role": "executor"})

    master = pod_of(batch, "celeborn-master", "moka-celeborn")
    worker = pod_of(batch, "celeborn-worker", "moka-celeborn")
    for target, ports in ((master, (9097,)), (worker, (9091, 9092, 9093, 9094))):
        for port in ports:
            assert passes(batch, on_batch, target, port)
            assert not passes(adhoc, on_adhoc, target, port), "no pool of role celeborn there"
        for port in (9096, 9098, 9872):
            assert not passes(batch, on_batch, target, port)
        assert passes(batch, PROMETHEUS, target, 9098 if target is master else 9096)
        assert not passes(batch, target, on_batch, 7078)
        assert not passes(batch, target, address("52.216.1.1"), 443)
    assert all(passes(batch, master, master, port) for port in (9097, 9872))
    assert all(passes(batch, worker, worker, port) for port in (9091, 9092, 9093, 9094))
    assert passes(batch, worker, master, 9097)
    assert passes(batch, master, worker, 9091)
    assert not passes(batch, worker, master, 9872)
    for rendered, pod in ((batch, on_batch), (adhoc, on_adhoc)):
        assert passes(rendered, pod, address("10.12.16.9"), 9083)
        assert not passes(rendered, pod, address("10.12.16.9"), 22)
        assert not passes(rendered, pod, address("10.12.17.9"), 9083)


def test_archer_reaches_drivers_only_on_the_cluster_that_it_runs_on(every_cluster: list[Any]) -> None:
    (adhoc,) = (each for each in every_cluster if (each.environment.name, each.cluster) == ("prod", "adhoc"))

    assert not passes(adhoc, ARCHER, End(namespace="spark-analysts", labels={"spark-role": "driver"}), 4040)


def test_in_an_existing_network_the_control_planes_own_subnets_are_reached(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    def subnet(number: int, zone: str, use: str) -> dict[str, str]:
        return {"id": f"subnet-0000000{number}", "zone": f"us-east-1{zone}", "use": use, "cidr": f"10.8.{number}.0/24"}

    network = {
        "mode": "existing",
        "vpc_id": "vpc-00000001",
        "vpc_cidrs": ["10.8.0.0/16"],
        "subnets": [
            subnet(number, zone, use)
            for number, (zone, use) in enumerate(
                [("a", "control_plane"), ("b", "control_plane"), ("a", "nodes"), ("b", "nodes")], start=1
            )
        ],
        "internet_egress": True,
    }
    rendered = render(dev_with(network=network))

    blocks = rendered.one("NetworkPolicy", "allow-api-server", "spark-ads")["spec"]["egress"][0]["to"]
    assert [block["ipBlock"]["cidr"] for block in blocks] == [
        "10.8.1.0/24",
        "10.8.2.0/24",
        "10.100.0.1/32",
        "172.20.0.1/32",
    ]


def test_every_team_namespace_starts_with_everything_denied(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for team in rendered.environment.teams_on(rendered.environment.cluster(rendered.cluster)):
            assert rendered.one("NetworkPolicy", "default-deny", f"spark-{team.name}")["spec"] == {
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
            }
