"""Reads the ends of drivers' logs beside the looks that need them: a kubelet that is silent keeps no other attempt waiting.

A look waits a moment for what it asked for. What isn't there by then is read on, and found by a later look. Threads are
few, and of a node that keeps them waiting only one is lent to it.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

import structlog

from archer.backends.kubernetes import logs
from archer.backends.kubernetes.logs import LogLostError
from archer.errors import BackendUnavailableError
from archer.kubernetes.client import ApiClient

THREADS: Final = 8
PER_NODE: Final = 4
"""Logs of one node that are read at the same time: a node that falls silent leaves threads to the others."""
WAIT_SECONDS: Final = 1.0
"""How long a look waits for the logs that it asks for …"""
_HURRY_SECONDS: Final = 0.1
_HURRIES_FOR_SECONDS: Final = 5.0
"""… and how long it does while some were waited for in vain lately: a round has many looks."""
MOST: Final = 500
"""Logs asked for and not yet fetched; more are asked for later."""
_FORGOTTEN_SECONDS: Final = 120.0
"""After which nobody will come for a log that was read."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The end of one driver's log."""

    namespace: str
    attempt: str
    node: str
    """Where its pod is."""
    most: int
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class Tail:
    """What is known of it by now."""

    text: str | None
    """None: it isn't there yet."""
    why: str = ""
    """Why it could not be read. With an empty text: it never will be."""
    waited: float = 0.0
    """Seconds since it was asked for."""


@dataclass
class _Read:
    wanted: Wanted
    since: float
    found: Future[Tail] = field(default_factory=Future)


class Tails:
    """The logs that are being read on one cluster. Safe to use from many threads."""

    def __init__(self, client: ApiClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._workers = ThreadPoolExecutor(THREADS, thread_name_prefix="log-tails")
        self._lock = threading.Lock()
        self._reads: dict[str, _Read] = {}
        self._queues: dict[str, deque[_Read]] = {}
        self._busy: Counter[str] = Counter()
        self._slow: set[str] = set()
        self._hurries_until = 0.0

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Tail]:
        """What there is of each, by attempt; takes hardly longer than `WAIT_SECONDS`. One that could not be read is read anew."""
        fresh = self._ask(wanted)
        self._wait(fresh)
        now, found = self._clock(), {}
        with self._lock:
            for each in wanted:
                read = self._reads.get(each.attempt)
                if read is not None and read.found.done():
                    del self._reads[each.attempt]
                    found[each.attempt] = read.found.result()
                else:
                    waited = 0.0 if read is None else now - read.since
                    found[each.attempt] = Tail(text=None, waited=waited)
        return found

    def forget(self, attempt: str) -> None:
        """Nobody will ask for it again; one that was not begun never is."""
        with self._lock:
            read = self._reads.pop(attempt, None)
        if read is not None:
            read.found.cancel()

    def close(self) -> None:
        """Begin no more."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _ask(self, wanted: Sequence[Wanted]) -> list[_Read]:
        now, fresh = self._clock(), []
        with self._lock:
            old = now - _FORGOTTEN_SECONDS
            self._reads = {
                name: read for name, read in self._reads.items() if not (read.found.done() and read.since < old)
            }
            for each in wanted:
                if each.attempt not in self._reads and len(self._reads) < MOST:
                    read = self._reads[each.attempt] = _Read(each, now)
                    self._queues.setdefault(each.node, deque()).append(read)
                    fresh.append(read)
            for node in {read.wanted.node for read in fresh}:
                self._begin(node)
        return fresh

    def _begin(self, node: str) -> None:
        """Lend the node as many threads as it may have; the lock is held."""
        queue = self._queues.get(node)
        while queue and self._busy[node] < (1 if node in self._slow else PER_NODE):
            read = queue.popleft()
            if read.found.set_running_or_notify_cancel():
                self._busy[node] += 1
                self._workers.submit(self._run, read)
        if not queue:
            self._queues.pop(node, None)

    def _wait(self, fresh: Sequence[_Read]) -> None:
        hurries = self._clock() < self._hurries_until
        late = wait([read.found for read in fresh], timeout=_HURRY_SECONDS if hurries else WAIT_SECONDS).not_done
        if not late:
            return
        with self._lock:
            self._hurries_until = self._clock() + _HURRIES_FOR_SECONDS
            self._slow.update(read.wanted.node for read in fresh if read.found in late)

    def _run(self, read: _Read) -> None:
        wanted = read.wanted
        try:
            tail = Tail(text=logs.read_tail(self._client, wanted.namespace, wanted.attempt, most=wanted.most))
        except LogLostError as error:
            tail = Tail(text="", why=str(error))
        except BackendUnavailableError as error:
            _log.warning(
                "the end of a log is not there yet", attempt=wanted.attempt, node=wanted.node, error=str(error)
            )
            tail = Tail(text=None, why=str(error))
        except Exception as error:  # noqa: BLE001  # a defect that one log brings to light keeps no other waiting
            _log.exception("log not understood", attempt=wanted.attempt)
            tail = Tail(text=None, why=repr(error))
        with self._lock:
            self._busy[wanted.node] -= 1
            if not self._busy[wanted.node]:
                del self._busy[wanted.node]
            if not tail.why:
                self._slow.discard(wanted.node)
            read.found.set_result(tail)
            try:
                self._begin(wanted.node)
            except RuntimeError:
                # closed meanwhile
                self._queues.clear()
