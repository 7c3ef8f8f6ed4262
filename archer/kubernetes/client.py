"""A client of one API server: paths in, JSON out, errors told apart. No discovery, no cache, no hidden repetition of writes.

    client = ApiClient(Access.from_kubeconfig(file))
    client.get("/api/v1/namespaces/spark-ads/pods/driver")
    client.create("/api/v1/namespaces/spark-ads/configmaps", {"metadata": {"name": "settings"}, …})
    for page in client.pages("/api/v1/namespaces/spark-ads/pods", labelSelector="spark-role=driver"): …

Query parameters are the API's own words: `labelSelector`, `fieldManager`, `dryRun`, `tailLines`, …
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self
from urllib.parse import urlencode

import orjson
from urllib3.exceptions import HTTPError

from archer.kubernetes.access import Access
from archer.kubernetes.connections import Connections
from archer.kubernetes.errors import ApiError, ClusterUnreachableError
from archer.kubernetes.watch import Watch, WatchEvent

__all__ = ["ApiClient", "Page", "PatchKind", "Watch", "WatchEvent"]

PatchKind = Literal["merge", "json", "strategic", "apply"]
Propagation = Literal["Background", "Foreground", "Orphan"]
Query = str | int | bool | None
"""A query parameter's value; None leaves it out."""

_PATCH_TYPES: Final[Mapping[PatchKind, str]] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",  # JSON is YAML
}
_RESTARTS: Final = 3
"""How often a list may start again because its pages expired."""
SILENCE_SECONDS: Final = 90.0
"""A server sends a bookmark about once a minute: a watch that is silent for longer is dead."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects of a list."""

    items: list[dict[str, Any]]
    resource_version: str
    """The same on all pages of a list: where a watch may start."""
    first: bool
    """A list starts here: what pages before it brought is void."""


class ApiClient:
    """One identity at one API server. Safe to use from many threads."""

    def __init__(
        self,
        access: Access | Callable[[], Access],
        *,
        timeout_seconds: float = 30,
        pool_size: int = 16,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """Make no connection yet; each call takes at most about `timeout_seconds`, and `pool_size` may be under way.

        `access` may be a function: it is called with the first request, and again while it raises ClusterUnreachableError, so
        that a cluster that is away keeps no server from starting.
        """
        self._find: Callable[[], Access] = access if callable(access) else lambda: access
        self._found: tuple[Access, Connections] | None = None
        self._timeout_seconds = timeout_seconds
        self._pool_size = pool_size
        self._silence = silence_seconds
        self._lock = threading.Lock()
        self._finding = threading.Lock()
        self._open: set[Watch] = set()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def server(self) -> str:
        """Its address."""
        return self._access.server

    def get(self, path: str, **query: Query) -> dict[str, Any]:
        """One object, or whatever JSON the path has. Raises ApiError, ClusterUnreachableError, as all calls do."""
        return self._object(self._send("GET", path, query))

    def create(self, path: str, body: Mapping[str, Any], **query: Query) -> dict[str, Any]:
        """POST to a collection, or to a subresource like `eviction`. `ApiError.already_exists` when the name is taken."""
        return self._object(self._send("POST", path, query, orjson.dumps(body)))

    def patch(self, path: str, body: Any, *, kind: PatchKind = "merge", **query: Query) -> dict[str, Any]:
        """PATCH an object or its subresource; `apply` wants a `fieldManager`."""
        return self._object(self._send("PATCH", path, query, orjson.dumps(body), _PATCH_TYPES[kind]))

    def delete(
        self,
        path: str,
        *,
        preconditions_uid: str | None = None,
        propagation: Propagation | None = None,
        grace_seconds: int | None = None,
    ) -> bool:
        """Ask for the end of an object; False when it is gone already, also when another one has its name by now."""
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if preconditions_uid is not None:
            options["preconditions"] = {"uid": preconditions_uid}
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            self._send("DELETE", path, {}, orjson.dumps(options))
        except ApiError as error:
            another = (
                preconditions_uid is not None and error.status == 409 and "UID in the precondition" in error.message
            )
            if error.not_found or another:
                return False
            raise
        return True

    def text(self, path: str, **query: Query) -> bytes:
        """Bytes as they are, like a pod's log; bound them by `limitBytes` or `tailLines`."""
        return self._send("GET", path, query, accept="*/*")

    def pages(self, path: str, *, limit: int = 500, **query: Query) -> Iterator[Page]:
        """All objects of a collection as of one moment, page by page.

        When that moment is too old for the server before the last page, the list begins again: with a page that is `first`.
        """
        following, restarts = "", 0
        while True:
            try:
                found = self.get(path, **{**query, "limit": limit, "continue": following or None})
            except ApiError as error:
                if not error.expired or not following or restarts == _RESTARTS:
                    raise
                restarts += 1
                following = ""
                continue
            metadata = found.get("metadata") or {}
            yield Page(found.get("items") or [], str(metadata.get("resourceVersion") or ""), first=not following)
            following = str(metadata.get("continue") or "")
            if not following:
                return

    def watch(self, path: str, *, resource_version: str, timeout_seconds: int, **query: Query) -> Watch:
        """Open a watch from just after `resource_version`, bookmarks included; the server ends it after `timeout_seconds`.

        Raises ApiError when it is refused; its iteration raises ApiError for an ERROR event (410: list again).
        """
        given: dict[str, Query] = {
            **query,
            "watch": True,
            "allowWatchBookmarks": True,
            "resourceVersion": resource_version,
            "timeoutSeconds": timeout_seconds,
        }
        target = _target(path, given)
        for refused in (False, True):
            headers = self._headers("application/json", refused=refused)
            answer = self._connections.open(target, headers=headers, silence_seconds=self._silence)
            if answer.status == 200:
                break
            try:
                content = answer.read()
            except (HTTPError, OSError):
                content = b""
            finally:
                answer.close()
            if answer.status != 401 or refused or self._access.credentials is None:
                raise self._error(answer.status, answer.headers, content)
        watch = Watch(answer, self.server, self._forget)
        with self._lock:
            self._open.add(watch)
            closed = self._closed
        if closed:
            watch.close()
        return watch

    def close(self) -> None:
        """End open watches and close the connections. The client can't be used afterwards."""
        with self._lock:
            self._closed = True
            watches = list(self._open)
        for watch in watches:
            watch.close()
        if self._found is not None:
            self._found[1].close()

    def _reach(self) -> tuple[Access, Connections]:
        """Where the server is, and connections to it. Raises ClusterUnreachableError."""
        if self._found is None:
            with self._finding:
                if self._found is None:
                    access = self._find()
                    connections = Connections(access, timeout_seconds=self._timeout_seconds, pool_size=self._pool_size)
                    self._found = access, connections
        return self._found

    @property
    def _access(self) -> Access:
        return self._reach()[0]

    @property
    def _connections(self) -> Connections:
        return self._reach()[1]

    def _forget(self, watch: Watch) -> None:
        with self._lock:
            self._open.discard(watch)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Query],
        body: bytes | None = None,
        content_type: str = "application/json",
        *,
        accept: str = "application/json",
    ) -> bytes:
        if self._closed:
            raise ClusterUnreachableError(f"the client of {self.server} is closed; make a new one")
        target = _target(path, query)
        for refused in (False, True):
            headers = self._headers(accept, refused=refused)
            if body is not None:
                headers["Content-Type"] = content_type
            status, answered, content = self._connections.call(method, target, headers=headers, body=body)
            if 200 <= status < 300:
                return content
            # nobody was let in, so nothing was done: a write may be sent again too
            if status != 401 or self._access.credentials is None:
                break
        raise self._error(status, answered, content)

    def _headers(self, accept: str, *, refused: bool) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": "moka-archer"}
        if self._access.credentials is not None:
            headers["Authorization"] = f"Bearer {self._access.credentials.token(refused=refused)}"
        return headers

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            found = orjson.loads(content)
        except ValueError as error:
            raise ClusterUnreachableError(
                f"{self.server} answers with something else than JSON: {content[:200]!r}"
            ) from error
        if not isinstance(found, dict):
            raise ClusterUnreachableError(f"{self.server} answers with no object: {content[:200]!r}")
        return found

    def _error(self, status: int, headers: Mapping[str, str], content: bytes) -> ApiError:
        try:
            told = orjson.loads(content)
        except ValueError:
            told = {}
        if not isinstance(told, dict):
            told = {}
        words = content[:500].decode(errors="replace")
        return ApiError.of(status, told, server=self.server, words=words, retry_after=headers.get("Retry-After"))


def _target(path: str, query: Mapping[str, Query]) -> str:
    given = {
        key: str(value).lower() if isinstance(value, bool) else value
        for key, value in query.items()
        if value is not None
    }
    return f"{path}?{urlencode(given)}" if given else path
