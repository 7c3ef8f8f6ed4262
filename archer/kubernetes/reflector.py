"""Keeps the few facts that matter of every object of a collection, as true as the API server's own.

LIST in pages, then WATCH from there with bookmarks. A watch that ends is taken up where it was; when the history that it needs
is gone, LIST again and tell exactly what differs, deletions included. One thread; never faster than its `Pace`.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic

import structlog

from archer.kubernetes.client import ApiClient
from archer.kubernetes.errors import ApiError, ClusterUnreachableError
from archer.kubernetes.figures import Figures, Hooks
from archer.kubernetes.mirror import Key, Mirror, T, name_of, namespaced_name_of
from archer.kubernetes.pace import Pace, Pacer
from archer.kubernetes.watch import Watch

__all__ = ["Figures", "Hooks", "Pace", "Reflector", "name_of", "namespaced_name_of"]

_WATCH_SECONDS: Final = (300, 600)
"""A random length, so that watches which began together don't end together."""
_SHORT_SECONDS: Final = 1.0
"""A watch that ends sooner and brought nothing is a failure too."""
_JOIN_SECONDS: Final = 5.0
_KEEPS_ITS_PLACE: Final = frozenset({401, 403, 408, 429})
"""Refusals that say nothing about where a watch may start; after any other of 4xx the list is made again."""

_log = structlog.get_logger()


class Reflector(Generic[T]):
    """The present projections of a collection's objects; T should compare by value. Safe to use from many threads."""

    def __init__(
        self,
        client: ApiClient,
        path: str,
        *,
        project: Callable[[Mapping[str, Any]], T],
        on_change: Callable[[str, T | None, T | None], None],
        name: str,
        label_selector: str | None = None,
        key: Key = name_of,
        pace: Pace | None = None,
        hooks: Hooks | None = None,
        page_size: int = 500,
    ) -> None:
        """Do nothing before `start`.

        `project` takes what matters out of an object and must not keep the object. `on_change(key, before, after)` is called in
        the reflector's thread for whatever differs: None before what is new, None after what is gone.
        """
        self.name = name
        self._client = client
        self._path = path
        self._query = {"labelSelector": label_selector}
        self._mirror = Mirror(name, project=project, key=key, on_change=on_change)
        self._pace = pace or Pace()
        self._pacer = Pacer(self._pace)
        self._hooks = hooks or Hooks()
        self._page_size = page_size
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"reflector-{name}", daemon=True)
        self._watch: Watch | None = None
        self._version: str | None = None
        """Where the next watch starts; None: list first."""
        self._why = "start"
        self._listed = False
        self._last_true = self._last_event = time.monotonic()
        self._error: str | None = None
        self._lists = self._events = self._bookmarks = self._failures = 0

    def start(self) -> None:
        """Begin. A second time changes nothing; after `stop` there is no second start."""
        if not self._thread.is_alive() and not self._stop.is_set():
            self._last_true = self._last_event = time.monotonic()
            self._thread.start()

    def stop(self) -> None:
        """End, also a watch under way; from then on it is not synced."""
        self._stop.set()
        with self._changed:
            watch = self._watch
            self._changed.notify_all()
        if watch is not None:
            watch.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_SECONDS)

    @property
    def synced(self) -> bool:
        """Whether what is known is the truth, or was a few seconds ago (`Pace.stale_seconds`)."""
        return self._listed and not self._stop.is_set() and self._lag() < self._pace.stale_seconds

    def wait_synced(self, seconds: float) -> bool:
        """Wait until it is synced; False when it isn't within `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.synced or self._stop.is_set(), seconds) and self.synced

    @property
    def last_error(self) -> str | None:
        """Why it can't list or watch, in a sentence for people; None when it can."""
        return self._error

    def get(self, key: str) -> T | None:
        """The projection of an object; None when there is none, as far as is known (see `synced`)."""
        return self._mirror.get(key)

    def items(self) -> list[tuple[str, T]]:
        """All keys and projections at this moment."""
        return self._mirror.items()

    def figures(self) -> Figures:
        """Return its counters and gauges."""
        return Figures(
            objects=len(self._mirror),
            lists=self._lists,
            events=self._events,
            bookmarks=self._bookmarks,
            failures=self._failures,
            defects=self._mirror.defects,
            lag_seconds=self._lag(),
            last_event_age_seconds=time.monotonic() - self._last_event,
            synced=self.synced,
        )

    def _lag(self) -> float:
        return 0.0 if self._watch is not None else time.monotonic() - self._last_true

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                pause = self._round()
            except ApiError as error:
                pause = self._refused(error)
            except ClusterUnreachableError as error:
                pause = self._failed(str(error), "unreachable")
            except Exception:  # noqa: BLE001  # a defect must not end the listening with every light green
                _log.exception("reflector failed", reflector=self.name)
                pause = self._failed("a defect of Archer, see its log", "defect")
            self._stop.wait(pause)

    def _round(self) -> float:
        """List if need be, then watch until it ends; return how long to pause."""
        if self._version is None:
            if self._stop.wait(self._pacer.until_list()):
                return 0.0
            self._version = self._list()
        began, before = time.monotonic(), self._events + self._bookmarks
        self._follow(self._version)
        if time.monotonic() - began < _SHORT_SECONDS and self._events + self._bookmarks == before:
            return self._failed(f"{self._client.server} ends watches of {self._path} at once", "short-watch")
        self._pacer.went_well()
        return 0.0

    def _list(self) -> str:
        self._pacer.lists()
        version = ""
        began = time.monotonic()
        for page in self._client.pages(self._path, limit=self._page_size, **self._query):
            if page.first:
                self._mirror.begin()
                began = time.monotonic()
            self._mirror.take(page.items)
            # the next page is read before this one would go
            page.items.clear()
            version = page.resource_version
            if self._stop.is_set():
                return version
        self._mirror.finish()
        self._lists += 1
        self._hooks.listed(self.name, self._why)
        with self._changed:
            # true at the moment when the list began; the watch brings what came after
            self._last_true = began
            self._listed = True
            self._changed.notify_all()
        return version

    def _follow(self, version: str) -> None:
        seconds = random.randint(*_WATCH_SECONDS)  # noqa: S311  # no secret
        watch = self._client.watch(self._path, resource_version=version, timeout_seconds=seconds, **self._query)
        opened = time.monotonic()
        with self._changed:
            self._watch = watch
            self._error = None
            self._changed.notify_all()
        if self._stop.is_set():
            watch.close()
        try:
            for kind, thing in watch:
                self._take(kind, thing)
        finally:
            watch.close()
            with self._changed:
                self._watch = None
                self._last_true = max(opened, self._last_event) if watch.silent else time.monotonic()

    def _take(self, kind: str, thing: dict[str, Any]) -> None:
        if kind == "BOOKMARK":
            self._bookmarks += 1
        else:
            self._events += 1
            (self._mirror.remove if kind == "DELETED" else self._mirror.put)(thing)
        self._version = thing["metadata"]["resourceVersion"]
        self._last_event = time.monotonic()
        self._hooks.event(self.name, kind)

    def _refused(self, error: ApiError) -> float:
        if error.too_new or (400 <= error.status < 500 and error.status not in _KEEPS_ITS_PLACE):
            self._version = None
            self._why = "expired" if error.expired else "too-new" if error.too_new else "refused"
        if error.expired:
            # nothing is wrong; the gap between lists is pause enough
            self._failures += 1
            self._hooks.failed(self.name, str(error.status))
            _log.info("listing again", reflector=self.name, why=str(error))
            return 0.0
        return self._failed(str(error), str(error.status), error.retry_after)

    def _failed(self, why: str, what: str, retry_after: float | None = None) -> float:
        self._error = why
        self._failures += 1
        self._hooks.failed(self.name, what)
        pause = self._pacer.pause(retry_after)
        if not self._stop.is_set():
            _log.warning("reflector tries again", reflector=self.name, error=why, pause_seconds=round(pause, 2))
        return pause
