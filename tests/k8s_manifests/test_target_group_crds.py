from typing import Any

import pytest
from jsonschema import Draft202012Validator


@pytest.fixture(scope="module")
def definition(dev: Any) -> dict[str, Any]:
    found: dict[str, Any] = dev.one("CustomResourceDefinition", "targetgroupbindings.elbv2.k8s.aws")
    return found


@pytest.fixture(scope="module")
def schema(definition: dict[str, Any]) -> dict[str, Any]:
    (version,) = definition["spec"]["versions"]
    assert (version["name"], version["served"], version["storage"]) == ("v1beta1", True, True)
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def binding(**spec: Any) -> dict[str, Any]:
    given = {"targetGroupName": "moka-dev-archer-api", "targetType": "ip", "serviceRef": {"name": "archer", "port": 80}}
    return {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "TargetGroupBinding",
        "metadata": {"name": "archer", "namespace": "moka-system"},
        "spec": {**given, **spec},
    }


def test_a_binding_by_name_is_taken(schema: dict[str, Any]) -> None:
    assert list(Draft202012Validator(schema).iter_errors(binding())) == []
    assert list(Draft202012Validator(schema).iter_errors(binding(serviceRef={"name": "archer", "port": "http"}))) == []


@pytest.mark.parametrize(
    "spec",
    [
        {"targetType": "pod"},
        {"serviceRef": {"name": "archer"}},
        {"ipAddressType": "dual"},
        {"targetGroupProtocol": "GRPC"},
        {"networking": {"ingress": [{"from": []}]}},
        {"multiClusterTargetGroup": "yes"},
    ],
)
def test_what_the_release_refuses_is_refused(schema: dict[str, Any], spec: dict[str, Any]) -> None:
    assert list(Draft202012Validator(schema).iter_errors(binding(**spec)))


def test_the_controller_writes_what_it_saw_into_the_status(definition: dict[str, Any]) -> None:
    (version,) = definition["spec"]["versions"]

    assert version["subresources"] == {"status": {}}
    assert definition["spec"]["scope"] == "Namespaced"


def test_classes_are_known_to_the_api_server_because_the_controller_watches_them(dev: Any) -> None:
    classes = dev.one("CustomResourceDefinition", "ingressclassparams.elbv2.k8s.aws")["spec"]

    assert classes["scope"] == "Cluster"
    assert classes["names"]["kind"] == "IngressClassParams"
    assert [version["name"] for version in classes["versions"]] == ["v1beta1"]
