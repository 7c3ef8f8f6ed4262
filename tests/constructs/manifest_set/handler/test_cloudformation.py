import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from moka_constructs.manifest_set.handler import cloudformation as module
from moka_constructs.manifest_set.handler.client import Client, Server
from moka_constructs.manifest_set.handler.cloudformation import respond
from moka_constructs.manifest_set.handler.deadline import Deadline
from moka_constructs.manifest_set.handler.order import ManifestFile
from moka_constructs.manifest_set.handler.run import Delivery, Options
from testbed.fake_api_server import FakeApiServer

from .cloudformation_side import CloudFormation
from .conftest import Files, a_crd, a_deployment, an_object, as_files

NAME = "moka-test-c/platform"
FILES: Files = {
    "00-crds.yaml": [a_crd("Thing")],
    "10-namespaces.yaml": [an_object("Namespace", "moka-system")],
    "30-work.yaml": [a_deployment("d", "moka-system", system=False)],
}
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(server: FakeApiServer, cloudformation: CloudFormation) -> Ask:
    """`ask("Create", FILES)` runs the function and returns its answer."""

    def run(
        kind: str, files: Files | None = None, *, identity: str | None = None, seconds: float = 60, **more: Any
    ) -> dict[str, Any]:
        def deliver(properties: Mapping[str, Any], deadline: Deadline, say: Callable[[str], None]) -> Delivery:
            client = Client(server=Server(url=server.url), deadline=deadline)
            clients.append(client)
            return Delivery(
                client=client, options=Options(set_name=properties["Set"], owner=properties["ClusterName"]), say=say
            )

        def read(_: Mapping[str, Any]) -> tuple[ManifestFile, ...]:
            return as_files(files or FILES)

        clients: list[Client] = []
        respond(cloudformation.event(kind, more, identity), seconds, deliver, read)
        for client in clients:
            client.close()
        return cloudformation.answers[-1]

    return run


def test_create_delivers_and_answers_with_counts(ask: Ask) -> None:
    answer = ask("Create")

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", NAME)
    assert answer["Data"]["created"] == "3"


def test_update_keeps_the_identity(ask: Ask) -> None:
    ask("Create")

    answer = ask("Update", identity=NAME)

    assert (answer["PhysicalResourceId"], answer["Data"]["unchanged"]) == (NAME, "3")


def test_delete_takes_the_set_away(ask: Ask, server: FakeApiServer) -> None:
    ask("Create")

    answer = ask("Delete", identity=NAME)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", NAME)
    assert not [path for path in server.objects if "moka-system" in path]


def test_a_set_whose_properties_say_so_stays_when_its_stack_goes(ask: Ask, server: FakeApiServer) -> None:
    ask("Create")
    before = set(server.objects)

    answer = ask("Delete", identity=NAME, Remove="nothing")

    assert answer["Status"] == "SUCCESS"
    assert set(server.objects) == before


def test_a_failure_names_the_object_and_the_reason(ask: Ask, server: FakeApiServer) -> None:
    server.faults.append(lambda m, p: (422, {"message": "is bad"}) if m == "PATCH" and "/deployments/" in p else None)

    answer = ask("Create")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "applying 30-work.yaml:\n  Deployment moka-system/d: is bad"


def test_after_a_create_that_failed_half_way_delete_takes_the_half_away(ask: Ask, server: FakeApiServer) -> None:
    server.faults.append(lambda m, p: (422, {"message": "is bad"}) if m == "PATCH" and "/deployments/" in p else None)
    failed = ask("Create")

    assert failed["PhysicalResourceId"] == NAME
    assert ask("Delete", identity=failed["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert not [path for path in server.objects if "moka-system" in path]


def test_after_a_create_that_never_began_delete_does_nothing(ask: Ask, server: FakeApiServer) -> None:
    server.faults.append(lambda *_: (404, {"message": "not an API server"}))
    failed = ask("Create")

    assert failed["Status"] == "FAILED"
    assert failed["PhysicalResourceId"] == f"{NAME}/nothing-made"
    asked = len(server.requests)
    assert ask("Delete", identity=failed["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert len(server.requests) == asked


def test_a_create_that_fails_over_a_set_that_was_there_leaves_it_to_its_owner(ask: Ask, server: FakeApiServer) -> None:
    ask("Create")
    server.faults.append(lambda m, p: (422, {"message": "is bad"}) if m == "PATCH" and "/deployments/" in p else None)

    failed = ask("Create")

    assert failed["PhysicalResourceId"] == f"{NAME}/nothing-made"
    ask("Delete", identity=failed["PhysicalResourceId"])
    assert "/api/v1/namespaces/moka-system" in server.objects


def test_an_unexpected_error_is_answered_with_the_step(ask: Ask, server: FakeApiServer) -> None:
    server.faults.append(lambda _, path: (200, {"no": "metadata"}) if "configmaps" in path else None)

    answer = ask("Create")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "checking 1 of 3 objects: KeyError('metadata')"


def test_a_cluster_that_is_gone_has_nothing_to_delete(cloudformation: CloudFormation) -> None:
    def deliver(_: Mapping[str, Any], deadline: Deadline, say: Callable[[str], None]) -> Delivery:
        client = Client(server=Server(url="https://gone.invalid"), deadline=deadline)
        return Delivery(client=client, options=Options(set_name="platform", owner="moka-test-c"), say=say)

    for kind in ("Delete", "Update"):
        respond(cloudformation.event(kind, {}, NAME), 60, deliver, lambda _: ())

    deleted, updated = cloudformation.answers
    assert deleted["Status"] == "SUCCESS"
    assert updated["Status"] == "FAILED"
    assert "https://gone.invalid cannot be reached" in updated["Reason"]


def test_a_server_that_hangs_is_answered_for_in_time(
    ask: Ask, server: FakeApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESERVE_SECONDS", 0.5)
    monkeypatch.setattr(module, "LAST_WORDS_SECONDS", 0.1)
    release = threading.Event()

    def hang(method: str, path: str) -> None:
        if method == "PATCH" and "customresourcedefinitions" in path:
            release.wait(20)

    server.faults.append(hang)

    answer = ask("Create", seconds=2)

    assert not release.is_set(), "the answer came while the server still hung"
    release.set()
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("not finished within")
    assert answer["Reason"].endswith("the last step was: applying CRDs: 1 objects")


def test_whatever_hangs_the_answer_comes_and_nothing_is_sent_after_it(
    server: FakeApiServer, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESERVE_SECONDS", 0.5)
    release = threading.Event()

    def deliver(_: Mapping[str, Any], deadline: Deadline, say: Callable[[str], None]) -> Delivery:
        client = Client(server=Server(url=server.url), deadline=deadline)
        return Delivery(client=client, options=Options(set_name="platform", owner="moka-test-c"), say=say)

    def read(_: Mapping[str, Any]) -> tuple[ManifestFile, ...]:
        release.wait(20)
        return as_files(FILES)

    respond(cloudformation.event("Update", {}, NAME), 1, deliver, read)

    (work,) = (each for each in threading.enumerate() if each.name == module.THREAD)
    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].endswith("the last step was: reading the bundle")
    release.set()
    work.join(20)
    assert not work.is_alive()
    assert server.requests == []


def test_a_function_with_little_time_left_answers_within_it() -> None:
    assert module.ANSWER_SECONDS == 12 * 60
    assert module.RESERVE_SECONDS > module.LAST_WORDS_SECONDS > 0
