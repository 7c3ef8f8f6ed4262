"""CloudFormation's side of a custom resource: requests, and the address that answers are put to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self


class CloudFormation:
    """A server on loopback that keeps what is put to it."""

    stack = "arn:aws:cloudformation:us-east-1:123456789012:stack/moka-test-platform-c/1"

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.refuse = 0
        """How many answers are refused before one is taken."""
        side = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                assert self.headers["Content-Type"] == ""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if side.refuse:
                    side.refuse -= 1
                    self.send_error(503)
                    return
                side.bodies.append(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def event(self, kind: str, properties: dict[str, Any], identity: str | None = None) -> dict[str, Any]:
        """A request as CloudFormation sends it."""
        event = {
            "RequestType": kind,
            "ResponseURL": f"http://127.0.0.1:{self._server.server_port}/answer?signature=x",
            "StackId": self.stack,
            "RequestId": "r-1",
            "LogicalResourceId": "PlatformSet",
            "ResourceProperties": {"ClusterName": "moka-test-c", "Set": "platform", **properties},
        }
        return event if identity is None else {**event, "PhysicalResourceId": identity}
