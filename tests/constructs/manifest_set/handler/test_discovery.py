import pytest

from moka_constructs.manifest_set.handler.client import Client
from moka_constructs.manifest_set.handler.discovery import Discovery, UnknownKindError, collection, path
from moka_constructs.manifest_set.handler.references import Reference
from testbed.fake_api_server import FakeApiServer

from .conftest import a_crd

THING = Reference("example.com", "v1", "Thing", "n", "t")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (Reference("", "v1", "Namespace", "", "a"), "/api/v1/namespaces/a"),
        (Reference("", "v1", "ConfigMap", "n", "c"), "/api/v1/namespaces/n/configmaps/c"),
        (
            Reference("rbac.authorization.k8s.io", "v1", "ClusterRole", "", "system:a b"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aa%20b",
        ),
    ],
)
def test_a_reference_has_a_path(client: Client, reference: Reference, expected: str) -> None:
    assert path(Discovery(client=client).resource(reference), reference) == expected


def test_all_objects_of_a_kind_have_a_path_across_namespaces(client: Client) -> None:
    resource = Discovery(client=client).resource(Reference("apps", "v1", "Deployment", "n", "d"))

    assert collection(resource) == "/apis/apps/v1/deployments"


def test_each_group_is_asked_for_once(client: Client, server: FakeApiServer) -> None:
    discovery = Discovery(client=client)
    for kind in ("ConfigMap", "Secret", "Pod"):
        discovery.resource(Reference("", "v1", kind, "n", "x"))

    assert server.requests == [("GET", "/api/v1")]


def test_a_kind_that_nobody_serves_is_told_until_its_crd_is_there(client: Client, server: FakeApiServer) -> None:
    discovery = Discovery(client=client)
    with pytest.raises(UnknownKindError, match=r"the cluster knows no Thing in example\.com/v1; its CRD is neither"):
        discovery.resource(THING)
    assert discovery.find(THING) is None

    server.put("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com", a_crd("Thing"))
    discovery.forget()

    assert path(discovery.resource(THING), THING) == "/apis/example.com/v1/namespaces/n/things/t"
