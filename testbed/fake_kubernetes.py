"""Archer's API client without a server: objects by their path, and answers that a test puts in the way.

It refuses what the real one refuses (a name that is taken, a JSON patch whose test fails, a uid that is another's) and knows
nothing else of Kubernetes. `tests/e2e/archer` tries the same code on a real API server.
"""

import copy
import queue
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from archer.kubernetes.client import ApiClient, Page
from archer.kubernetes.errors import ApiError
from testbed import log_text

Manifest = dict[str, Any]


class FakeWatch:
    """What `ApiClient.watch` gives."""

    silent = False

    def __init__(self, selector: str) -> None:
        self.selector = selector
        self.events: queue.SimpleQueue[tuple[str, Manifest] | None] = queue.SimpleQueue()

    def __iter__(self) -> Iterator[tuple[str, Manifest]]:
        while (event := self.events.get()) is not None:
            yield event

    def close(self) -> None:
        self.events.put(None)


@dataclass
class FakeKubernetes:
    """The methods of `ApiClient` that the backend calls."""

    objects: dict[str, Manifest] = field(default_factory=dict)
    server: str = "http://fake"
    logs: dict[str, bytes] = field(default_factory=dict)
    """By the path of the pod's log."""
    log_times: log_text.Times = log_text.ten_a_second
    log_bytes: int = 0
    """Sent of logs so far."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of everything that was asked."""
    faults: dict[tuple[str, str], list[Exception]] = field(default_factory=dict)
    """Raised instead of an answer, one after the other, by method and path."""
    held: dict[str, threading.Event] = field(default_factory=dict)
    """Logs, by path, that are not answered before the event: their kubelet is silent."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _watches: dict[str, list["FakeWatch"]] = field(default_factory=dict)

    @property
    def client(self) -> ApiClient:
        """Itself, for whoever wants the real one."""
        return cast("ApiClient", self)

    def asked(self, method: str) -> list[str]:
        """The paths of all calls of that method."""
        return [path for each, path in self.calls if each == method]

    def get(self, path: str, **_query: Any) -> Manifest:
        self._called("GET", path)
        return copy.deepcopy(self._found(path))

    def create(self, path: str, body: Mapping[str, Any], **_query: Any) -> Manifest:
        self._called("POST", path)
        name = f"{path}/{body['metadata']['name']}"
        if name in self.objects:
            raise ApiError(409, "AlreadyExists", f"{name} already exists")
        made = copy.deepcopy(dict(body))
        made["metadata"].setdefault("uid", f"uid-{len(self.calls)}")
        self.objects[name] = made
        return copy.deepcopy(made)

    def patch(self, path: str, body: Any, *, kind: str = "merge", **_query: Any) -> Manifest:
        self._called("PATCH", path)
        found = self._found(path)
        if kind == "json":
            for step in body:
                self._step(found, step)
        else:
            _merge(found, body)
        return copy.deepcopy(found)

    def delete(self, path: str, *, preconditions_uid: str | None = None, **_options: Any) -> bool:
        self._called("DELETE", path)
        found = self.objects.get(path)
        if found is None or preconditions_uid not in {None, found["metadata"]["uid"]}:
            return False
        if found["metadata"].get("finalizers"):
            found["metadata"]["deletionTimestamp"] = "2026-11-23T12:05:00Z"
        else:
            del self.objects[path]
        return True

    def text(self, path: str, **query: Any) -> bytes:
        self._called("GET", path)
        if path in self.held:
            self.held[path].wait(30)
        if path not in self.logs:
            raise ApiError(404, "NotFound", f"{path} not found")
        said = log_text.answer(self.logs[path], query, self.log_times)
        self.log_bytes += len(said)
        return said

    def pages(self, path: str, **query: Any) -> Iterator[Page]:
        self._called("GET", path)
        selector = query.get("labelSelector") or ""
        items = [
            thing for key, thing in self.objects.items() if key.startswith(f"{path}/") and _selected(thing, selector)
        ]
        # two pages, so that nobody reads the first one alone
        yield Page(items[:1], "1", first=True)
        yield Page(items[1:], "1", first=False)

    def watch(self, path: str, **query: Any) -> "FakeWatch":
        """Open for ever, until it is closed or the test tells something."""
        self._called("WATCH", path)
        watch = FakeWatch(query.get("labelSelector") or "")
        with self._lock:
            self._watches.setdefault(path, []).append(watch)
        return watch

    def tell(self, kind: str, path: str, manifest: Manifest) -> None:
        """Tell all watches of a collection that an object was ADDED, MODIFIED or DELETED."""
        manifest = copy.deepcopy(manifest)
        manifest["metadata"].setdefault("resourceVersion", "2")
        with self._lock:
            watches = list(self._watches.get(path, ()))
        for watch in (each for each in watches if _selected(manifest, each.selector)):
            watch.events.put((kind, manifest))

    def close(self) -> None:
        """Nothing to close."""

    def _called(self, method: str, path: str) -> None:
        with self._lock:
            self.calls.append((method, path))
            if self.faults.get((method, path)):
                raise self.faults[method, path].pop(0)

    def _found(self, path: str) -> Manifest:
        if path not in self.objects:
            raise ApiError(404, "NotFound", f"{path} not found")
        return self.objects[path]

    @staticmethod
    def _step(thing: Manifest, step: Mapping[str, Any]) -> None:
        *parents, last = step["path"].strip("/").split("/")
        place: Any = thing
        for part in parents:
            place = place[part]
        key: Any = int(last) if isinstance(place, list) else last
        there = key < len(place) if isinstance(place, list) else key in place
        if not there or (step["op"] == "test" and place[key] != step["value"]):
            raise ApiError(422, "Invalid", "the server rejected our request due to an error in our request")
        if step["op"] == "remove":
            del place[key]


def _selected(thing: Manifest, selector: str) -> bool:
    """`key` and `key=value`, separated by commas."""
    labels = thing["metadata"].get("labels") or {}
    terms = [term.partition("=") for term in selector.split(",") if term]
    return all(key in labels and (not equals or labels[key] == value) for key, equals, value in terms)


def _merge(into: Manifest, body: Mapping[str, Any]) -> None:
    for key, value in body.items():
        if isinstance(value, Mapping):
            _merge(into.setdefault(key, {}), value)
        elif value is None:
            into.pop(key, None)
        else:
            into[key] = value
