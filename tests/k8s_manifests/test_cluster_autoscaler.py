from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from environments import Environment, load

NAMESPACE = "moka-system"
FLAGS = Path(__file__).parent / "facts" / "cluster-autoscaler-flags.txt"


def container(rendered: Any) -> dict[str, Any]:
    deployment = rendered.one("Deployment", "cluster-autoscaler", NAMESPACE)
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    read: dict[str, Any] = found
    return read


def flags(rendered: Any) -> dict[str, str]:
    words = container(rendered)["args"]
    found = dict(word.removeprefix("--").split("=", 1) for word in words)
    assert len(found) == len(words), "a flag is given twice"
    return found


@pytest.mark.parametrize("minor", ["1.34", "1.35", "1.36"])
def test_the_binary_of_the_clusters_minor_knows_every_flag_that_it_is_given(
    minor: str, dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    dev = load("dev").model_dump(mode="json")
    rendered = render(dev_with(clusters=[{**dev["clusters"][0], "kubernetes_version": minor}]))
    version = container(rendered)["image"].rsplit(":v", 1)[1]
    assert version.startswith(f"{minor}.")

    lines = [line.split() for line in FLAGS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    known = {flag for of, flag in lines if of == version}
    assert set(flags(rendered)) - known == set()


def test_two_replicas_of_which_one_works_on_system_nodes_before_all_others(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        spec = rendered.one("Deployment", "cluster-autoscaler", NAMESPACE)["spec"]
        pod = spec["template"]["spec"]
        assert spec["replicas"] == 2
        assert flags(rendered)["leader-elect"] == "true"
        assert pod["nodeSelector"] == {"moka.dev/role": "system"}
        assert pod["priorityClassName"] == "system-cluster-critical"


def test_what_it_is_told_to_use_is_what_it_may_use(dev: Any) -> None:
    rules = dev.one("Role", "cluster-autoscaler", NAMESPACE)["rules"]
    named = {(rule["resources"][0], name) for rule in rules for name in rule.get("resourceNames", ())}

    assert flags(dev)["namespace"] == NAMESPACE
    assert named == {
        ("leases", flags(dev)["leader-elect-resource-name"]),
        ("configmaps", flags(dev)["status-config-map-name"]),
    }


def test_its_service_account_is_the_one_that_its_role_trusts(every_cluster: list[Any]) -> None:
    from environments import names

    for rendered in every_cluster:
        environment = rendered.environment
        cluster = environment.cluster(rendered.cluster)
        namespace, account = names.SERVICE_ACCOUNTS["cluster-autoscaler"]
        found = rendered.one("ServiceAccount", account, namespace)
        assert found["metadata"]["annotations"] == {
            "eks.amazonaws.com/role-arn": names.role_arn(environment, cluster, "cluster-autoscaler")
        }
        pod = rendered.one("Deployment", "cluster-autoscaler", NAMESPACE)["spec"]["template"]["spec"]
        assert pod["serviceAccountName"] == account


def test_with_pod_identity_the_account_names_no_role(
    dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    rendered = render(dev_with(identity={"mechanism": "pod_identity"}))

    assert "annotations" not in rendered.one("ServiceAccount", "cluster-autoscaler", NAMESPACE)["metadata"]


def test_it_knows_its_region_without_asking_the_instance(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        assert container(rendered)["env"] == [{"name": "AWS_REGION", "value": rendered.environment.region}]


def test_its_priorities_are_applied_with_it(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        data = rendered.one("ConfigMap", "cluster-autoscaler-priority-expander", NAMESPACE)["data"]
        priorities = yaml.safe_load(data["priorities"])
        pools = [pool for pool in rendered.environment.cluster(rendered.cluster).pools if pool.role != "system"]
        groups = sum(len(rendered.environment.pool_zones(pool)) for pool in pools)
        assert sum(len(patterns) for patterns in priorities.values()) == groups
        assert flags(rendered)["expander"].startswith("priority,")


def test_it_starts_by_its_name_because_its_image_has_no_entrypoint(dev: Any) -> None:
    assert container(dev)["command"] == ["/cluster-autoscaler"]


@pytest.mark.parametrize(("minor", "reads"), [("1.34", False), ("1.35", True), ("1.36", True)])
def test_claims_of_devices_are_read_by_the_minors_that_do_not_start_without(
    minor: str, reads: bool, dev_with: Callable[..., Environment], render: Callable[[Environment], Any]
) -> None:
    dev = load("dev").model_dump(mode="json")
    rendered = render(dev_with(clusters=[{**dev["clusters"][0], "kubernetes_version": minor}]))
    rules = rendered.one("ClusterRole", "cluster-autoscaler")["rules"]

    # 1.35 and 1.36 refuse --enable-dynamic-resource-allocation=false
    assert "enable-dynamic-resource-allocation" not in flags(rendered)
    assert any("resource.k8s.io" in rule["apiGroups"] for rule in rules) == reads


def test_it_has_a_gigabyte_where_there_may_be_a_thousand_nodes(every_cluster: list[Any]) -> None:
    memory = {
        (each.environment.name, each.cluster): int(container(each)["resources"]["limits"]["memory"].removesuffix("Mi"))
        for each in every_cluster
    }

    assert memory["prod", "batch"] >= 1024
    assert memory["test", "lab"] <= 512
