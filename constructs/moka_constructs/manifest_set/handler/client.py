"""Talks to an API server over HTTPS: connections that are kept and shared by threads, and patience with what passes by itself.

Every request that is sent here may be sent twice: applies, deletes with a precondition, reads.
"""

import http.client
import json
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .deadline import Deadline
from .errors import UnreachableError

JSON: Final = "application/json"
APPLY: Final = "application/apply-patch+yaml"
"""JSON is YAML; this content type makes a PATCH a server-side apply."""
MERGE: Final = "application/merge-patch+json"
METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

REQUEST_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 20.0
"""How long a request is repeated that failed for a reason that usually passes: a webhook that starts, an etcd election."""
PASSING: Final = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Cause:
    """One reason of an API server's refusal."""

    field: str
    message: str
    reason: str


class ApiError(Exception):
    """The API server refused a request."""

    def __init__(self, status: int, reason: str, message: str, causes: tuple[Cause, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.causes = causes


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where an API server is and how to be let in."""

    url: str
    """https://host[:port][/prefix]; plain http for a proxy on loopback."""
    ca: str | None = None
    """CA certificates, PEM; the system's when there are none."""
    token: Callable[[bool], str] | None = None
    """Gives the bearer token; called with True when the last one was refused."""
    certificate_files: tuple[str, str] | None = None
    """Client certificate and its key."""
    server_name: str | None = None
    """Name in the server's certificate when it is not the host's."""
    check_certificate: bool = True


@dataclass(kw_only=True)
class Client:
    """Sends requests until the deadline."""

    server: Server
    deadline: Deadline
    _idle: list[http.client.HTTPConnection] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _context: ssl.SSLContext | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Read the address and the certificates once."""
        parts = urllib.parse.urlsplit(self.server.url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._prefix = parts.path.rstrip("/")
        if parts.scheme != "http":
            self._context = ssl.create_default_context(cadata=self.server.ca)
            if self.server.certificate_files is not None:
                self._context.load_cert_chain(*self.server.certificate_files)
            if not self.server.check_certificate:
                self._context.check_hostname = False
                self._context.verify_mode = ssl.CERT_NONE

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> dict[str, Any]:
        """Return the answer's JSON. Raises ApiError for a refusal, UnreachableError, OutOfTimeError."""
        return self.exchange(method, path, query=query, body=body, content_type=content_type, accept=accept)[1]

    def exchange(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> tuple[int, dict[str, Any]]:
        """Return the answer's status and JSON, as `request` does."""
        target = self._prefix + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        content = None if body is None else json.dumps(body).encode()
        headers = {"Accept": f"{accept}, {JSON}" if accept != JSON else JSON, "User-Agent": "moka"}
        if content is not None:
            headers["Content-Type"] = content_type
        started, pause, renewed = time.monotonic(), 0.0, False
        while True:
            problem: Exception
            try:
                status, answer, wait = self._send(method, target, content, headers, renew=renewed)
            except (OSError, http.client.HTTPException) as error:
                if _is_final(error):
                    unknown = isinstance(error, socket.gaierror)
                    raise UnreachableError(f"{self.server.url} cannot be reached: {error}", unknown=unknown) from error
                problem, wait = UnreachableError(f"{self.server.url} does not answer: {error!r}"), pause
            else:
                if status < 400:
                    return status, answer
                problem = _refusal(status, answer)
                if status == 401 and self.server.token is not None and not renewed:
                    renewed = True
                    continue
                if status not in PASSING:
                    raise problem
            pause = min(3.0, pause * 2 or 0.2)
            if time.monotonic() - started + max(wait, pause) > PATIENCE_SECONDS:
                raise problem
            self.deadline.sleep(wait or pause)

    def _send(
        self, method: str, target: str, content: bytes | None, headers: Mapping[str, str], *, renew: bool
    ) -> tuple[int, dict[str, Any], float]:
        """Return status, JSON and the seconds that the server asks to wait."""
        timeout = min(REQUEST_SECONDS, self.deadline.remaining())
        given = dict(headers)
        if self.server.token is not None:
            given["Authorization"] = f"Bearer {self.server.token(renew)}"
        connection = self._connection(timeout)
        try:
            connection.request(method, target, body=content, headers=given)
            response = connection.getresponse()
            text = response.read()
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append(connection)
        try:
            answer = json.loads(text) if text else {}
        except ValueError:
            answer = {"message": text[:500].decode(errors="replace").strip()}
        wait = response.getheader("Retry-After", "")
        return response.status, answer, float(wait) if wait.isdecimal() else 0.0

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        """Return a connection that nobody uses, or a new one."""
        with self._lock:
            found = self._idle.pop() if self._idle else None
        # the server may have asked to close it with its last answer
        if found is None or found.sock is None:
            if self._context is None:
                found = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
            else:
                found = _Tls(self._host, self._port, self._context, timeout, self.server.server_name)
            found.connect()
            # small requests one after another: without this each waits for the acknowledgement of the one before
            found.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.sock.settimeout(timeout)
        return found

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()


class _Tls(http.client.HTTPSConnection):
    """A connection that may expect another name in the certificate than the one it called."""

    def __init__(
        self, host: str, port: int | None, context: ssl.SSLContext, timeout: float, server_name: str | None
    ) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._moka_context = context
        self._moka_server_name = server_name or host

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._moka_context.wrap_socket(self.sock, server_hostname=self._moka_server_name)


def _is_final(error: Exception) -> bool:
    """Whether there is no point in trying again: no such host, a certificate of somebody else."""
    unknown = isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME
    return unknown or isinstance(error, ssl.SSLCertVerificationError)


def _refusal(status: int, answer: Mapping[str, Any]) -> ApiError:
    details = answer.get("details") or {}
    causes = tuple(
        Cause(str(each.get("field", "")), str(each.get("message", "")), str(each.get("reason", "")))
        for each in details.get("causes") or ()
    )
    message = str(answer.get("message") or http.client.responses.get(status, "refused"))
    return ApiError(status, str(answer.get("reason", "")), message, causes)
