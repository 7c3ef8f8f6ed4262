"""What the function meets of AWS, on loopback: S3 with bundles, ECR with images, and CloudFormation's address for answers."""

import json
from typing import Any

from testbed.loopback_server import LoopbackHandler, LoopbackServer


class AwsSide(LoopbackServer):
    """All three behind one port; a context that serves them."""

    stack = "arn:aws:cloudformation:us-east-1:123456789012:stack/moka-dev-platform-batch/1"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        """{bucket/key: content}."""
        self.images: set[str] = set()
        """repository:tag."""
        self.answers: list[dict[str, Any]] = []
        """What was put to CloudFormation."""
        super().__init__(_handler(self))

    def event(self, kind: str, properties: dict[str, Any], identity: str | None = None) -> dict[str, Any]:
        """A request as CloudFormation sends it."""
        event = {
            "RequestType": kind,
            "ResponseURL": f"{self.url}/answer?X-Amz-Signature=x",
            "StackId": self.stack,
            "RequestId": "r-1",
            "LogicalResourceId": "PlatformSet",
            "ResourceProperties": properties,
        }
        return event if identity is None else {**event, "PhysicalResourceId": identity}

    def described(self, wanted: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """ECR's answer to DescribeImages."""
        tag = wanted["imageIds"][0]["imageTag"]
        if f"{wanted['repositoryName']}:{tag}" in self.images:
            return 200, {"imageDetails": [{"imageTags": [tag]}]}
        return 400, {"__type": "ImageNotFoundException", "message": f"no image with tag {tag}"}


def _handler(side: AwsSide) -> type[LoopbackHandler]:
    class Handler(LoopbackHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            {"GET": self._give, "POST": self._describe, "PUT": self._take}[self.command]()

        def _give(self) -> None:
            content = side.objects.get(self.path.split("?")[0].removeprefix("/"))
            if content is None:
                missing = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
                self.answer(404, missing, "application/xml")
            else:
                self.answer(200, content, "application/zip")

        def _describe(self) -> None:
            assert self.headers["X-Amz-Target"].endswith(".DescribeImages")
            status, answer = side.described(json.loads(self.body()))
            self.answer(status, json.dumps(answer).encode(), "application/x-amz-json-1.1")

        def _take(self) -> None:
            assert self.headers["Content-Type"] == ""
            body = self.body()
            assert len(body) <= 4096
            side.answers.append(json.loads(body))
            self.answer(200, b"", "text/plain")

    return Handler
