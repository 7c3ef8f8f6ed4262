"""A bad road between Archer and an API server: plain HTTP on loopback, passed on with the identity that it was given.

It cuts watches, answers in the API server's place (429 with Retry-After, 500), loses answers, and holds the answer of a create
until it is told to let go, so that whoever asked can be killed between a create and its commit. Nothing is answered from memory.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import ssl
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from testbed.loopback_server import JSON, LoopbackHandler, LoopbackServer

if TYPE_CHECKING:
    from testbed.control_plane import ControlPlane
    from testbed.pki import Pair

_NOT_PASSED_ON: Final = frozenset({"host", "connection", "authorization", "content-length", "transfer-encoding"})
_CREATED: Final = 201
_HELD_SECONDS: Final = 30.0
_REASONS: Final = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}


@dataclass(frozen=True, kw_only=True)
class Storm:
    """What becomes of a share of the requests."""

    status: int
    """Answered in the API server's place; 0: it does what was asked, and its answer is lost."""
    share: float
    retry_after: int | None = None


class FaultProxy(LoopbackServer):
    """In front of the API server at `server`; a context that serves it."""

    def __init__(self, server: str, tls: ssl.SSLContext | None = None) -> None:
        """`tls` holds the identity that requests are passed on with; None for plain http."""
        self._place = urlsplit(server)
        self._tls = tls
        self.storm: Storm | None = None
        self.counts: Counter[str] = Counter()
        """Requests passed on, and what was done to others."""
        self._lock = threading.Lock()
        self._watches: set[socket.socket] = set()
        self._hold = False
        self.held = threading.Event()
        """Set while the answer of a create is held: the object exists, and nobody has heard of it."""
        self._let_go = threading.Event()
        super().__init__(type("_Handler", (_Handler,), {"proxy": self}), _Server)

    def __exit__(self, *_: object) -> None:
        self.let_go()
        super().__exit__()
        self.cut_watches()

    @classmethod
    def before(cls, plane: ControlPlane, pair: Pair) -> Self:
        """In front of `plane`, for whoever `pair` is."""
        tls = ssl.create_default_context(cafile=str(plane.ground.authority.certificate))
        tls.load_cert_chain(pair.certificate, pair.key)
        return cls(plane.server, tls)

    # what tests do

    def cut_watches(self) -> int:
        """Break every watch off in the middle, without a word; how many there were."""
        with self._lock:
            watches, self._watches = self._watches, set()
        for each in watches:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        return len(watches)

    def hold_next_create(self) -> None:
        """The next answer that says an application was created is held until `let_go`; `held` tells when."""
        self._let_go.clear()
        self.held.clear()
        with self._lock:
            self._hold = True

    def let_go(self) -> None:
        with self._lock:
            self._hold = False
        self._let_go.set()

    # what the handlers ask

    def connection(self) -> http.client.HTTPConnection:
        host, port = str(self._place.hostname), self._place.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=60)
        return http.client.HTTPSConnection(host, port, context=self._tls, timeout=60)

    def counted(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def watching(self, client: socket.socket) -> None:
        with self._lock:
            self._watches.add(client)

    def watched(self, client: socket.socket) -> None:
        with self._lock:
            self._watches.discard(client)

    def must_hold(self) -> bool:
        """Whether this create's answer is the one to hold; only one is told so."""
        with self._lock:
            hold, self._hold = self._hold, False
        return hold

    def wait_to_let_go(self) -> None:
        self.counted("held")
        self.held.set()
        self._let_go.wait(_HELD_SECONDS)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is what this program is for."""


class _Handler(LoopbackHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: FaultProxy

    def setup(self) -> None:
        super().setup()
        self.upstream = self.proxy.connection()

    def finish(self) -> None:
        self.upstream.close()
        self.proxy.watched(self.connection)
        with suppress(OSError):
            super().finish()

    def respond(self) -> None:
        body = self.body() or None
        storm = self.proxy.storm
        hit = storm is not None and random.random() < storm.share  # noqa: S311  # no secret
        if hit and storm is not None and storm.status:
            self._instead(storm)
            return
        passed = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
        try:
            self.upstream.request(self.command, self.path, body=body, headers=passed)
            answer = self.upstream.getresponse()
            self.proxy.counted("passed on")
            self._answer(answer, lost=hit)
        except (OSError, http.client.HTTPException):
            # as seen from outside: the server went away
            self.proxy.counted("broken")
            self.close_connection = True
            self.upstream.close()

    def _answer(self, answer: http.client.HTTPResponse, *, lost: bool) -> None:
        if "watch=" in self.path:
            self._watch(answer)
            return
        content = answer.read()
        if lost:
            self.proxy.counted("answer lost")
            self.close_connection = True
            return
        created = self.command == "POST" and answer.status == _CREATED and "/sparkapplications" in self.path
        if created and self.proxy.must_hold():
            self.proxy.wait_to_let_go()
        self._head(answer)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _watch(self, answer: http.client.HTTPResponse) -> None:
        self._head(answer)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.proxy.watching(self.connection)
        while data := answer.read1(65_536):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")
        self.proxy.watched(self.connection)

    def _head(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _NOT_PASSED_ON | {"date", "server"}:
                self.send_header(name, value)

    def _instead(self, storm: Storm) -> None:
        self.proxy.counted(f"answered {storm.status}")
        reason = _REASONS.get(storm.status, "")
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": storm.status}
        content = json.dumps({**status, "reason": reason, "message": "a storm of the testbed"}).encode()
        pause = {} if storm.retry_after is None else {"Retry-After": str(storm.retry_after)}
        self.answer(storm.status, content, JSON, pause)
