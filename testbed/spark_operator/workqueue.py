"""The operator's work queue: client-go's, with the rate limiter that counts events as failures.

A key is worked on by one worker at a time; one that is added meanwhile comes again when the worker is done. Every event
goes through `add_rate_limited`: 5 ms at first, twice as long for each event since the last success, at most 1000 s, and
never above the maximum delay. That is why the real operator may see a finished driver late, so the stand-in keeps it.
"""

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

Key = tuple[str, str]
"""(namespace, name)."""

_FIRST_DELAY: Final = 0.005
_LONGEST_DELAY: Final = 1000.0


class WorkQueue:
    """Keys to reconcile; all methods may be called from any thread."""

    def __init__(
        self,
        *,
        per_second: float,
        burst: int,
        longest_delay: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._ready: deque[Key] = deque()
        self._dirty: set[Key] = set()
        self._processing: set[Key] = set()
        self._waiting: list[tuple[float, Key]] = []
        self._due: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._tokens_at = clock()
        self._longest_delay = longest_delay
        self._closed = False

    def add(self, key: Key) -> None:
        with self._changed:
            self._add(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Add `key` later; of several delays of one key the shortest counts."""
        with self._changed:
            if seconds <= 0:
                self._add(key)
                return
            due = self._clock() + seconds
            if key in self._due and self._due[key] <= due:
                return
            self._due[key] = due
            heapq.heappush(self._waiting, (due, key))
            self._changed.notify()

    def add_rate_limited(self, key: Key) -> None:
        """Add `key` after the delay that its number of events since the last success calls for."""
        with self._changed:
            delay = self._delay(key)
        self.add_after(key, delay)

    def forget(self, key: Key) -> None:
        """Start to count anew: `key` was reconciled without an error."""
        with self._changed:
            self._failures.pop(key, None)

    def get(self) -> Key | None:
        """Return the next key, waiting for one; None when the queue is closed."""
        with self._changed:
            while True:
                self._move_due()
                if self._closed:
                    return None
                if self._ready:
                    key = self._ready.popleft()
                    self._dirty.discard(key)
                    self._processing.add(key)
                    return key
                self._changed.wait(self._waiting[0][0] - self._clock() if self._waiting else None)

    def done(self, key: Key) -> None:
        """Give `key` back; it comes again at once when it was added meanwhile."""
        with self._changed:
            self._processing.discard(key)
            if key in self._dirty:
                self._ready.append(key)
                self._changed.notify()

    def next_due(self) -> float | None:
        """Return when the next waiting key is due, by the queue's clock; None when none waits."""
        with self._changed:
            return self._waiting[0][0] if self._waiting else None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _add(self, key: Key) -> None:
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._ready.append(key)
            self._changed.notify()

    def _move_due(self) -> None:
        now = self._clock()
        while self._waiting and self._waiting[0][0] <= now:
            due, key = heapq.heappop(self._waiting)
            if self._due.get(key) == due:
                del self._due[key]
                self._add(key)

    def _delay(self, key: Key) -> float:
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        # 2 ** 18 is already more than the longest delay
        own: float = min(_FIRST_DELAY * 2 ** min(count, 18), _LONGEST_DELAY)
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._tokens_at) * self._per_second) - 1
        self._tokens_at = now
        bucket = -self._tokens / self._per_second
        return min(max(own, bucket), self._longest_delay)
