"""Commits submissions that arrive at the same time together: one wait for the disk serves all of them.

Whoever comes while no commit is under way commits at once, with whoever came meanwhile; nobody waits for company. Each
caller gets the answer to its own submission, and none before it is on disk. Waiting for one needs no thread: the one
thread that serves all connections goes on with the others.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Final

from archer.store.interface import NewJob, Store, SubmitResult

_MOST: Final = 200
"""Submissions of one transaction."""


class Gatherer:
    """The one way in which a server writes submissions. Safe to use from many threads."""

    def __init__(self, store: Store, *, most: int = _MOST) -> None:
        self._store = store
        self._most = most
        self._lock = Lock()
        self._waiting: list[tuple[NewJob, Future[SubmitResult]]] = []
        self._committing = False
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="commits")

    def submit(self, new: NewJob) -> Future[SubmitResult]:
        """Never blocks. The result is that of `Store.submit`, or one of its errors; whoever stops waiting stops nothing."""
        answer: Future[SubmitResult] = Future()
        # from here on nobody can cancel it: the job may be on disk
        answer.set_running_or_notify_cancel()
        with self._lock:
            self._waiting.append((new, answer))
            idle, self._committing = not self._committing, True
        if idle:
            self._committer.submit(self._commit_all)
        return answer

    def _commit_all(self) -> None:
        while True:
            with self._lock:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                if not batch:
                    self._committing = False
                    return
            results = self._commit([new for new, _ in batch])
            for (_, answer), result in zip(batch, results, strict=True):
                if isinstance(result, BaseException):
                    answer.set_exception(result)
                else:
                    answer.set_result(result)

    def _commit(self, batch: Sequence[NewJob]) -> Sequence[SubmitResult | BaseException]:
        try:
            return self._store.submit_many(batch)
        except BaseException as error:  # noqa: BLE001  # the others must not wait for ever; each raises it again
            return [error] * len(batch)
