"""Answers for the logs of pretended pods, as kubelet would: the text is the pod's own annotation.

`testbed.moka.dev/log` is what the pod is said to have printed. A thread of this process serves it over TLS on loopback;
only a client with a certificate of the cluster's authority, as the API server has one, gets an answer.
"""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import httpx

from testbed import log_text
from testbed.kubernetes import ApiError

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.kubernetes import Client
    from testbed.pki import Pair

LOG_ANNOTATION: Final = "testbed.moka.dev/log"


class PodLogs:
    """The server; `port` is what a node names as its kubelet's."""

    def __init__(self, client: Client, *, certificate: Pair, authority: Path) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority))
        context.load_cert_chain(certificate.certificate, certificate.key)
        context.verify_mode = ssl.CERT_REQUIRED
        self._server = _Server(client, context)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="pod-logs")
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, client: Client, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        # the handshake is each connection's own business: one that hangs must not hold up the others
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.client = client

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        """/containerLogs/NAMESPACE/POD/CONTAINER, with kubelet's parameters."""
        address = urlsplit(self.path)
        match address.path.strip("/").split("/"):
            case ["containerLogs", namespace, pod, _container]:
                asked = {name: values[-1] for name, values in parse_qs(address.query).items()}
                self._answer(*self._log(namespace, pod, asked))
            case _:
                self._answer(404, b"the testbed's nodes serve /containerLogs only\n")

    def _log(self, namespace: str, pod: str, asked: dict[str, str]) -> tuple[int, bytes]:
        try:
            manifest = self.server.client.get("v1", "Pod", pod, namespace)
        except (ApiError, httpx.HTTPError) as error:
            return 500, f"{error}\n".encode()
        text = manifest["metadata"].get("annotations", {}).get(LOG_ANNOTATION, "")
        return 200, log_text.answer(text.encode(), asked)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class' name
        """Nobody reads it."""
