"""The server below the application: how many clients it has, and how long it waits for one."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import FastAPI, Request

from archer.http_server import HttpServer

Serve = Callable[..., tuple[str, int]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a small application with these limits; its address."""
    app = FastAPI()

    @app.get("/slow")
    def slow() -> str:
        time.sleep(1.5)
        return "there you are"

    @app.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    with ExitStack() as servers:

        def start(**limits: Any) -> tuple[str, int]:
            listening = socket.create_server(("127.0.0.1", 0))
            server = HttpServer(app, listening, shutdown_seconds=1, **limits)
            assert server.start()
            servers.callback(server.stop, 5)
            address: tuple[str, int] = listening.getsockname()
            return address

        yield start


def connected(address: tuple[str, int], sent: str) -> socket.socket:
    client = socket.create_connection(address, timeout=30)
    client.sendall(sent.encode())
    return client


def answer(client: socket.socket) -> str:
    """All that comes until the server ends the connection."""
    found = b""
    try:
        while piece := client.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    client.close()
    return found.decode()


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "GET /slow HT",
        "GET /slow HTTP/1.1\r\nHost: x\r\n",
        "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1",
    ],
)
def test_who_begins_a_request_and_does_not_end_it_is_let_go(serve: Serve, sent: str) -> None:
    client = connected(serve(request_seconds=0.3), sent)

    assert "HTTP/1.1 2" not in answer(client)


def test_who_drips_is_let_go_too(serve: Serve) -> None:
    client = connected(serve(request_seconds=0.5), "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n")

    with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):  # noqa: PT012  # each byte is another try
        for _ in range(600):
            client.sendall(b"x")
            time.sleep(0.05)
    client.close()


def test_an_answer_may_take_longer_than_a_request(serve: Serve) -> None:
    request = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
    client = connected(serve(request_seconds=0.3), request)
    client.recv(65536)

    # and so may the next one of the same connection
    client.sendall(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").encode())

    assert answer(client).endswith('"there you are"')


def test_one_client_too_many_is_asked_to_come_again_and_may(serve: Serve) -> None:
    address = serve(most_connections=2)
    first = [connected(address, "") for _ in range(2)]
    request = "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab"

    full = answer(connected(address, ""))
    first.pop().close()
    deadline = time.monotonic() + 30
    while (later := answer(connected(address, request))).startswith("HTTP/1.1 503") and time.monotonic() < deadline:
        time.sleep(0.05)

    assert full.startswith("HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n")
    assert later.startswith("HTTP/1.1 200 OK")
    first.pop().close()


def test_a_server_takes_as_many_open_files_as_it_may() -> None:
    program = (
        "import resource; from archer.http_server import allow_many_files\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (200, 400))\n"
        "print(allow_many_files(), resource.getrlimit(resource.RLIMIT_NOFILE), allow_many_files())"
    )
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 400:
        pytest.fail("this test needs a limit of 400 open files")

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "400 (400, 400) 400\n"
