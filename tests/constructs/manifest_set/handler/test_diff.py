from typing import Any

import pytest

from moka_constructs.manifest_set.handler.apply import Applier, Outcome
from moka_constructs.manifest_set.handler.client import Client
from moka_constructs.manifest_set.handler.diff import Difference, differences
from moka_constructs.manifest_set.handler.discovery import Discovery
from moka_constructs.manifest_set.handler.errors import SetError
from testbed.fake_api_server import FakeApiServer

from .conftest import Manifest, a_crd, a_deployment, an_object

DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/d"


def compare(client: Client, *manifests: Manifest) -> list[Difference]:
    return differences(Applier(client=client, discovery=Discovery(client=client), set_name="platform"), manifests)


def apply(client: Client, *manifests: Manifest) -> None:
    Applier(client=client, discovery=Discovery(client=client), set_name="platform").apply_all("x", manifests)


def lines(client: Client, before: Manifest, after: Manifest) -> tuple[str, ...]:
    apply(client, before)
    (found,) = compare(client, after)
    assert found.outcome == Outcome.CHANGED
    return found.lines


def test_what_is_the_same_is_not_told(client: Client, server: FakeApiServer) -> None:
    apply(client, a_deployment("d", "default"))
    before = server.writes()

    assert compare(client, a_deployment("d", "default")) == []
    assert server.writes() == before


def test_a_new_object_is_told_also_when_its_kind_or_namespace_is_new(client: Client) -> None:
    new = (
        an_object("ConfigMap", "c", "default"),
        an_object("ConfigMap", "c", "new"),
        a_crd("Thing"),
        an_object("Thing", "t", "default", api="example.com/v1"),
    )

    found = compare(client, *new)

    assert [(str(each.reference), each.outcome, each.lines) for each in found] == [
        ("ConfigMap default/c", Outcome.CREATED, ()),
        ("ConfigMap new/c", Outcome.CREATED, ()),
        ("CustomResourceDefinition things.example.com", Outcome.CREATED, ()),
        ("Thing default/t", Outcome.CREATED, ()),
    ]


def test_fields_are_told_with_both_values(client: Client) -> None:
    before = a_deployment("d", "default", replicas=1)
    after = a_deployment("d", "default", replicas=3, image="x:2")

    assert lines(client, before, after) == (
        "spec.replicas: 1 → 3",
        "spec.template.spec.containers[main].image: x:1 → x:2",
    )


def test_a_field_that_comes_is_told_and_keys_with_dots_are_quoted(client: Client) -> None:
    before = an_object("ConfigMap", "c", "default", data={"a": "1"})
    after = an_object("ConfigMap", "c", "default", data={"a": "1", "queues.yaml": "x\ny"})

    assert lines(client, before, after) == ("data['queues.yaml']: (not set) → x\\ny",)


def test_long_values_are_cut(client: Client) -> None:
    before = an_object("ConfigMap", "c", "default", data={"a": "1"})
    (line,) = lines(client, before, an_object("ConfigMap", "c", "default", data={"a": "x" * 1000}))

    assert len(line) < 200
    assert line.endswith(" …")


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_what_a_secret_holds_is_never_shown(client: Client, field: str) -> None:
    def secret(value: str) -> Manifest:
        return {**an_object("Secret", "s", "default"), field: {"password": value}}

    assert lines(client, secret("b2xk"), secret("bmV3")) == (f"{field}.password: (hidden) → (hidden)",)


def test_a_conflict_is_told_beside_what_would_change(client: Client, server: FakeApiServer) -> None:
    server.put(DEPLOYMENT, a_deployment("d", "default", replicas=3), manager="kubectl-scale")

    (found,) = compare(client, a_deployment("d", "default", replicas=2))

    assert "spec.replicas: 3 → 2" in found.lines
    assert found.lines[-1].startswith('conflict: .spec.replicas belongs to "kubectl-scale" using v1')


def test_a_create_only_member_that_is_there_never_differs(client: Client, server: FakeApiServer) -> None:
    secret = an_object("Secret", "s", "default", metadata={"annotations": {"moka.dev/create-only": "true"}})
    server.put("/api/v1/namespaces/default/secrets/s", {**secret, "data": {"filled": "in"}})

    assert compare(client, secret) == []


def test_all_that_the_server_would_refuse_is_told_together(client: Client, server: FakeApiServer) -> None:
    apply(client, a_deployment("d", "default"), a_deployment("e", "default"))

    def refuse(method: str, _path: str) -> tuple[int, Any] | None:
        return (422, {"message": "spec is bad"}) if method == "PATCH" else None

    server.faults.append(refuse)

    with pytest.raises(SetError) as error:
        compare(client, a_deployment("d", "default"), a_deployment("e", "default"))

    assert str(error.value).splitlines() == [
        "the API server would refuse:",
        "  Deployment default/d: spec is bad",
        "  Deployment default/e: spec is bad",
    ]
