from environments import load
from k8s_manifests.spark_operator import CONTROLLER, WEBHOOK
from testbed.operator_chart import OperatorChart, changed


def _chart() -> OperatorChart:
    environment = load("test")
    return OperatorChart.of(environment, environment.clusters[0])


def test_definitions_namespaces_and_roles_are_kept_and_nothing_that_would_need_a_pod() -> None:
    kinds = {manifest["kind"] for manifest in _chart().manifests}
    assert {"CustomResourceDefinition", "Namespace", "ServiceAccount", "Role", "RoleBinding", "PriorityClass"} <= kinds
    assert not kinds & {"Deployment", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}
    accounts = {m["metadata"]["name"] for m in _chart().manifests if m["kind"] == "ServiceAccount"}
    assert {CONTROLLER, WEBHOOK, "spark"} <= accounts


def test_arguments_are_the_containers_and_flags_replace_or_follow_them() -> None:
    chart = _chart()
    changed = chart.arguments_with({"controller-threads": "1", "drivers": "false"})
    assert changed[:2] == ["controller", "start"]
    assert "--controller-threads=1" in changed
    assert changed[-1] == "--drivers=false"
    assert len(changed) == len(chart.arguments) + 1
    assert sum(word.startswith("--controller-threads=") for word in changed) == 1


def test_the_webhooks_arguments_and_registration_are_kept_for_whoever_serves_it() -> None:
    chart = _chart()
    assert chart.webhook_arguments[:2] == ("webhook", "start")
    names = {each["clientConfig"]["service"]["name"] for each in chart.webhook_configuration["webhooks"]}
    assert f"--webhook-svc-name={names.pop()}" in chart.webhook_arguments
    assert f"--validating-webhook-name={chart.webhook_configuration['metadata']['name']}" in chart.webhook_arguments
    assert changed(chart.webhook_arguments, {"webhook-port": "1"}).count("--webhook-port=1") == 1
