"""An API server that holds nothing and changes nothing: every list is empty, every watch is silent, nothing can be created."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

import yaml

from testbed.loopback_server import LoopbackHandler, LoopbackServer


class EmptyCluster(LoopbackServer):
    """A context that runs it on loopback."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self.watched: set[str] = set()
        """Namespaces that somebody has begun to watch."""
        super().__init__(self._handler())

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        super().__exit__()

    def _handler(self) -> type[LoopbackHandler]:
        cluster = self

        class Handler(LoopbackHandler):
            def respond(self) -> None:
                if self.command != "GET":
                    self.send_error(501)
                    return
                place = urlsplit(self.path)
                if "watch" in parse_qs(place.query):
                    cluster.watched.add(place.path.partition("/namespaces/")[2].partition("/")[0])
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.flush()
                    cluster._closing.wait(60)  # its own handler
                    return
                content: dict[str, Any] = {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}
                self.answer(200, json.dumps(content).encode())

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
