"""A thin client of the Kubernetes API for thousands of small requests: JSON in and out, a connection per thread, watches.

The standard library alone, because the stand-in has one core for everything. Paths are built from `Resource`, bodies are
plain dicts, and an answer above 399 is an `ApiError` with the server's own reason and message.
"""

import http.client
import json
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from testbed import kubeconfig

Object = dict[str, Any]
"""One Kubernetes object as JSON."""

_IDLE_SECONDS: Final = 30.0
"""A connection that rested longer is not used again: the API server closes idle ones after 90 s."""


class ApiError(Exception):
    """The API server refused a request; one that did not answer is an OSError."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message or reason or str(status))
        self.status = status
        self.reason = reason
        """`AlreadyExists`, `Conflict`, `NotFound`, `Forbidden`, …; the server's own word."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A namespaced resource of the API."""

    group: str
    """Empty for the core group."""
    version: str
    plural: str

    def path(self, namespace: str, name: str | None = None, subresource: str | None = None) -> str:
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root, "namespaces", namespace, self.plural]
        return "/".join(part for part in (*parts, name, subresource) if part is not None)


PODS: Final = Resource(group="", version="v1", plural="pods")
SERVICES: Final = Resource(group="", version="v1", plural="services")
CONFIG_MAPS: Final = Resource(group="", version="v1", plural="configmaps")
EVENTS: Final = Resource(group="", version="v1", plural="events")
INGRESSES: Final = Resource(group="networking.k8s.io", version="v1", plural="ingresses")
LEASES: Final = Resource(group="coordination.k8s.io", version="v1", plural="leases")
APPLICATIONS: Final = Resource(group="sparkoperator.k8s.io", version="v1beta2", plural="sparkapplications")


class RateLimit:
    """A token bucket, as client-go has one before every request."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Take one token, and sleep until it is due."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second) - 1
            self._at = now
            due = max(0.0, -self._tokens / self._per_second)
        if due:
            time.sleep(due)


class Client:
    """Requests with one kubeconfig's current context; safe for any number of threads."""

    def __init__(self, file: Path, *, limit: RateLimit | None = None) -> None:
        context = yaml.safe_load(file.read_text())["current-context"]
        self._headers = {"Accept": "application/json", "User-Agent": "moka-testbed"}
        with tempfile.TemporaryDirectory() as scratch:
            access = kubeconfig.read(file, context, Path(scratch))
            self.address = urllib.parse.urlsplit(access.server)
            self._tls = access.tls() if self.address.scheme == "https" else None
        if access.token is not None:
            self._headers["Authorization"] = f"Bearer {access.token}"
        self._limit = limit
        self._local = threading.local()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Object:
        return self._request("GET", path, query=query)

    def create(self, path: str, body: Object) -> Object:
        return self._request("POST", path, body)

    def replace(self, path: str, body: Object) -> Object:
        return self._request("PUT", path, body)

    def delete(self, path: str, options: Object | None = None) -> Object:
        return self._request("DELETE", path, options)

    def merge(self, path: str, patch: Object) -> Object:
        """Apply a JSON merge patch."""
        return self._request("PATCH", path, patch, content_type="application/merge-patch+json")

    def watch(self, path: str, query: Mapping[str, str]) -> Iterator[tuple[str, Object]]:
        """Yield (type, object) until the server ends the watch; a connection of its own, closed with the generator."""
        connection = self._connect(timeout=None)
        try:
            target = f"{path}?{urllib.parse.urlencode({**query, 'watch': 'true'})}"
            connection.request("GET", target, headers=self._headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise _error(response.status, response.read())
            while line := response.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise ApiError(status.get("code", 500), status.get("reason", ""), status.get("message", ""))
                yield event["type"], event["object"]
        except http.client.HTTPException as error:
            raise ConnectionError(f"the watch broke: {error!r}") from error
        finally:
            connection.close()

    def _request(
        self,
        verb: str,
        path: str,
        body: Object | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        if self._limit is not None:
            self._limit.wait()
        target = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = self._headers if data is None else {**self._headers, "Content-Type": content_type}
        connection, used = self._connection()
        try:
            status, answer = _exchange(connection, verb, target, data, headers)
        except (http.client.RemoteDisconnected, ConnectionError):
            # the server may close a resting connection at any moment; a fresh one that fails is a real failure
            connection.close()
            if not used:
                raise
            status, answer = _exchange(connection, verb, target, data, headers)
        except http.client.HTTPException as error:
            connection.close()
            raise ConnectionError(f"the answer broke off: {error!r}") from error
        self._local.at = time.monotonic()
        if status >= 400:
            raise _error(status, answer)
        found: Object = json.loads(answer)
        return found

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """Return this thread's connection, and whether it was used before."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None and time.monotonic() - self._local.at < _IDLE_SECONDS:
            return connection, True
        if connection is not None:
            connection.close()
        self._local.connection = self._connect(timeout=60)
        self._local.at = time.monotonic()
        return self._local.connection, False

    def _connect(self, timeout: float | None) -> http.client.HTTPConnection:
        host, port = self.address.hostname or "", self.address.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=timeout)
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)


def _exchange(
    connection: http.client.HTTPConnection, verb: str, target: str, data: bytes | None, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    connection.request(verb, target, body=data, headers=headers)
    response = connection.getresponse()
    return response.status, response.read()


def _error(status: int, answer: bytes) -> ApiError:
    try:
        said = json.loads(answer)
    except ValueError:
        return ApiError(status, "", answer.decode(errors="replace").strip())
    return ApiError(status, said.get("reason", ""), said.get("message", ""))
