"""The finalizer that keeps a driver's pod until its end is committed, and how it comes off (D14).

`release` is called for one attempt when its end is in the database. `sweep` finds what a crash left: drivers of attempts that
ended long ago, or that nobody knows. Both do the same three things in the same order, each of which may be repeated: an
application that is not at its end is deleted (or it would run again), then the executors that were kept to be counted,
and last the finalizer, so that whatever is left undone is found by it.
"""

import threading
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final

import structlog

from archer.backends.kubernetes import names
from archer.backends.kubernetes.records import ApplicationRecord
from archer.errors import ArcherError
from archer.kubernetes.client import ApiClient
from archer.kubernetes.errors import ApiError

_TRIES: Final = 4
_CHANGED: Final = frozenset({409, 422})
"""The finalizers are no longer where they were a moment ago."""
FINAL: Final = frozenset({"COMPLETED", "FAILED"})
"""States of an application that the operator is done with."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Since the start of this process, for metrics."""

    released: int
    saved: int
    """Of these: drivers that were on their way out, or that the operator had lost, while only we knew how they ended."""
    failed: int
    """Releases that did not work at once; the sweep does them again."""


class Finalizers:
    """Takes the finalizer off drivers of one cluster."""

    def __init__(self, client: ApiClient, workers: Executor) -> None:
        self._client = client
        self._workers = workers
        self._lock = threading.Lock()
        self._released = self._saved = self._failed = 0

    def counts(self) -> Counts:
        with self._lock:
            return Counts(released=self._released, saved=self._saved, failed=self._failed)

    def release(
        self,
        namespace: str,
        attempt: str,
        *,
        application: ApplicationRecord | None,
        executors: Iterable[str],
        saved: bool,
        runs_on: bool = False,
    ) -> None:
        """All three steps; when one fails, that is logged and left to the sweep.

        `runs_on`: its driver runs, whatever the operator says, so that its application is ended in any case.
        """
        try:
            if application is not None and not application.deleting and (runs_on or application.state not in FINAL):
                delete_application(self._client, namespace, attempt, uid=application.uid)
            list(self._workers.map(lambda pod: self._delete_pod(namespace, pod), executors))
            released = take_off(self._client, namespace, names.driver(attempt))
        except (ApiError, ArcherError) as error:
            _log.warning("release failed, the sweep will do it", attempt=attempt, error=str(error))
            with self._lock:
                self._failed += 1
            return
        if released:
            with self._lock:
                self._released += 1
                self._saved += saved

    def _delete_pod(self, namespace: str, pod: str) -> None:
        # they have ended, or lost their driver: nobody waits for what they might still say
        self._client.delete(names.pods(namespace, pod), grace_seconds=0)


def delete_application(client: ApiClient, namespace: str, attempt: str, *, uid: str | None) -> bool:
    """Ask for the application's end; its pods follow by their owner. Raises ApiError, ClusterUnreachableError."""
    path = names.applications(namespace, attempt)
    return client.delete(path, preconditions_uid=uid, propagation="Background")


def take_off(client: ApiClient, namespace: str, pod: str) -> bool:
    """Take our finalizer off a pod, and no other; False when there was none. Raises ApiError, ClusterUnreachableError.

    A JSON patch names a place in the list, so it is tested to be still ours, and read again when it isn't.
    """
    path = names.pods(namespace, pod)
    for attempt in range(_TRIES):
        try:
            metadata = client.get(path)["metadata"]
            finalizers: list[str] = metadata.get("finalizers") or []
            if names.FINALIZER not in finalizers:
                return False
            place = f"/metadata/finalizers/{finalizers.index(names.FINALIZER)}"
            steps: list[dict[str, Any]] = [
                {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
                {"op": "test", "path": place, "value": names.FINALIZER},
                {"op": "remove", "path": place},
            ]
            client.patch(path, steps, kind="json")
        except ApiError as error:
            if error.not_found:
                return False
            if error.status not in _CHANGED or attempt == _TRIES - 1:
                raise
        else:
            return True
    return False
