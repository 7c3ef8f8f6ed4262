"""The client against a server that answers as it is told to."""

from collections.abc import Callable, Iterator
from http.client import HTTPConnection

import pytest

from moka_constructs.manifest_set.handler import client as module
from moka_constructs.manifest_set.handler.client import ApiError, Client, Server
from moka_constructs.manifest_set.handler.deadline import Deadline
from moka_constructs.manifest_set.handler.errors import OutOfTimeError, UnreachableError
from moka_constructs.manifest_set.handler.workers import each_of
from testbed.fake_api_server import FakeApiServer

Fail = Callable[..., None]


@pytest.fixture
def client_of() -> Iterator[Callable[..., Client]]:
    """`client_of(Server(…))` makes a client that is closed at the end."""
    made: list[Client] = []

    def make(server: Server, seconds: float = 60) -> Client:
        made.append(Client(server=server, deadline=Deadline(seconds)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def fail(server: FakeApiServer) -> Fail:
    """`fail(503, times=2)` refuses the next requests."""

    def set_up(status: int, *, times: int = 1, reason: str = "", message: str = "not now") -> None:
        left = [times]

        def fault(_method: str, _path: str) -> tuple[int, object] | None:
            left[0] -= 1
            return None if left[0] < 0 else (status, {"reason": reason, "message": message})

        server.faults.append(fault)

    return set_up


def test_an_answer_is_json(client: Client) -> None:
    assert client.request("GET", "/api/v1/namespaces/default")["metadata"]["name"] == "default"


def test_one_connection_serves_one_request_after_the_other(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    connect = HTTPConnection.connect

    def counted(self: HTTPConnection) -> None:
        opened.append(self)
        connect(self)

    def ask(_: int) -> None:
        client.request("GET", "/api/v1/namespaces/default")

    monkeypatch.setattr(HTTPConnection, "connect", counted)
    for number in range(5):
        ask(number)
    assert len(opened) == 1
    each_of(ask, range(40))
    assert len(opened) <= 4


def test_a_refusal_has_status_reason_message_and_causes(client: Client, server: FakeApiServer) -> None:
    causes = [{"field": "spec.x", "message": "is bad", "reason": "FieldValueInvalid"}]
    server.faults.append(
        lambda *_: (422, {"reason": "Invalid", "message": "spec.x is bad", "details": {"causes": causes}})
    )

    with pytest.raises(ApiError, match=r"spec\.x is bad") as error:
        client.request("GET", "/api/v1/namespaces/default")

    assert (error.value.status, error.value.reason) == (422, "Invalid")
    assert [(each.field, each.message, each.reason) for each in error.value.causes] == [
        ("spec.x", "is bad", "FieldValueInvalid")
    ]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_passes_by_itself_is_waited_for(client: Client, fail: Fail, status: int) -> None:
    fail(status, times=2)

    assert client.request("GET", "/api/v1/namespaces/default")["kind"] == "Namespace"


def test_what_does_not_pass_is_told_in_the_servers_words(
    client: Client, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)
    fail(500, times=99, reason="InternalError", message='failed calling webhook "x": connection refused')

    with pytest.raises(ApiError, match="failed calling webhook"):
        client.request("GET", "/api/v1/namespaces/default")


def test_a_refusal_that_does_not_pass_is_not_asked_again(client: Client, server: FakeApiServer, fail: Fail) -> None:
    fail(403)

    with pytest.raises(ApiError):
        client.request("GET", "/api/v1/namespaces/default")

    assert len(server.requests) == 1


def test_a_token_that_is_refused_is_renewed_once(
    server: FakeApiServer, fail: Fail, client_of: Callable[..., Client]
) -> None:
    asked = []

    def token(refused: bool) -> str:
        asked.append(refused)
        return "t"

    client = client_of(Server(url=server.url, token=token))
    fail(401)

    assert client.request("GET", "/api/v1/namespaces/default")["kind"] == "Namespace"
    assert asked == [False, True]
    fail(401, times=2)
    with pytest.raises(ApiError) as error:
        client.request("GET", "/api/v1/namespaces/default")
    assert error.value.status == 401


def test_a_host_that_does_not_exist_is_told_at_once(client_of: Callable[..., Client]) -> None:
    client = client_of(Server(url="http://gone.invalid"))

    with pytest.raises(UnreachableError, match=r"http://gone\.invalid cannot be reached") as error:
        client.request("GET", "/api")

    assert error.value.unknown


def test_a_server_that_nobody_answers_for_is_told_after_some_patience(
    client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)
    with FakeApiServer() as server:
        url = server.url
    client = client_of(Server(url=url))

    with pytest.raises(UnreachableError, match="does not answer"):
        client.request("GET", "/api")


def test_a_connection_that_the_server_closed_is_opened_anew(
    server: FakeApiServer, client_of: Callable[..., Client]
) -> None:
    client = client_of(Server(url=server.url))
    client.request("GET", "/api/v1/namespaces/default")
    (idle,) = client._idle
    assert idle.sock is not None
    idle.sock.close()

    assert client.request("GET", "/api/v1/namespaces/default")["kind"] == "Namespace"


def test_nothing_is_sent_after_the_deadline(server: FakeApiServer) -> None:
    deadline = Deadline(60)
    client = Client(server=Server(url=server.url), deadline=deadline)
    deadline.call_off()

    with pytest.raises(OutOfTimeError):
        client.request("GET", "/api/v1/namespaces/default")

    assert server.requests == []


def test_a_prefix_of_the_address_is_kept(server: FakeApiServer, client_of: Callable[..., Client]) -> None:
    client = client_of(Server(url=f"{server.url}/k8s/"))
    server.faults.append(lambda *_: (200, {}))

    client.request("GET", "/version", query={"a": "b c"})

    assert server.requests == [("GET", "/k8s/version?a=b+c")]
