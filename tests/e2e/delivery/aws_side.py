"""What the function meets of AWS, on loopback: S3 with bundles, ECR with images, and CloudFormation's address for answers."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class AwsSide:
    """All three behind one port; a context that serves them."""

    stack = "arn:aws:cloudformation:us-east-1:123456789012:stack/moka-dev-platform-batch/1"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        """{bucket/key: content}."""
        self.images: set[str] = set()
        """repository:tag."""
        self.answers: list[dict[str, Any]] = []
        """What was put to CloudFormation."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
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


def _handler(side: AwsSide) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content = side.objects.get(self.path.split("?")[0].removeprefix("/"))
            if content is None:
                missing = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"
                self._send(404, "application/xml", missing)
            else:
                self._send(200, "application/zip", content)

        def do_POST(self) -> None:
            assert self.headers["X-Amz-Target"].endswith(".DescribeImages")
            status, answer = side.described(json.loads(self._body()))
            self._send(status, "application/x-amz-json-1.1", json.dumps(answer).encode())

        def do_PUT(self) -> None:
            assert self.headers["Content-Type"] == ""
            body = self._body()
            assert len(body) <= 4096
            side.answers.append(json.loads(body))
            self._send(200, "text/plain", b"")

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers["Content-Length"]))

        def _send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
