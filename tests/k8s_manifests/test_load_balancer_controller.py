from pathlib import Path
from typing import Any

import pytest

from environments import names

NAMESPACE = "moka-system"
FACTS = Path(__file__).parent / "facts" / "aws-load-balancer-controller-3.5.0-flags.txt"


def known(kind: str) -> set[str]:
    """Flags or features of the release."""
    lines = [line.split() for line in FACTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {name for of, name in lines if of == kind}


def container(rendered: Any) -> dict[str, Any]:
    deployment = rendered.one("Deployment", "load-balancer-controller", NAMESPACE)
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    read: dict[str, Any] = found
    return read


def flags(rendered: Any) -> dict[str, str]:
    words = container(rendered)["args"]
    found = dict(word.removeprefix("--").split("=", 1) for word in words)
    assert len(found) == len(words), "a flag is given twice"
    return found


@pytest.fixture(scope="module")
def hosts(every_cluster: list[Any]) -> list[Any]:
    """The clusters that host Archer."""
    return [each for each in every_cluster if each.environment.archer.cluster == each.cluster]


def job(rendered: Any) -> dict[str, Any]:
    name = "load-balancer-controller-certificate-"
    (found,) = (each for each in rendered.of_kind("Job") if each["metadata"]["name"].startswith(name))
    read: dict[str, Any] = found
    return read


def test_it_is_where_archer_is_and_nowhere_else(every_cluster: list[Any]) -> None:
    for rendered in every_cluster:
        hosts_archer = rendered.environment.archer.cluster == rendered.cluster
        assert ("35-load-balancer-controller.yaml" in rendered.files) == hosts_archer
        assert ("01-target-group-crds.yaml" in rendered.files) == hosts_archer


def test_the_binary_knows_every_flag_and_feature_that_it_is_given(hosts: list[Any]) -> None:
    for rendered in hosts:
        given = flags(rendered)
        assert set(given) - known("flag") == set()
        features = dict(each.split("=") for each in given["feature-gates"].split(","))
        assert set(features) - known("feature") == set()
        assert set(features.values()) == {"false"}


def test_services_gateways_and_ingresses_are_left_alone(dev: Any) -> None:
    given = flags(dev)

    for feature in ("EnableServiceController", "NLBGatewayAPI", "ALBGatewayAPI"):
        assert f"{feature}=false" in given["feature-gates"].split(",")
    assert given["ingress-class"] == "moka-none"
    assert given["watch-namespace"] == NAMESPACE
    assert given["enable-backend-security-group"] == "false"
    rules = dev.one("Role", "load-balancer-controller", NAMESPACE)["rules"]
    changed = {
        resource
        for rule in rules
        for resource in rule["resources"]
        if {"create", "update", "patch", "delete"} & set(rule["verbs"])
    }
    assert changed == {"targetgroupbindings", "targetgroupbindings/status", "events", "leases"}


def test_outside_its_namespace_it_may_read_nodes_and_classes_and_nothing_else(dev: Any) -> None:
    rules = dev.one("ClusterRole", "load-balancer-controller")["rules"]

    assert {resource for rule in rules for resource in rule["resources"]} == {
        "nodes",
        "ingressclasses",
        "ingressclassparams",
    }
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_it_knows_region_and_vpc_without_asking_the_instance(hosts: list[Any]) -> None:
    for rendered in hosts:
        given, network = flags(rendered), rendered.environment.network
        assert given["aws-region"] == rendered.environment.region
        if network.mode == "existing":
            assert given["aws-vpc-id"] == network.vpc_id
        else:
            # what `infra/network.py` names the VPC; a test there holds it
            assert given["aws-vpc-tags"] == f"Name=moka-{rendered.environment.name}"


def test_of_its_webhooks_the_two_for_bindings_are_registered(dev: Any) -> None:
    service = dev.one("Service", "load-balancer-controller-webhook", NAMESPACE)
    (port,) = service["spec"]["ports"]
    for kind, verb, operations in (
        ("Mutating", "mutate", ["CREATE"]),
        ("Validating", "validate", ["CREATE", "UPDATE"]),
    ):
        (webhook,) = dev.one(f"{kind}WebhookConfiguration", "load-balancer-controller-webhook")["webhooks"]
        (rule,) = webhook["rules"]
        assert (rule["resources"], rule["operations"]) == (["targetgroupbindings"], operations)
        assert webhook["clientConfig"] == {
            "service": {
                "name": service["metadata"]["name"],
                "namespace": NAMESPACE,
                "port": port["port"],
                "path": f"/{verb}-elbv2-k8s-aws-v1beta1-targetgroupbinding",
            }
        }, "no caBundle: the Job writes it"


def test_the_certificate_is_made_in_the_cluster_for_the_name_that_the_api_server_calls(dev: Any) -> None:
    pod = job(dev)["spec"]["template"]["spec"]
    (create,), (patch,) = pod["initContainers"], pod["containers"]
    made = dict(word.removeprefix("--").split("=", 1) for word in create["args"][1:])
    handed_out = dict(word.removeprefix("--").split("=", 1) for word in patch["args"][1:])

    assert (create["args"][0], patch["args"][0]) == ("create", "patch")
    assert made["host"] == "load-balancer-controller-webhook.moka-system.svc"
    assert made["namespace"] == handed_out["namespace"] == NAMESPACE
    assert made["secret-name"] == handed_out["secret-name"]
    assert made["ca-name"] == handed_out["ca-name"] == "ca.crt"
    assert (made["cert-name"], made["key-name"]) == ("tls.crt", "tls.key"), "what controller-runtime reads"
    assert handed_out["webhook-name"] == "load-balancer-controller-webhook"


def test_the_controller_waits_for_that_certificate(dev: Any) -> None:
    made = dict(
        word.removeprefix("--").split("=", 1)
        for word in job(dev)["spec"]["template"]["spec"]["initContainers"][0]["args"][1:]
    )
    spec = dev.one("Deployment", "load-balancer-controller", NAMESPACE)["spec"]["template"]["spec"]

    (volume,) = spec["volumes"]
    assert volume["secret"]["secretName"] == made["secret-name"]
    (mount,) = container(dev)["volumeMounts"]
    assert mount["mountPath"] == flags(dev)["webhook-cert-dir"]
    assert dev.of_kind("Secret") == [dev.one("Secret", "admission-controller-secrets", "moka-yunikorn")]


def test_who_makes_the_certificate_may_make_secrets_and_read_that_one_alone(dev: Any) -> None:
    rules = dev.one("Role", "load-balancer-controller-certificate", NAMESPACE)["rules"]

    assert [(rule["verbs"], rule.get("resourceNames")) for rule in rules] == [
        (["create"], None),
        (["get"], ["load-balancer-controller-webhook"]),
    ]


def test_two_replicas_with_one_leader_that_may_use_its_lock(dev: Any) -> None:
    assert dev.one("Deployment", "load-balancer-controller", NAMESPACE)["spec"]["replicas"] == 2
    given = flags(dev)
    rules = dev.one("Role", "load-balancer-controller", NAMESPACE)["rules"]
    locks = [rule["resourceNames"] for rule in rules if "leases" in rule["resources"] and "resourceNames" in rule]
    assert locks == [[given["leader-election-id"]]]
    assert given["leader-election-namespace"] == NAMESPACE


def test_its_service_account_is_the_one_that_its_role_trusts(hosts: list[Any]) -> None:
    for rendered in hosts:
        environment = rendered.environment
        cluster = environment.cluster(rendered.cluster)
        namespace, account = names.SERVICE_ACCOUNTS["load-balancer-controller"]
        annotations = rendered.one("ServiceAccount", account, namespace)["metadata"]["annotations"]
        assert annotations == {
            "eks.amazonaws.com/role-arn": names.role_arn(environment, cluster, "load-balancer-controller")
        }
