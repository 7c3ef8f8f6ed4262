"""An EKS cluster's front door: HTTPS on loopback that takes EKS tokens, and lets who has a good one into a real control plane.

On EKS an authenticator sends the presigned call in the token to STS. Here the signature is worked out anew from the one secret key
that is known, so a token for another cluster, of another key or an old one is refused like there (401).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import http.client
import ssl
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from testbed.loopback_server import JSON, LoopbackHandler, LoopbackServer

if TYPE_CHECKING:
    from testbed.control_plane import ControlPlane

PREFIX: Final = "k8s-aws-v1."
CLUSTER_HEADER: Final = "x-k8s-aws-id"
LIFE: Final = dt.timedelta(minutes=15)


class EksDoor(LoopbackServer):
    """The door of `plane` as EKS cluster `cluster`; a context that serves it."""

    def __init__(self, plane: ControlPlane, *, cluster: str, access_key: str, secret_key: str) -> None:
        self.plane = plane
        self.cluster = cluster
        self.access_key = access_key
        self.secret_key = secret_key
        self.deaf = 0
        """How many requests are refused first, as by a cluster that has not heard of an access entry yet."""
        ground = plane.ground
        self.ca = ground.authority.certificate.read_bytes()
        self._inside = ssl.create_default_context(cadata=self.ca.decode())
        self._inside.load_cert_chain(ground.identities["admin"].certificate, ground.identities["admin"].key)
        super().__init__(_handler(self))
        outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # the API server's own certificate, which is valid for loopback
        outside.load_cert_chain(ground.api_server.certificate, ground.api_server.key)
        self._server.socket = outside.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        """Address of the cluster."""
        return f"https://127.0.0.1:{self._server.server_port}"

    def admits(self, authorization: str) -> bool:
        """Whether the token is a good one for this cluster."""
        token = authorization.removeprefix(f"Bearer {PREFIX}")
        if self.deaf:
            self.deaf -= 1
            return False
        try:
            url = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
        except ValueError:
            return False
        query = dict(parse_qsl(url.query))
        return self._is_fresh(query) and hmac.compare_digest(
            query.get("X-Amz-Signature", ""), self._signature(url.netloc, query)
        )

    def _is_fresh(self, query: dict[str, str]) -> bool:
        try:
            signed = dt.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        except (KeyError, ValueError):
            return False
        known = query.get("X-Amz-Credential", "").startswith(f"{self.access_key}/")
        return known and query.get("Action") == "GetCallerIdentity" and dt.datetime.now(dt.UTC) - signed < LIFE

    def _signature(self, host: str, query: dict[str, str]) -> str:
        """Return the signature that AWS' version 4 gives to that question about this cluster."""
        rest = sorted((key, value) for key, value in query.items() if key != "X-Amz-Signature")
        line = "&".join(f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in rest)
        headers = f"host:{host}\n{CLUSTER_HEADER}:{self.cluster}\n"
        request = f"GET\n/\n{line}\n{headers}\nhost;{CLUSTER_HEADER}\n{hashlib.sha256(b'').hexdigest()}"
        _, *scope = query["X-Amz-Credential"].split("/")
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{'/'.join(scope)}\n{digest}"
        key = f"AWS4{self.secret_key}".encode()
        for part in (*scope, text):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key.hex()

    def forward(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, Any, bytes]:
        """Return the control plane's answer: status, headers, content."""
        place = urlsplit(self.plane.server)
        connection = http.client.HTTPSConnection(str(place.hostname), place.port, context=self._inside, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def _handler(door: EksDoor) -> type[LoopbackHandler]:
    class Handler(LoopbackHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.body() or None
            if not door.admits(self.headers.get("Authorization", "")):
                self.answer(401, b'{"kind": "Status", "reason": "Unauthorized", "message": "Unauthorized"}', JSON)
                return
            kept = {key: value for key, value in self.headers.items() if key in {"Accept", "Content-Type"}}
            try:
                status, headers, content = door.forward(self.command, self.path, body, kept)
            except OSError:
                self.close_connection = True
                return
            self.answer(status, content, headers.get("Content-Type", "text/plain"))

    return Handler
