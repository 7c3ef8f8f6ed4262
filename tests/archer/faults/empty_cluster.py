"""An API server that holds nothing and changes nothing: every list is empty, every watch is silent, nothing can be created."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

import yaml


class EmptyCluster:
    """A context that runs it on loopback."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self.watched: set[str] = set()
        """Namespaces that somebody has begun to watch."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                place = urlsplit(self.path)
                if "watch" in parse_qs(place.query):
                    cluster.watched.add(place.path.partition("/namespaces/")[2].partition("/")[0])
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.flush()
                    cluster._closing.wait(60)  # its own handler
                    return
                content: dict[str, Any] = {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}
                body = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: the test's output is its own."""

        return Handler


def write_kubeconfig(file: Path, **servers: str) -> Path:
    """A context for each cluster, with its address."""
    content = {
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
        "users": [{"name": "archer", "user": {"token": "t"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "archer"}} for name in servers],
    }
    file.write_text(yaml.safe_dump(content))
    return file
