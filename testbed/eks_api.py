"""The one call of EKS' API that finds a cluster, DescribeCluster, on loopback for the real SDK (AWS_ENDPOINT_URL_EKS)."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


def described(endpoint: str, ca: bytes) -> dict[str, Any]:
    """Return what EKS says of a cluster that is there."""
    authority = {"data": base64.b64encode(ca).decode()}
    return {"cluster": {"status": "ACTIVE", "endpoint": endpoint, "certificateAuthority": authority}}


class EksApi:
    """Answers this to whatever is asked; a context that serves it."""

    def __init__(self, answer: dict[str, Any], *, status: int = 200, error: str = "") -> None:
        self.paths: list[str] = []
        """What was asked for."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, status, error, json.dumps(answer).encode()))
        self._server.daemon_threads = True
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
        return f"http://127.0.0.1:{self._server.server_port}"


def _handler(api: EksApi, status: int, error: str, content: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            api.paths.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("x-amzn-ErrorType", error)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
