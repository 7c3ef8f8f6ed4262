"""The bad road passes on what it should, and breaks what it is told to."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from testbed.fault_proxy import FaultProxy, Storm
from testbed.loopback_server import JSON, LoopbackHandler, LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLICATIONS = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/spark-ads/sparkapplications"
done: list[str] = []


class Server(LoopbackHandler):
    """Creates whatever it is sent, and watches without end."""

    protocol_version = "HTTP/1.1"

    def respond(self) -> None:
        if self.command == "POST":
            self._create()
        else:
            self._watch()

    def _create(self) -> None:
        content = self.body()
        done.append(content.decode())
        self.answer(201, content, JSON)

    def _watch(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for _ in range(1000):
                self.wfile.write(b"6\r\nevent\n\r\n")
                time.sleep(0.01)
        except OSError:
            self.close_connection = True


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    done.clear()
    with LoopbackServer(Server) as server, FaultProxy(server.url) as made:
        yield made


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, timeout=10, trust_env=False) as http:
        yield http


def test_what_is_asked_is_passed_on_and_so_is_the_answer(proxy: FaultProxy, client: httpx.Client) -> None:
    answer = client.post(APPLICATIONS, json={"name": "one"})

    assert (answer.status_code, answer.json()) == (201, {"name": "one"})
    assert [json.loads(each) for each in done] == [{"name": "one"}]
    assert proxy.counts["passed on"] == 1


@pytest.mark.parametrize(("status", "pause"), [(429, "2"), (500, None)])
def test_in_a_storm_the_api_server_hears_nothing(
    proxy: FaultProxy, client: httpx.Client, status: int, pause: str | None
) -> None:
    proxy.storm = Storm(status=status, share=1, retry_after=None if pause is None else int(pause))

    answer = client.post(APPLICATIONS, json={})

    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, pause)
    assert not done


def test_an_answer_is_lost_after_the_deed(proxy: FaultProxy, client: httpx.Client) -> None:
    proxy.storm = Storm(status=0, share=1)

    with pytest.raises(httpx.RemoteProtocolError):
        client.post(APPLICATIONS, json={})
    assert len(done) == 1


def test_the_answer_of_a_create_is_held_until_it_is_let_go(proxy: FaultProxy, client: httpx.Client) -> None:
    proxy.hold_next_create()
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(client.post(APPLICATIONS, json={})), daemon=True)
    asking.start()

    assert proxy.held.wait(10)
    assert len(done) == 1
    assert not answers
    proxy.let_go()
    asking.join(10)
    assert [answer.status_code for answer in answers] == [201]


def test_watches_are_cut_in_the_middle(proxy: FaultProxy, client: httpx.Client) -> None:
    def watch() -> None:
        with client.stream("GET", f"{APPLICATIONS}?watch=true") as answer:
            for number, _ in enumerate(answer.iter_lines()):
                if number == 1:
                    assert proxy.cut_watches() == 1

    with pytest.raises(httpx.TransportError):
        watch()
