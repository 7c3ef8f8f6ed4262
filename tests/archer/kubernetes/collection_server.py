"""One collection of an API server, faithful in what clients notice, and able to misbehave when told to.

LIST with limit and continue, WATCH with bookmarks from a resource version, history that can be forgotten, single objects. `fault` answers
instead; `watches` are open streams into which a test puts bytes, an end, or a cut.
"""

from __future__ import annotations

import json
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlsplit

from testbed.loopback_server import LoopbackHandler, LoopbackServer

PATH: Final = "/api/v1/namespaces/spark-ads/configmaps"
Thing = dict[str, Any]
Action = bytes | Literal["end", "cut"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def is_list(self) -> bool:
        return self.method == "GET" and self.path == PATH and "watch" not in self.query

    @property
    def is_watch(self) -> bool:
        return "watch" in self.query


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes out."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Close the connection without a word."""
    seconds_per_byte: float = 0


def status(code: int, reason: str = "", message: str = "", **details: Any) -> Answer:
    """An error as Kubernetes words it."""
    return Answer(status=code, body=status_object(code, reason, message, **details))


def status_object(code: int, reason: str, message: str = "", **details: Any) -> Thing:
    return {"kind": "Status", "code": code, "reason": reason, "message": message or reason, "details": details}


def line(kind: str, thing: Thing) -> bytes:
    """An event of a watch."""
    return json.dumps({"type": kind, "object": thing}).encode() + b"\n"


class CollectionServer(LoopbackServer):
    """A context that serves on loopback."""

    def __init__(self) -> None:
        self.objects: dict[str, Thing] = {}
        self.requests: list[Request] = []
        self.fault: Callable[[Request], Answer | None] = lambda _: None
        self.watches: list[queue.Queue[Action]] = []
        self.page_at_most: int | None = None
        self._history: list[tuple[int, bytes]] = []
        self._version = 100
        self._oldest = 100
        self._lists: dict[str, tuple[int, list[Thing]]] = {}
        self._lock = threading.RLock()
        super().__init__(type("Handler", (_Handler,), {"collection": self}), _Server)

    def __exit__(self, *_: object) -> None:
        self.everywhere("end")
        super().__exit__()

    def put(self, name: str, value: str = "", *, uid: str | None = None, labels: dict[str, str] | None = None) -> None:
        """Create or change."""
        with self._lock:
            old = self.objects.get(name)
            self._version += 1
            known = old["metadata"]["uid"] if old else f"uid-{self._version}"
            metadata = {"name": name, "namespace": "spark-ads", "uid": uid or known, "labels": labels or {}}
            thing = {"metadata": {**metadata, "resourceVersion": str(self._version)}, "data": {"value": value}}
            self.objects[name] = thing
            self._happened("MODIFIED" if old else "ADDED", thing)

    def remove(self, name: str, **last: str) -> None:
        """Delete; `last` is data that only the DELETED event shows."""
        with self._lock:
            self._version += 1
            thing = json.loads(json.dumps(self.objects.pop(name)))
            thing["metadata"]["resourceVersion"] = str(self._version)
            thing["data"].update(last)
            self._happened("DELETED", thing)

    def bookmark(self) -> None:
        """Tell all watches that nothing else happened."""
        with self._lock:
            self._version += 1
            self.everywhere(line("BOOKMARK", {"metadata": {"resourceVersion": str(self._version)}}))

    def forget(self) -> None:
        """Compact: watches and pages from before now are 410."""
        with self._lock:
            self._version += 1
            self._oldest = self._version
            self._history.clear()
            self._lists.clear()

    def everywhere(self, *actions: Action) -> None:
        """Do that on all open watches."""
        with self._lock:
            for each in self.watches:
                for action in actions:
                    each.put(action)

    def interrupt(self, *actions: Action) -> None:
        """Do that on all open watches, and return when these are over; a client may have new ones by then."""
        with self._lock:
            open_ones = list(self.watches)
            self.everywhere(*actions)
        until(lambda: not any(each in self.watches for each in open_ones))

    def wait_watched(self, count: int = 1) -> None:
        """Return once so many watches have ever been asked for and one is open."""
        until(lambda: sum(each.is_watch for each in self.requests) >= count and bool(self.watches))

    def _happened(self, kind: str, thing: Thing) -> None:
        event = line(kind, thing)
        self._history.append((self._version, event))
        self.everywhere(event)

    def answer(self, request: Request) -> Answer | queue.Queue[Action]:
        with self._lock:
            self.requests.append(request)
            found = self.fault(request)
            if found is not None:
                return found
            if request.is_watch:
                return self._watch(int(request.query["resourceVersion"]))
            if request.is_list:
                return self._page(request.query)
            thing = self.objects.get(request.path.rsplit("/", maxsplit=1)[-1])
            return Answer(body=thing) if thing else status(404, "NotFound", f"{request.path} not found")

    def _watch(self, since: int) -> Answer | queue.Queue[Action]:
        if since < self._oldest:
            return status(410, "Expired", f"too old resource version: {since} ({self._oldest})")
        opened: queue.Queue[Action] = queue.Queue()
        for version, event in self._history:
            if version > since:
                opened.put(event)
        self.watches.append(opened)
        return opened

    def _page(self, query: dict[str, str]) -> Answer:
        limit = self.page_at_most or int(query.get("limit", "0")) or 10_000
        given = query.get("continue")
        if given is None:
            version, things = self._version, list(self.objects.values())
        elif given in self._lists:
            version, things = self._lists[given]
        else:
            return status(410, "Expired", "The provided continue parameter is too old")
        metadata = {"resourceVersion": str(version)}
        if len(things) > limit:
            metadata["continue"] = f"c{len(self._lists)}-{version}"
            self._lists[metadata["continue"]] = (version, things[limit:])
        return Answer(body={"metadata": metadata, "items": things[:limit]})


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away in the middle are what is tested."""


class _Handler(LoopbackHandler):
    collection: CollectionServer
    protocol_version = "HTTP/1.1"

    def respond(self) -> None:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers=dict(self.headers.items()),
            body=self.body(),
            at=time.monotonic(),
        )
        answer = self.collection.answer(request)
        if isinstance(answer, Answer):
            self._whole(answer)
        else:
            self._stream(answer)

    def _whole(self, answer: Answer) -> None:
        if answer.cut:
            self._cut()
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            if not answer.seconds_per_byte:
                self.wfile.write(content)
                return
            for each in content:
                self.wfile.write(bytes([each]))
                time.sleep(answer.seconds_per_byte)
        except OSError:
            self.close_connection = True

    def _stream(self, actions: queue.Queue[Action]) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while (action := actions.get()) not in {"end", "cut"}:
                assert isinstance(action, bytes)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(action), action))
            if action == "end":
                self.wfile.write(b"0\r\n\r\n")
            else:
                self._cut()
        except OSError:
            self.close_connection = True
        finally:
            with self.collection._lock:
                self.collection.watches.remove(actions)

    def _cut(self) -> None:
        """Reset the connection: what a crash looks like."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RDWR)
