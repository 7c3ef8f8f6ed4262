"""Clients of the API in one process that costs little: kept connections, each sends its next request once it has its answer.

    python load_client.py PORT CLIENTS REQUESTS WARM TOKEN < BODY

`%NUMBER%` in the body is replaced by a number that no other request of this process has. Prints JSON: seconds of each
answer, the wall time, and how many answers had which status. The first WARM answers are not counted.
"""

import json
import secrets
import selectors
import socket
import sys
import time
from collections import Counter
from typing import Any


class _Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.answer = b""

    def send(self, request: bytes) -> None:
        self.answer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status of a whole answer; None while it isn't whole."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server closed a connection that was to be kept")
        self.answer += piece
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found:
            return None
        lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return int(head[9:12]) if len(body) >= lengths[0] else None


class _Load:
    def __init__(self, port: int, token: str, body: str) -> None:
        self._head = (
            f"POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token}\r\n"
        )
        self._body = body
        self._run = secrets.token_hex(4)
        self._number = 0

    def request(self) -> bytes:
        self._number += 1
        number = f"{self._run}-{self._number}"
        body = self._body.replace("%NUMBER%", number).encode()
        return f"{self._head}Idempotency-Key: {number}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def drive(port: int, clients: int, requests: int, *, warm: int, load: _Load) -> dict[str, Any]:
    """Send so many requests over so many connections."""
    selector = selectors.DefaultSelector()
    seconds: list[float] = []
    statuses: Counter[int] = Counter()
    answered, sent, started = 0, 0, time.perf_counter()
    for _ in range(clients):
        client = _Client(port)
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.send(load.request())
        sent += 1
    while answered < warm + requests:
        for key, _ in selector.select():
            client = key.data
            status = client.receive()
            if status is None:
                continue
            took = time.perf_counter() - client.sent_at
            answered += 1
            if answered == warm:
                started = time.perf_counter()
            elif answered > warm:
                seconds.append(took)
            statuses[status] += 1
            if sent < warm + requests:
                client.send(load.request())
                sent += 1
    return {"wall": time.perf_counter() - started, "seconds": seconds, "statuses": dict(statuses)}


if __name__ == "__main__":
    port, clients, requests, warm = (int(word) for word in sys.argv[1:5])
    load = _Load(port, sys.argv[5], sys.stdin.read())
    print(json.dumps(drive(port, clients, requests, warm=warm, load=load)))
