"""Caches of the API server's objects, kept by list and watch: the only place that the operator reads from.

That is the cause of its best-known fault, and kept here: what the cache has not got does not exist, however true it is on
the server. One `Informer` per namespace and resource; a `Cache` starts those of a resource when somebody first asks for
it, and that first call waits without a deadline, which parks a worker for ever when list or watch is forbidden.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Final

from testbed.spark_operator.kube import ApiError, Client, Object, Resource

Handler = Callable[[Object | None, Object | None], None]
"""Called with (before, after): None before means added, None after means deleted."""

_LOG = logging.getLogger("informer")
_PAGE: Final = "500"
_WATCH_SECONDS: Final = "300"


class Informer(threading.Thread):
    """One namespace's objects of one resource."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespace: str,
        *,
        selector: str = "",
        index: str | None = None,
        handlers: Iterable[Handler] = (),
    ) -> None:
        super().__init__(name=f"informer-{namespace}-{resource.plural}", daemon=True)
        self._client = client
        self._resource = resource
        self._path = resource.path(namespace)
        self._query = {"labelSelector": selector} if selector else {}
        self._handlers = tuple(handlers)
        self._objects: dict[str, Object] = {}
        self._index_label = index
        self._index: dict[str, dict[str, Object]] = {}
        self._stop_asked = threading.Event()
        self.synced = threading.Event()

    def get(self, name: str) -> Object | None:
        return self._objects.get(name)

    def all(self) -> list[Object]:
        return list(self._objects.values())

    def indexed(self, value: str) -> list[Object]:
        """Return the objects whose index label has that value."""
        return list(self._index.get(value, {}).values())

    def stop(self) -> None:
        self._stop_asked.set()

    def run(self) -> None:
        """List and watch until told to stop; every failure is logged and tried again, each time a little later."""
        pause = 0.2
        while not self._stop_asked.is_set():
            try:
                version = self._list()
                self.synced.set()
                pause = 0.2
                while not self._stop_asked.is_set():
                    version = self._watch(version)
            except ApiError as error:
                if error.status != 410:  # too old a version is no fault: list again
                    _LOG.error("failed to list and watch %s: %s", self._resource.plural, error)
            except (OSError, ValueError) as error:
                _LOG.warning("lost the watch of %s: %s", self._resource.plural, error)
            self._stop_asked.wait(pause)
            pause = min(pause * 2, 30.0)

    def _list(self) -> str:
        """Replace the cache by what the server has, and tell the handlers each difference."""
        found: dict[str, Object] = {}
        query = {**self._query, "limit": _PAGE}
        while True:
            page = self._client.get(self._path, query)
            found.update((item["metadata"]["name"], item) for item in page["items"])
            if not page["metadata"].get("continue"):
                break
            query["continue"] = page["metadata"]["continue"]
        for name in [name for name in self._objects if name not in found]:
            self._apply("DELETED", self._objects[name])
        for item in found.values():
            self._apply("MODIFIED", item)
        version: str = page["metadata"]["resourceVersion"]
        return version

    def _watch(self, version: str) -> str:
        query = {
            **self._query,
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": _WATCH_SECONDS,
        }
        for kind, item in self._client.watch(self._path, query):
            version = item["metadata"]["resourceVersion"]
            if kind != "BOOKMARK":
                self._apply(kind, item)
        return version

    def _apply(self, kind: str, item: Object) -> None:
        name = item["metadata"]["name"]
        before = self._objects.get(name)
        if kind == "DELETED":
            self._objects.pop(name, None)
            self._keep_index(item, present=False)
            self._tell(item, None)
            return
        if before is not None and before["metadata"]["resourceVersion"] == item["metadata"]["resourceVersion"]:
            return
        self._objects[name] = item
        self._keep_index(item, present=True)
        if before is not None and before["metadata"]["uid"] != item["metadata"]["uid"]:
            self._tell(before, None)
            before = None
        self._tell(before, item)

    def _keep_index(self, item: Object, *, present: bool) -> None:
        """Keep the index in step; an object's index label never changes here."""
        metadata = item["metadata"]
        value = metadata.get("labels", {}).get(self._index_label)
        if value is None:
            return
        if present:
            self._index.setdefault(value, {})[metadata["name"]] = item
        elif value in self._index:
            self._index[value].pop(metadata["name"], None)
            if not self._index[value]:
                del self._index[value]

    def _tell(self, before: Object | None, after: Object | None) -> None:
        for handler in self._handlers:
            try:
                handler(before, after)
            except Exception:  # noqa: BLE001 - logged with its stack; one bad object must not end the watch
                _LOG.exception("a handler of %s failed", self._resource.plural)


class Cache:
    """Informers of one resource in several namespaces, started by the first read."""

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespaces: Iterable[str],
        *,
        selector: str = "",
        index: str | None = None,
    ) -> None:
        self._client = client
        self._resource = resource
        self._namespaces = tuple(namespaces)
        self._selector = selector
        self._index = index
        self._handlers: list[Handler] = []
        self._informers: dict[str, Informer] = {}
        self._lock = threading.Lock()

    def on_change(self, handler: Handler) -> None:
        """Call `handler` for each change; to be said before `start`."""
        self._handlers.append(handler)

    def start(self) -> None:
        """Start the informers, if nobody did yet, and return at once."""
        with self._lock:
            if not self._informers:
                for namespace in self._namespaces:
                    self._informers[namespace] = Informer(
                        self._client,
                        self._resource,
                        namespace,
                        selector=self._selector,
                        index=self._index,
                        handlers=self._handlers,
                    )
                for informer in self._informers.values():
                    informer.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until every namespace was listed once; False when the time is over."""
        return all(informer.synced.wait(seconds) for informer in self._informers.values())

    def get(self, namespace: str, name: str) -> Object | None:
        return self._synced(namespace).get(name)

    def indexed(self, namespace: str, value: str) -> list[Object]:
        """Return the namespace's objects whose index label has that value."""
        return self._synced(namespace).indexed(value)

    def _synced(self, namespace: str) -> Informer:
        if not self._informers:
            self.start()
        informer = self._informers[namespace]
        informer.synced.wait()
        return informer
