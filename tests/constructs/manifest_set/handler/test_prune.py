from collections.abc import Sequence

import pytest

from moka_constructs.manifest_set.handler import prune
from moka_constructs.manifest_set.handler.apply import Applier
from moka_constructs.manifest_set.handler.client import Client, Server
from moka_constructs.manifest_set.handler.deadline import Deadline
from moka_constructs.manifest_set.handler.discovery import Discovery
from moka_constructs.manifest_set.handler.errors import SetError
from moka_constructs.manifest_set.handler.prune import Remover
from moka_constructs.manifest_set.handler.references import Reference
from testbed.fake_api_server import FakeApiServer

from .conftest import Manifest, a_crd, a_deployment, an_object

THING = an_object("Thing", "t", "spark-ads", api="example.com/v1", spec={})
MEMBERS = [
    a_crd("Thing"),
    an_object("Namespace", "spark-ads"),
    an_object("Role", "r", "spark-ads", api="rbac.authorization.k8s.io/v1"),
    a_deployment("d", "default"),
    THING,
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "POLL_SECONDS", 0.02)


@pytest.fixture
def members(client: Client) -> list[Reference]:
    """Applied members, in their order."""
    discovery = Discovery(client=client)
    for manifest in MEMBERS:
        discovery.forget()
        Applier(client=client, discovery=discovery, set_name="platform").apply(manifest)
    return [Reference.of(manifest) for manifest in MEMBERS]


def remover(client: Client, *, everything: bool = False) -> Remover:
    return Remover(client=client, discovery=Discovery(client=client), set_name="platform", everything=everything)


def names(references: Sequence[Reference]) -> list[str]:
    return [str(each) for each in references]


def a_driver() -> Manifest:
    return an_object("Pod", "driver", metadata={"labels": {"spark-role": "driver"}}, status={"phase": "Running"})


def test_members_go_workloads_and_custom_resources_before_what_they_need_and_crds_stay(
    client: Client, server: FakeApiServer, members: list[Reference]
) -> None:
    removal = remover(client).remove(members)
    deleted = [path.rsplit("/", 1)[1] for method, path in server.writes() if method == "DELETE"]

    assert deleted == ["t", "d", "r", "spark-ads"]
    assert names(removal.removed) == [
        "Thing spark-ads/t",
        "Deployment default/d",
        "Role spark-ads/r",
        "Namespace spark-ads",
    ]
    assert {str(each): why for each, why in removal.kept.items()} == {
        "CustomResourceDefinition things.example.com": "with a CRD go all its objects"
    }


def test_a_namespace_that_holds_jobs_stays_with_everything_that_its_jobs_need(
    client: Client, server: FakeApiServer, members: list[Reference]
) -> None:
    server.put("/api/v1/namespaces/spark-ads/pods/driver", a_driver())

    removal = remover(client).remove(members)

    assert names(removal.removed) == ["Deployment default/d"]
    why = "namespace spark-ads holds Spark pods driver"
    assert [removal.kept[each] for each in members if each.namespace == "spark-ads" or each.name == "spark-ads"] == [
        why
    ] * 3


def test_everything_goes_when_that_is_asked_for_and_no_finalizer_of_archers_holds_it_up(
    client: Client, server: FakeApiServer, members: list[Reference]
) -> None:
    pod = a_driver()
    pod["metadata"]["finalizers"] = ["archer.moka.dev/outcome"]
    server.put("/api/v1/namespaces/spark-ads/pods/driver", pod)

    removal = remover(client, everything=True).remove(members)

    assert removal.kept == {}
    assert not [path for path in server.objects if "spark-ads" in path or "things" in path]


def test_an_object_that_is_not_the_sets_any_more_is_left_and_forgotten(
    client: Client, server: FakeApiServer, members: list[Reference]
) -> None:
    deployment = server.objects["/apis/apps/v1/namespaces/default/deployments/d"]
    role = server.objects["/apis/rbac.authorization.k8s.io/v1/namespaces/spark-ads/roles/r"]
    thing = server.objects["/apis/example.com/v1/namespaces/spark-ads/things/t"]
    deployment["metadata"]["labels"]["moka.dev/set"] = "archer"
    del role["metadata"]["labels"]["moka.dev/set"]
    thing["metadata"]["managedFields"] = [{"manager": "somebody", "operation": "Apply"}]

    removal = remover(client).remove([each for each in members if each.kind in {"Deployment", "Role", "Thing"}])

    assert {str(each): why for each, why in removal.foreign.items()} == {
        "Deployment default/d": "its label moka.dev/set says 'archer'",
        "Role spark-ads/r": "it no longer carries the label moka.dev/set",
        "Thing spark-ads/t": "moka never applied it",
    }
    assert removal.removed == []


def test_what_is_gone_already_is_removed(client: Client, server: FakeApiServer, members: list[Reference]) -> None:
    del server.objects["/apis/apps/v1/namespaces/default/deployments/d"]
    unknown = Reference("gone.example.com", "v1", "Gone", "default", "g")

    removal = remover(client).remove([*[each for each in members if each.kind == "Deployment"], unknown])

    assert names(removal.removed) == ["Gone default/g", "Deployment default/d"]


def test_a_deletion_that_hangs_is_told_with_its_finalizers(server: FakeApiServer, members: list[Reference]) -> None:
    server.objects["/apis/example.com/v1/namespaces/spark-ads/things/t"]["metadata"]["finalizers"] = ["elbv2/resources"]
    client = Client(server=Server(url=server.url), deadline=Deadline(0.4))

    with pytest.raises(SetError, match="Thing spark-ads/t: it waits for its finalizers elbv2/resources"):
        remover(client).remove(members)
    client.close()


def test_a_deletion_that_is_refused_is_told(client: Client, server: FakeApiServer, members: list[Reference]) -> None:
    server.faults.append(lambda method, _: (403, {"message": "you may not"}) if method == "DELETE" else None)

    with pytest.raises(SetError, match="Thing spark-ads/t: you may not"):
        remover(client).remove(members)


def test_the_object_that_was_looked_at_is_the_one_that_is_deleted(
    client: Client, server: FakeApiServer, members: list[Reference]
) -> None:
    def replaced(method: str, path: str) -> None:
        if method == "DELETE":
            server.objects[path]["metadata"]["uid"] = "another"

    server.faults.append(replaced)

    with pytest.raises(SetError, match="the UID in the precondition does not match"):
        remover(client).remove([each for each in members if each.kind == "Deployment"])
