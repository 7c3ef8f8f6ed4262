from moka_constructs.manifest_set.handler import values
from moka_constructs.manifest_set.handler.client import Client
from testbed.fake_api_server import FakeApiServer

from .conftest import an_object

PATH = "/api/v1/namespaces/moka-system/configmaps/moka-platform"


def managers(server: FakeApiServer) -> set[str]:
    return {each["manager"] for each in server.objects[PATH]["metadata"]["managedFields"]}


def test_each_set_writes_its_keys_as_a_manager_of_its_own(client: Client, server: FakeApiServer) -> None:
    server.put("/api/v1/namespaces/moka-system", an_object("Namespace", "moka-system"))

    values.write(client, "platform", {"oidc_issuer": "a"})
    values.write(client, "archer", {"database_endpoint": "b"})

    assert server.objects[PATH]["data"] == {"oidc_issuer": "a", "database_endpoint": "b"}
    assert managers(server) == {"moka-values-platform", "moka-values-archer"}


def test_the_last_set_takes_the_map_away(client: Client, server: FakeApiServer) -> None:
    server.put("/api/v1/namespaces/moka-system", an_object("Namespace", "moka-system"))
    values.write(client, "platform", {"oidc_issuer": "a"})
    values.write(client, "archer", {"database_endpoint": "b"})
    values.remove(client, "archer")
    assert PATH in server.objects
    server.objects[PATH]["metadata"]["managedFields"] = [{"manager": "moka-values-platform", "operation": "Apply"}]

    values.remove(client, "platform")
    assert PATH not in server.objects
    values.remove(client, "platform")


def test_a_map_that_somebody_else_made_stays(client: Client, server: FakeApiServer) -> None:
    server.put(PATH, an_object("ConfigMap", "moka-platform", data={}))

    values.remove(client, "platform")

    assert PATH in server.objects


def test_names_are_those_that_charts_know() -> None:
    from environments import names

    assert (values.NAMESPACE, values.NAME) == (names.SYSTEM_NAMESPACE, names.PLATFORM_CONFIG_MAP)
