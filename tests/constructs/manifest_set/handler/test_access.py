import pytest

from moka_constructs.manifest_set.handler import access
from moka_constructs.manifest_set.handler.access import wait_for_access
from moka_constructs.manifest_set.handler.client import Client
from moka_constructs.manifest_set.handler.errors import UnreachableError
from testbed.fake_api_server import FakeApiServer


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "POLL_SECONDS", 0.02)


@pytest.mark.parametrize("status", [401, 403])
def test_an_access_entry_that_is_not_known_yet_is_waited_for(
    client: Client, server: FakeApiServer, status: int
) -> None:
    refusals = [1, 2, 3]
    server.faults.append(lambda *_: (status, {"message": "Unauthorized"}) if refusals and refusals.pop() else None)

    wait_for_access(client, 5)

    assert refusals == []


def test_who_is_never_let_in_is_told_what_is_missing(client: Client, server: FakeApiServer) -> None:
    server.faults.append(lambda *_: (403, {"message": "x cannot list customresourcedefinitions"}))

    with pytest.raises(
        UnreachableError, match=r"x cannot list .*; the identity needs an access entry with cluster-admin"
    ):
        wait_for_access(client, 0.1)


def test_without_patience_the_first_refusal_counts(client: Client, server: FakeApiServer) -> None:
    server.faults.append(lambda *_: (401, {"message": "Unauthorized"}))

    with pytest.raises(UnreachableError):
        wait_for_access(client, 0)

    assert len(server.requests) == 1


def test_another_refusal_is_told_at_once(client: Client, server: FakeApiServer) -> None:
    server.faults.append(lambda *_: (404, {"message": "page not found"}))

    with pytest.raises(UnreachableError, match="answers 404: page not found"):
        wait_for_access(client, 5)
