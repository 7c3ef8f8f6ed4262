"""An HTTP server on loopback, for what stands in for somebody else's: how it starts, answers and stops."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON: Final = "application/json"


class LoopbackServer:
    """Listens from the start on; a context that answers with `handler`, and `kind` is how it treats connections."""

    def __init__(
        self, handler: type[BaseHTTPRequestHandler], kind: type[ThreadingHTTPServer] = ThreadingHTTPServer
    ) -> None:
        self._server = kind(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"


class LoopbackHandler(BaseHTTPRequestHandler, ABC):
    """`respond` answers every method; nothing is said about what was asked."""

    @abstractmethod
    def respond(self) -> None:
        """Answer the request."""

    def _any_method(self) -> None:
        self.respond()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any_method  # noqa: N815  # names that http.server asks for

    def body(self) -> bytes:
        """What came with the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, content: bytes, kind: str = "", headers: Mapping[str, str] | None = None) -> None:
        """A whole answer; `kind` is its Content-Type."""
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""
