"""Ends an attempt: its application is deleted, and its driver follows.

An application is never edited: a change while the operator has not taken it up makes it submit twice. Why it was ended is
written on the driver's pod first, so that whoever sees its end can tell it from a loss; without a driver there is what the
tracker wrote in the store before it asked (`STOPPED_FOR`), and this process' memory.
"""

import threading

from archer.backends.interface import StopReason
from archer.backends.kubernetes import names
from archer.backends.kubernetes.finalizer import FINAL, delete_application
from archer.backends.kubernetes.observation import waiting
from archer.backends.kubernetes.records import ApplicationRecord, DriverRecord
from archer.kubernetes.client import ApiClient
from archer.kubernetes.errors import ApiError


class Stops:
    """Remembers what was asked for until the attempt is released."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, str] = {}

    def of(self, attempt: str) -> str | None:
        with self._lock:
            return self._asked.get(attempt)

    def forget(self, attempt: str) -> None:
        with self._lock:
            self._asked.pop(attempt, None)

    def stop(
        self,
        client: ApiClient,
        namespace: str,
        attempt: str,
        why: StopReason,
        *,
        application: ApplicationRecord | None,
        driver: DriverRecord | None,
    ) -> None:
        """Ask for the end. Raises ApiError, ClusterUnreachableError; may be repeated.

        What has ended by itself is left alone: its own result is the truth.
        """
        if application is not None and application.state in FINAL and (driver is None or driver.ended):
            return
        with self._lock:
            self._asked.setdefault(attempt, why.value)
        if driver is not None and not driver.ended and driver.stopped_for is None:
            _write_on(client, namespace, driver, why)
        if application is None or not application.deleting:
            # asked for also when it isn't known: a create may have been under way
            uid = application.uid if application is not None else None
            delete_application(client, namespace, attempt, uid=uid)
        if application is None and driver is not None and driver.deleted is None and not driver.ended:
            # no owner takes it along
            client.delete(names.pods(namespace, driver.name), preconditions_uid=driver.uid)


def _write_on(client: ApiClient, namespace: str, driver: DriverRecord, why: StopReason) -> None:
    annotations = {names.STOPPED_ANNOTATION: why.value}
    waits_for, words = (None, "") if driver.started else waiting(driver)
    if waits_for is not None:
        annotations[names.WAITED_ANNOTATION] = f"{waits_for}: {driver.waiting_message or words}"
    body = {"metadata": {"uid": driver.uid, "annotations": annotations}}
    try:
        client.patch(names.pods(namespace, driver.name), body)
    except ApiError as error:
        if not error.not_found:
            raise
