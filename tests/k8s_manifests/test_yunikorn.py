import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from environments import Environment

NAMESPACE = "moka-yunikorn"
FIXED_NAMES = [
    # defaults in the code point at them: pkg/admission/conf/am_conf.go, pkg/admission/webhook_manager.go and
    # pkg/common/constants/constants.go of https://github.com/apache/yunikorn-k8shim/tree/v1.9.0
    ("Service", "yunikorn-service"),
    ("Service", "yunikorn-admission-controller-service"),
    ("Secret", "admission-controller-secrets"),
    ("ConfigMap", "yunikorn-defaults"),
    ("ConfigMap", "yunikorn-configs"),
]


def container(rendered: Any, name: str) -> dict[str, Any]:
    deployment = rendered.one("Deployment", name, NAMESPACE)
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    read: dict[str, Any] = found
    return read


def settings(rendered: Any) -> dict[str, str]:
    read: dict[str, str] = rendered.one("ConfigMap", "yunikorn-defaults", NAMESPACE)["data"]
    return read


@pytest.mark.parametrize(("kind", "name"), FIXED_NAMES)
def test_what_yunikorns_code_names_is_there_under_that_name(dev: Any, kind: str, name: str) -> None:
    assert dev.one(kind, name, NAMESPACE)


def test_there_is_one_scheduler_and_never_two(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        spec = rendered.one("Deployment", "yunikorn-scheduler", NAMESPACE)["spec"]
        assert spec["replicas"] == 1
        assert spec["strategy"] == {"type": "Recreate"}, "a rolling update would run two, and there is no election"


def test_there_are_two_admission_controllers(dev: Any) -> None:
    spec = dev.one("Deployment", "yunikorn-admission-controller", NAMESPACE)["spec"]

    assert spec["replicas"] == 2
    assert spec["strategy"]["type"] == "RollingUpdate"


def test_images_are_of_one_release_each_under_its_own_tag(dev: Any) -> None:
    assert container(dev, "yunikorn-scheduler")["image"].endswith("/yunikorn-scheduler:scheduler-1.9.0")
    assert container(dev, "yunikorn-admission-controller")["image"].endswith("/yunikorn-admission:admission-1.9.0")


def test_both_learn_their_namespace_and_keep_below_their_memory(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for name in ("yunikorn-scheduler", "yunikorn-admission-controller"):
            found = container(rendered, name)
            by_name = {each["name"]: each for each in found["env"]}
            assert by_name["NAMESPACE"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
            limit = int(found["resources"]["limits"]["memory"].removesuffix("Mi")) * 1024 * 1024
            assert int(by_name["GOMEMLIMIT"]["value"]) == limit * 4 // 5


def test_the_scheduler_grows_with_the_pods_and_nodes_that_a_cluster_may_have(every_cluster: list[Any]) -> None:
    memory = {
        (each.environment.name, each.cluster): int(
            container(each, "yunikorn-scheduler")["resources"]["limits"]["memory"].removesuffix("Mi")
        )
        for each in every_cluster
    }

    assert memory["test", "lab"] < memory["dev", "batch"] < memory["staging", "batch"] < memory["prod", "batch"]
    # 17,500 pods of teams; nodes: 3 zones of 4 + 60 + 300 (at night) + 60 + 100, and 12 for Celeborn, with 10 pods each
    nodes = 3 * (4 + 60 + 300 + 60 + 100) + 12
    assert memory["prod", "batch"] == pytest.approx(512 + (17_500 + nodes * 10) / 10 + nodes / 2, abs=128)


def test_the_secret_is_empty_and_an_apply_never_touches_it_again(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        secret = rendered.one("Secret", "admission-controller-secrets", NAMESPACE)
        assert not {"data", "stringData"} & set(secret)
        assert secret["type"] == "Opaque"
        assert secret["metadata"]["annotations"] == {"moka.dev/create-only": "true"}


def test_webhooks_are_left_to_the_controller_that_registers_them(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
            assert not [each for each in rendered.of_kind(kind) if "yunikorn" in each["metadata"]["name"]]


def test_the_controller_may_write_the_two_that_it_registers_and_no_other(dev: Any) -> None:
    rules = dev.one("ClusterRole", "yunikorn-admission-controller")["rules"]
    written = {
        (resource, tuple(rule.get("resourceNames", ())))
        for rule in rules
        for resource in rule["resources"]
        if "update" in rule["verbs"]
    }

    assert written == {
        ("mutatingwebhookconfigurations", ("yunikorn-admission-controller-mutations",)),
        ("validatingwebhookconfigurations", ("yunikorn-admission-controller-validations",)),
    }


def test_only_teams_namespaces_are_scheduled_by_it(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        pattern = settings(rendered)["admissionController.filtering.processNamespaces"]
        processed = {
            each["metadata"]["name"]
            for each in rendered.of_kind("Namespace")
            if re.search(pattern, each["metadata"]["name"])
        }
        cluster = rendered.environment.cluster(rendered.cluster)
        assert processed == {f"spark-{team.name}" for team in rendered.environment.teams_on(cluster)}
        assert not re.search(pattern, "kube-system")


def test_only_the_operators_account_may_say_whose_a_driver_is(dev: Any) -> None:
    pattern = settings(dev)["admissionController.accessControl.externalUsers"]

    # admission asks for a match anywhere in the name
    assert re.search(pattern, "system:serviceaccount:moka-operator:spark-operator-controller")
    for other in (
        "system:serviceaccount:spark-ads:spark",
        "system:serviceaccount:moka-operator:spark-operator-controller-2",
        "system:serviceaccount:spark-moka-operator:spark-operator-controller",
    ):
        assert not re.search(pattern, other)
    deployment = dev.one("Deployment", "spark-operator-controller", "moka-operator")
    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == "spark-operator-controller"


def test_placeholders_run_an_image_of_the_registry_as_nobody(every_cluster: list[Any]) -> None:
    from environments import names

    for rendered in every_cluster:
        found = settings(rendered)
        assert found["service.placeholderImage"] == f"{names.registry(rendered.environment)}/pause:3.10"
        assert found["service.placeholderRunAsUser"] == "65535"


def test_settings_are_texts_under_keys_that_1_9_reads(dev: Any) -> None:
    # pkg/conf/schedulerconf.go, pkg/admission/conf/am_conf.go and pkg/log/logger.go of v1.9.0
    known = {
        "service.clusterId",
        "service.volumeBindTimeout",
        "service.placeholderImage",
        "service.placeholderRunAsUser",
        "service.placeholderRunAsGroup",
        "service.placeholderFsGroup",
        "admissionController.filtering.processNamespaces",
        "admissionController.filtering.bypassNamespaces",
        "admissionController.accessControl.externalUsers",
        "log.level",
    }

    assert set(settings(dev)) == known
    assert all(isinstance(value, str) for value in settings(dev).values())
    assert set(dev.one("ConfigMap", "yunikorn-configs", NAMESPACE)["data"]) == {"queues.yaml"}


def test_the_rest_interface_is_called_where_the_service_leads(dev: Any) -> None:
    service = dev.one("Service", "yunikorn-service", NAMESPACE)

    assert [each["port"] for each in service["spec"]["ports"]] == [9080], "yunikorn-service:9080 is in the code"
    assert service["metadata"]["annotations"] == {"prometheus.io/path": "/ws/v1/metrics"}
    (port,) = dev.one("Service", "yunikorn-admission-controller-service", NAMESPACE)["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (443, "webhook-api"), "a webhook without a port means 443"


def test_no_built_in_role_is_bound_whose_rights_change_with_the_cluster(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        bound = {each["roleRef"]["name"] for each in rendered.of_kind("ClusterRoleBinding")}
        assert not [name for name in bound if name.startswith("system:")]


def test_the_scheduler_reads_no_secret(dev: Any) -> None:
    rules = dev.one("ClusterRole", "yunikorn-scheduler")["rules"]
    rules += dev.one("Role", "yunikorn-scheduler", NAMESPACE)["rules"]

    assert not [rule for rule in rules if "secrets" in rule["resources"]]


def test_other_queues_change_one_config_map_and_nothing_else(
    dev: Any, dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    raw = dev.environment.queues.model_dump(mode="json")
    raw["tree"][1]["max"]["vcores"] = 99
    changed = render(dev_with(queues=raw))

    before = list(yaml.safe_load_all(dev.files["30-yunikorn.yaml"]))
    after = list(yaml.safe_load_all(changed.files["30-yunikorn.yaml"]))
    different = [old["metadata"]["name"] for old, new in zip(before, after, strict=True) if old != new]
    assert different == ["yunikorn-configs"]
