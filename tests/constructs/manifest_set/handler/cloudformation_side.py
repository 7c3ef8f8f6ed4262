"""CloudFormation's side of a custom resource: requests, and the address that answers are put to."""

import json
from typing import Any

from testbed.loopback_server import LoopbackHandler, LoopbackServer


class CloudFormation(LoopbackServer):
    """A server on loopback that keeps what is put to it."""

    stack = "arn:aws:cloudformation:us-east-1:123456789012:stack/moka-test-platform-c/1"

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.refuse = 0
        """How many answers are refused before one is taken."""
        side = self

        class Handler(LoopbackHandler):
            def respond(self) -> None:
                assert self.command == "PUT"
                assert self.headers["Content-Type"] == ""
                body = self.body()
                if side.refuse:
                    side.refuse -= 1
                    self.send_error(503)
                    return
                side.bodies.append(body)
                self.send_response(200)
                self.end_headers()

        super().__init__(Handler)

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def event(self, kind: str, properties: dict[str, Any], identity: str | None = None) -> dict[str, Any]:
        """A request as CloudFormation sends it."""
        event = {
            "RequestType": kind,
            "ResponseURL": f"{self.url}/answer?signature=x",
            "StackId": self.stack,
            "RequestId": "r-1",
            "LogicalResourceId": "PlatformSet",
            "ResourceProperties": {"ClusterName": "moka-test-c", "Set": "platform", **properties},
        }
        return event if identity is None else {**event, "PhysicalResourceId": identity}
