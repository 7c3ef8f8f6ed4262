from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from environments import Environment, load
from k8s_manifests.errors import ChartError
from k8s_manifests.network_policies import ClusterNetwork
from k8s_manifests.placement import Placement
from k8s_manifests.spark_operator import SparkOperatorProps

NAMESPACE = "moka-operator"
FLAGS = Path(__file__).parent / "facts" / "spark-operator-2.5.2-flags.txt"


def _container(rendered: Any, component: str) -> dict[str, Any]:
    deployment = rendered.one("Deployment", f"spark-operator-{component}", NAMESPACE)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = container
    return found


def _flags(rendered: Any, component: str) -> dict[str, str]:
    words = _container(rendered, component)["args"]
    assert words[:2] == [component, "start"]
    flags = dict(word.removeprefix("--").split("=", 1) for word in words[2:])
    assert len(flags) == len(words) - 2, "a flag is given twice"
    return flags


@pytest.mark.parametrize("component", ["controller", "webhook"])
def test_the_binary_knows_every_flag_that_it_is_given(dev: Any, component: str) -> None:
    lines = [line.split() for line in FLAGS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    known = {flag for command, flag in lines if command == component}

    assert set(_flags(dev, component)) - known == set()


@pytest.mark.parametrize("component", ["controller", "webhook"])
def test_the_namespaces_of_jobs_are_named_one_by_one(dev: Any, component: str) -> None:
    assert _flags(dev, component)["namespaces"] == "spark-ads,spark-shared"


def test_the_controller_notices_finished_drivers_soon_and_forgives_slow_submits(dev: Any) -> None:
    flags = _flags(dev, "controller")

    assert flags["workqueue-ratelimiter-max-delay"] == "30s"
    assert flags["workqueue-ratelimiter-bucket-qps"] == "1000"
    assert flags["workqueue-ratelimiter-bucket-size"] == "2000"
    assert flags["driver-pod-creation-grace-period"] == "60s"
    assert (flags["kube-api-qps"], flags["kube-api-burst"]) == ("100", "200")


def test_metric_labels_are_names_that_prometheus_takes(dev: Any) -> None:
    # the operator turns - into _ and nothing else; a bad label makes it panic at start
    for component in ("controller", "webhook"):
        for label in _flags(dev, component)["metrics-labels"].split(","):
            assert label.replace("-", "_").isidentifier(), label
    assert _flags(dev, "controller")["metrics-labels"] == "namespace,queue"


def test_two_replicas_of_each_with_one_leader(dev: Any) -> None:
    for component in ("controller", "webhook"):
        assert dev.one("Deployment", f"spark-operator-{component}", NAMESPACE)["spec"]["replicas"] == 2
        flags = _flags(dev, component)
        assert flags["leader-election"] == "true"
        assert flags["leader-election-lock-name"] == f"spark-operator-{component}-lock"
        assert flags["leader-election-lock-namespace"] == NAMESPACE


def test_each_may_use_the_lock_that_it_is_told_to_use(dev: Any) -> None:
    for component in ("controller", "webhook"):
        lock = _flags(dev, component)["leader-election-lock-name"]
        rules = dev.one("Role", f"spark-operator-{component}", NAMESPACE)["rules"]
        assert {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": [lock],
            "verbs": ["get", "update"],
        } in rules


def test_workers_follow_the_submission_rate_and_memory_follows_the_workers(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    archer = load("dev").archer.model_dump(mode="json")
    found = {}
    for rate in (30, 60, 240):
        rendered = render(dev_with(archer={**archer, "creates_per_minute": rate}))
        memory = _container(rendered, "controller")["resources"]["limits"]["memory"]
        found[rate] = (_flags(rendered, "controller")["controller-threads"], memory)

    # 1 GiB for the operator and 400 MiB for each worker's spark-submit
    assert found == {30: ("4", "2624Mi"), 60: ("10", "5024Mi"), 240: ("20", "9024Mi")}


def test_the_webhook_that_refuses_covers_the_three_resources_in_job_namespaces_only(dev: Any) -> None:
    configuration = dev.one("ValidatingWebhookConfiguration", "spark-operator-webhook")

    assert {
        (rule["apiVersions"][0], rule["resources"][0], tuple(rule["operations"]))
        for webhook in configuration["webhooks"]
        for rule in webhook["rules"]
    } == {
        ("v1beta2", "sparkapplications", ("CREATE", "UPDATE")),
        ("v1beta2", "scheduledsparkapplications", ("CREATE", "UPDATE")),
        ("v1alpha1", "sparkconnects", ("CREATE", "UPDATE")),
    }
    for webhook in configuration["webhooks"]:
        (expression,) = webhook["namespaceSelector"]["matchExpressions"]
        assert expression == {
            "key": "kubernetes.io/metadata.name",
            "operator": "In",
            "values": ["spark-ads", "spark-shared"],
        }
        assert webhook["failurePolicy"] == "Fail"


def test_the_webhook_is_called_where_its_service_listens_under_the_name_it_registers(dev: Any) -> None:
    service = dev.one("Service", "spark-operator-webhook-svc", NAMESPACE)
    flags = _flags(dev, "webhook")

    (port,) = service["spec"]["ports"]
    assert str(port["port"]) == flags["webhook-port"]
    assert flags["webhook-svc-name"] == service["metadata"]["name"]
    assert flags["webhook-svc-namespace"] == service["metadata"]["namespace"]
    assert flags["validating-webhook-name"] == "spark-operator-webhook"
    for webhook in dev.one("ValidatingWebhookConfiguration", "spark-operator-webhook")["webhooks"]:
        called = webhook["clientConfig"]["service"]
        assert (called["name"], called["namespace"], called["port"]) == (
            service["metadata"]["name"],
            service["metadata"]["namespace"],
            port["port"],
        )
        # controller-runtime serves /validate-<group with dashes>-<version>-<kind in lower case>
        (rule,) = webhook["rules"]
        singular = rule["resources"][0].removesuffix("s")
        assert called["path"] == f"/validate-sparkoperator-k8s-io-{rule['apiVersions'][0]}-{singular}"


def test_the_ca_bundle_is_left_to_the_operator_that_makes_it(dev: Any) -> None:
    webhooks = dev.one("ValidatingWebhookConfiguration", "spark-operator-webhook")["webhooks"]

    assert [list(webhook["clientConfig"]) for webhook in webhooks] == [["service"]] * 3


def test_no_mutating_webhook_that_we_register_stands_between_a_job_and_its_pods(every_cluster: list[Any]) -> None:
    called = {
        resource
        for each in every_cluster
        for configuration in each.of_kind("MutatingWebhookConfiguration")
        for webhook in configuration["webhooks"]
        for rule in webhook["rules"]
        for resource in rule["resources"]
    }

    assert called == {"targetgroupbindings"}


def test_only_the_tmp_folder_can_be_written_to(dev: Any) -> None:
    assert _container(dev, "controller")["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert _container(dev, "webhook")["volumeMounts"] == [
        {
            "name": "serving-certs",
            "mountPath": "/etc/k8s-webhook-server/serving-certs",
            "subPath": "serving-certs",
        }
    ]


def test_a_cluster_without_teams_gets_no_operator_because_it_would_watch_everything(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    dev = load("dev").model_dump(mode="json")
    teams = [{**team, "clusters": ["second"]} for team in dev["teams"]]

    rendered = render(dev_with(clusters=[*dev["clusters"], {**dev["clusters"][0], "name": "second"}], teams=teams))

    assert "20-spark-operator.yaml" not in rendered.files
    assert "30-yunikorn.yaml" in rendered.files


def test_an_operator_for_no_namespace_is_refused() -> None:
    with pytest.raises(ChartError, match="needs at least one job namespace, got none"):
        SparkOperatorProps(
            environment="dev",
            image="registry.example.com/spark-operator-controller:2.5.2",
            job_namespaces=(),
            workers=10,
            cpu_millis=1000,
            placement=Placement(node_selector={}),
            network=ClusterNetwork(control_plane_cidrs=(), endpoint_cidrs=()),
        )
