"""The one call of EKS' API that finds a cluster, DescribeCluster, on loopback for the real SDK (AWS_ENDPOINT_URL_EKS)."""

from __future__ import annotations

import base64
import json
from typing import Any

from testbed.loopback_server import LoopbackHandler, LoopbackServer


def described(endpoint: str, ca: bytes) -> dict[str, Any]:
    """Return what EKS says of a cluster that is there."""
    authority = {"data": base64.b64encode(ca).decode()}
    return {"cluster": {"status": "ACTIVE", "endpoint": endpoint, "certificateAuthority": authority}}


class EksApi(LoopbackServer):
    """Answers this to whatever is asked; a context that serves it."""

    def __init__(self, answer: dict[str, Any], *, status: int = 200, error: str = "") -> None:
        self.paths: list[str] = []
        """What was asked for."""
        super().__init__(_handler(self, status, error, json.dumps(answer).encode()))


def _handler(api: EksApi, status: int, error: str, content: bytes) -> type[LoopbackHandler]:
    class Handler(LoopbackHandler):
        def respond(self) -> None:
            api.paths.append(self.path)
            self.answer(status, content, headers={"x-amzn-ErrorType": error})

    return Handler
