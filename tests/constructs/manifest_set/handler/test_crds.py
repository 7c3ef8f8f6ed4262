from typing import Any

import pytest

from moka_constructs.manifest_set.handler import crds
from moka_constructs.manifest_set.handler.client import Client
from moka_constructs.manifest_set.handler.crds import wait_until_served
from moka_constructs.manifest_set.handler.errors import SetError
from testbed.fake_api_server import FakeApiServer

from .conftest import a_crd

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crds, "SECONDS", 0.6)
    monkeypatch.setattr(crds, "POLL_SECONDS", 0.05)


def test_a_crd_that_is_established_and_served_is_not_waited_for(client: Client, server: FakeApiServer) -> None:
    server.put(PATH, a_crd("Thing"))

    wait_until_served(client, [a_crd("Thing")])


def test_established_is_not_yet_served(client: Client, server: FakeApiServer) -> None:
    server.put(PATH, a_crd("Thing"))
    refusals: list[int] = [1, 2, 3]

    def not_yet(_method: str, path: str) -> tuple[int, Any] | None:
        if path.startswith("/apis/example.com/v1/things") and refusals:
            refusals.pop()
            return 404, {}
        return None

    server.faults.append(not_yet)
    wait_until_served(client, [a_crd("Thing")])

    assert refusals == []


def test_one_that_is_never_served_is_told(client: Client, server: FakeApiServer) -> None:
    server.put(PATH, a_crd("Thing"))
    server.faults.append(lambda _method, path: (404, {}) if "/things?" in path else None)

    with pytest.raises(
        SetError, match=r"CustomResourceDefinition things\.example\.com: established, but .* not served"
    ):
        wait_until_served(client, [a_crd("Thing")])


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (
            [{"type": "NamesAccepted", "status": "False", "message": '"things" is in use'}],
            'its names are taken: "things"',
        ),
        (
            [{"type": "Established", "status": "False", "message": "not all names"}],
            "not established yet: not all names",
        ),
        ([], "not established yet: the API server has said nothing"),
    ],
)
def test_one_that_is_not_accepted_is_told_in_the_servers_words(
    client: Client, server: FakeApiServer, conditions: list[dict[str, str]], expected: str
) -> None:
    server.put(PATH, a_crd("Thing"))
    server.objects[PATH]["status"] = {"conditions": conditions}

    with pytest.raises(SetError) as error:
        wait_until_served(client, [a_crd("Thing")])

    assert expected in str(error.value)
