import pytest

from moka_constructs.manifest_set.handler.client import Client
from moka_constructs.manifest_set.handler.errors import SetError
from moka_constructs.manifest_set.handler.inventory import Inventory
from moka_constructs.manifest_set.handler.references import Reference
from testbed.fake_api_server import FakeApiServer

PATH = "/api/v1/namespaces/kube-system/configmaps/moka-set-platform"
MEMBERS = [Reference("", "v1", "Namespace", "", "a"), Reference("apps", "v1", "Deployment", "a", "d")]


def inventory(client: Client) -> Inventory:
    found = Inventory(client=client, set_name="platform", owner="moka-test-c")
    found.read()
    return found


def test_a_new_set_has_no_members(client: Client) -> None:
    found = inventory(client)

    assert (found.exists, found.members) == (False, [])


def test_what_is_written_is_read_in_its_order(client: Client, server: FakeApiServer) -> None:
    inventory(client).write(MEMBERS)

    found = inventory(client)
    assert (found.exists, found.members) == (True, MEMBERS)
    assert server.objects[PATH]["data"]["members"] == "v1 Namespace a\napps/v1 Deployment a/d\n"
    assert "moka.dev/set" not in server.objects[PATH]["metadata"]["labels"]


def test_writing_the_same_again_sends_nothing(client: Client, server: FakeApiServer) -> None:
    inventory(client).write(MEMBERS)
    before = server.writes()

    inventory(client).write(MEMBERS)

    assert server.writes() == before


def test_an_object_is_remembered_once_in_the_version_that_is_applied(client: Client) -> None:
    old, new = Reference("batch", "v1beta1", "CronJob", "a", "c"), Reference("batch", "v1", "CronJob", "a", "c")
    found = inventory(client)

    found.write([old, new])

    assert found.members == [new]


def test_who_was_slower_is_told_and_changes_nothing(client: Client) -> None:
    first, second = inventory(client), inventory(client)
    first.write(MEMBERS)

    with pytest.raises(SetError, match="ConfigMap kube-system/moka-set-platform: somebody else applies this set"):
        second.write(MEMBERS[:1])

    again = inventory(client)
    first = inventory(client)
    first.write(MEMBERS[:1])
    with pytest.raises(SetError):
        again.write([])
    assert inventory(client).members == MEMBERS[:1]


def test_a_set_can_be_forgotten(client: Client, server: FakeApiServer) -> None:
    found = inventory(client)
    found.write(MEMBERS)

    found.delete()

    assert PATH not in server.objects
    inventory(client).delete()


def test_a_set_of_another_cluster_is_not_overwritten_by_mistake(client: Client) -> None:
    inventory(client).write(MEMBERS)
    other = Inventory(client=client, set_name="platform", owner="moka-prod-batch")

    with pytest.raises(SetError, match="was made for moka-test-c, not for moka-prod-batch"):
        other.read()
