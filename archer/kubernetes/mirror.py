"""The projections that a reflector keeps, and what changes when a list or an event comes in.

Of each object there is its uid and its projection, nothing else: 10,000 objects of 10 kB each are a few megabytes here.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import structlog

T = TypeVar("T")
Key = Callable[[Mapping[str, Any]], str]
OnChange = Callable[[str, T | None, T | None], None]

_log = structlog.get_logger()


def name_of(thing: Mapping[str, Any]) -> str:
    """The key within one namespace."""
    name: str = thing["metadata"]["name"]
    return name


def namespaced_name_of(thing: Mapping[str, Any]) -> str:
    """The key across namespaces: `namespace/name`."""
    metadata = thing["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"


class Mirror(Generic[T]):
    """Written by one thread, read by any.

    `on_change(key, before, after)` is called once the mirror shows `after`, and only when the two differ. An object that was
    replaced by another of its name is told as gone, then as new.
    """

    def __init__(
        self, name: str, *, project: Callable[[Mapping[str, Any]], T], key: Key, on_change: OnChange[T]
    ) -> None:
        self._name = name
        self._project = project
        self._key = key
        self._on_change = on_change
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, T]] = {}
        self._coming: dict[str, tuple[str, T]] = {}
        self._unreadable: set[str] = set()
        self.defects = 0
        """Objects that could not be projected and callbacks that failed."""

    def get(self, key: str) -> T | None:
        """The projection; None when there is no such object."""
        found = self._known.get(key)
        return None if found is None else found[1]

    def items(self) -> list[tuple[str, T]]:
        """All of them at this moment."""
        with self._lock:
            return [(key, projection) for key, (_, projection) in self._known.items()]

    def __len__(self) -> int:
        return len(self._known)

    def begin(self) -> None:
        """A list starts; what an unfinished one brought is void."""
        self._coming = {}
        self._unreadable = set()

    def take(self, things: Iterable[Mapping[str, Any]]) -> None:
        """A page of the list."""
        for thing in things:
            key = self._key(thing)
            made = self._projected(key, thing)
            if made is None:
                self._unreadable.add(key)
                continue
            old = self._known.get(key)
            # what didn't change is kept once
            self._coming[key] = old if old is not None and old == made else made

    def finish(self) -> None:
        """The list is complete: tell what differs from before."""
        before, after = self._known, self._coming
        for key in self._unreadable & before.keys():
            after[key] = before[key]
        with self._lock:
            self._known, self._coming = after, {}
        for key, old in before.items():
            if key not in after:
                self._tell(key, old[1], None)
        for key, new in after.items():
            found = before.get(key)
            if found is not new:
                self._differ(key, found, new)

    def put(self, thing: Mapping[str, Any]) -> None:
        """An object is new or changed."""
        key = self._key(thing)
        new = self._projected(key, thing)
        if new is None:
            return
        old = self._known.get(key)
        if old == new:
            return
        with self._lock:
            self._known[key] = new
        self._differ(key, old, new)

    def remove(self, thing: Mapping[str, Any]) -> None:
        """An object is gone; when its last state was never told, that is told first."""
        key = self._key(thing)
        old = self._known.get(key)
        if old is None:
            return
        last = self._projected(key, thing) or old
        if last != old and last[0] == old[0]:
            with self._lock:
                self._known[key] = last
            self._tell(key, old[1], last[1])
            old = last
        with self._lock:
            del self._known[key]
        self._tell(key, old[1], None)

    def _differ(self, key: str, old: tuple[str, T] | None, new: tuple[str, T]) -> None:
        if old is None:
            self._tell(key, None, new[1])
        elif old[0] != new[0]:
            self._tell(key, old[1], None)
            self._tell(key, None, new[1])
        elif old[1] != new[1]:
            self._tell(key, old[1], new[1])

    def _projected(self, key: str, thing: Mapping[str, Any]) -> tuple[str, T] | None:
        """One object that nobody understands must not stop the others; what was last understood of it stays."""
        try:
            return str(thing["metadata"].get("uid", "")), self._project(thing)
        except Exception:  # noqa: BLE001  # see above
            self.defects += 1
            _log.exception("object not understood", reflector=self._name, key=key)
            return None

    def _tell(self, key: str, before: T | None, after: T | None) -> None:
        try:
            self._on_change(key, before, after)
        except Exception:  # noqa: BLE001  # a defect of the listener must not end the listening
            self.defects += 1
            _log.exception("change not taken", reflector=self._name, key=key)
