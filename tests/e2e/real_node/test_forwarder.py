"""A port of loopback that leads into another network: what is sent there arrives, and comes back."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from testbed.real_node.forwarder import Forwarder

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTENER = """
import socket, subprocess
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
server = socket.create_server(("127.0.0.1", 7))
print("up", flush=True)
while True:
    with server.accept()[0] as caller:
        whole = b"".join(iter(lambda: caller.recv(65536), b""))
        caller.sendall(whole[::-1])
"""
PORT = 7


@pytest.fixture
def elsewhere(capable: None) -> Iterator[int]:
    """The id of a process in a network of its own, which listens there on loopback and says everything backwards."""
    command = ["unshare", "--net", sys.executable, "-I", "-c", LISTENER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process.pid
        process.kill()


def test_all_bytes_arrive_and_the_answer_comes_after_the_end_of_the_question(elsewhere: int) -> None:
    sent = bytes(range(256)) * 4000
    with Forwarder(elsewhere, ("127.0.0.1", PORT)) as forwarder:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", forwarder.port), timeout=30) as ours:
                ours.sendall(sent)
                ours.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: ours.recv(65536), b""))
            assert answer == sent[::-1]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", forwarder.port), timeout=30)


def test_where_nobody_listens_the_connection_ends(elsewhere: int) -> None:
    with (
        Forwarder(elsewhere, ("127.0.0.1", PORT + 1)) as forwarder,
        socket.create_connection(("127.0.0.1", forwarder.port), timeout=30) as ours,
    ):
        assert ours.recv(1) == b""
