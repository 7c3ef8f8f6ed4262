import pytest

from moka_constructs.manifest_set.handler.apply import Applier, Outcome, reason
from moka_constructs.manifest_set.handler.client import ApiError, Cause, Client
from moka_constructs.manifest_set.handler.discovery import Discovery
from moka_constructs.manifest_set.handler.errors import SetError
from moka_constructs.manifest_set.handler.references import Reference
from testbed.fake_api_server import FakeApiServer

from .conftest import a_deployment, an_object

DEPLOYMENT = Reference("apps", "v1", "Deployment", "default", "d")
PATH = "/apis/apps/v1/namespaces/default/deployments/d"


def applier(client: Client, *force_fields: str) -> Applier:
    return Applier(
        client=client, discovery=Discovery(client=client), set_name="platform", force_fields=tuple(force_fields)
    )


def test_objects_are_created_with_the_sets_label(client: Client, server: FakeApiServer) -> None:
    outcomes = applier(client).apply_all("x", [an_object("ConfigMap", "c", "default"), a_deployment("d", "default")])

    assert list(outcomes.values()) == [Outcome.CREATED, Outcome.CREATED]
    assert server.objects[PATH]["metadata"]["labels"] == {"moka.dev/set": "platform"}
    assert {each["manager"] for each in server.objects[PATH]["metadata"]["managedFields"]} == {"moka"}


def test_the_server_judges_strictly(client: Client, server: FakeApiServer) -> None:
    applier(client).apply_all("x", [an_object("ConfigMap", "c", "default")])

    (patch,) = (target for method, target in server.requests if method == "PATCH")
    assert "fieldValidation=Strict" in patch
    assert "force=false" in patch


def test_all_refusals_of_a_step_are_told_together(client: Client) -> None:
    with pytest.raises(SetError) as error:
        applier(client).apply_all(
            "applying x",
            [an_object("ConfigMap", "c", "gone"), an_object("Widget", "w", "default"), a_deployment("d", "default")],
        )

    assert str(error.value).splitlines() == [
        "applying x:",
        '  ConfigMap gone/c: namespaces "gone" not found',
        "  Widget default/w: the cluster knows no Widget in v1; its CRD is neither there nor in the set",
    ]


def test_a_conflict_names_field_and_owner_and_what_to_do(client: Client, server: FakeApiServer) -> None:
    server.put(PATH, a_deployment("d", "default", replicas=3), manager="kubectl-scale")

    with pytest.raises(SetError) as error:
        applier(client).apply_all("applying x", [a_deployment("d", "default", replicas=2)])

    assert 'Deployment default/d: .spec.replicas belongs to "kubectl-scale" using v1: ' in str(error.value)
    assert "--force-conflicts '.spec.replicas'" in str(error.value)
    assert server.objects[PATH]["spec"]["replicas"] == 3


@pytest.mark.parametrize(
    "wanted", [".spec.replicas", "spec.replicas", ".spec", "Deployment default/d:.spec.replicas", "*"]
)
def test_a_field_that_may_be_forced_is_taken_over(client: Client, server: FakeApiServer, wanted: str) -> None:
    server.put(PATH, a_deployment("d", "default", replicas=3), manager="kubectl-scale")

    applier(client, wanted).apply_all("applying x", [a_deployment("d", "default", replicas=2)])

    assert server.objects[PATH]["spec"]["replicas"] == 2


@pytest.mark.parametrize("wanted", [".spec.replica", "Deployment default/other:.spec.replicas", ".spec.template"])
def test_a_field_that_is_not_named_is_never_forced(client: Client, server: FakeApiServer, wanted: str) -> None:
    server.put(PATH, a_deployment("d", "default", replicas=3), manager="kubectl-scale")

    with pytest.raises(SetError):
        applier(client, wanted).apply_all("applying x", [a_deployment("d", "default", replicas=2)])


def test_one_field_that_may_not_be_forced_keeps_the_object_as_it_is(client: Client, server: FakeApiServer) -> None:
    server.put(PATH, a_deployment("d", "default", replicas=3, image="other:1"), manager="somebody")

    with pytest.raises(SetError, match=r"\.spec\.template belongs to"):
        applier(client, ".spec.replicas").apply_all("x", [a_deployment("d", "default", replicas=2)])

    assert server.objects[PATH]["spec"]["replicas"] == 3


def test_fields_inside_of_a_named_one_may_be_forced(client: Client) -> None:
    made = applier(client, ".spec.template.spec.containers")

    assert made.may_force(DEPLOYMENT, '.spec.template.spec.containers[name="main"].image')
    assert made.may_force(DEPLOYMENT, ".spec.template.spec.containers")
    assert not made.may_force(DEPLOYMENT, ".spec.template.spec.containersOf")


def test_a_create_only_member_is_made_and_never_written_again(client: Client, server: FakeApiServer) -> None:
    annotated = {"annotations": {"moka.dev/create-only": "true"}}
    secret = an_object("Secret", "certs", "default", metadata=annotated, data={"key": "bW9rYQ=="})
    path = "/api/v1/namespaces/default/secrets/certs"

    assert set(applier(client).apply_all("x", [secret]).values()) == {Outcome.CREATED}
    server.objects[path]["data"] = {"key": "ZmlsbGVk"}
    version = server.objects[path]["metadata"]["resourceVersion"]
    assert set(applier(client).apply_all("x", [secret]).values()) == {Outcome.LEFT_ALONE}
    applier(client).check_all("x", [secret])

    assert server.objects[path]["data"] == {"key": "ZmlsbGVk"}
    assert server.objects[path]["metadata"]["resourceVersion"] == version


def test_a_check_stores_nothing(client: Client, server: FakeApiServer) -> None:
    applier(client).check_all("x", [a_deployment("d", "default")])

    assert server.writes() == []
    assert PATH not in server.objects


def test_a_field_that_cannot_change_is_told_with_the_way_out() -> None:
    error = ApiError(422, "Invalid", 'Job "x" is invalid: spec.template: field is immutable')

    assert reason(error).endswith("field is immutable; delete the object, then apply again")


def test_an_owner_is_named_as_the_server_names_it() -> None:
    message = 'conflict with "kube-controller-manager" with subresource "status" using apps/v1'
    error = ApiError(409, "Conflict", "x", (Cause(".spec.a", message, "FieldManagerConflict"),))

    assert '.spec.a belongs to "kube-controller-manager" with subresource "status" using apps/v1: ' in reason(error)
