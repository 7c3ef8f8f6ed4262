"""What really happened in a cluster, written down by a witness who is not Archer: every application, and how each driver ended.

It watches as the administrator, past every proxy of a test, and goes on where it was when the API server comes back.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from testbed.kubernetes import ApiError
from testbed.spark_applications import API, DRIVER, KIND

if TYPE_CHECKING:
    from collections.abc import Callable

    from testbed.control_plane import ControlPlane
    from testbed.kubernetes import Manifest

JOB: Final = "archer.moka.dev/job-id"
_OF_DRIVERS: Final = "spark-role=driver"
_OVER: Final = frozenset({"COMPLETED", "FAILED"})
_GONE: Final = 410


class Witness:
    """Follows applications and drivers of one cluster; a context."""

    def __init__(self, plane: ControlPlane, on_driver: Callable[[str, Manifest], None] | None = None) -> None:
        """`on_driver` is told of each event about a driver's pod: ADDED, MODIFIED or DELETED, and the pod."""
        self._plane = plane
        self._on_driver = on_driver
        self._stop = threading.Event()
        self.uids: dict[str, set[str]] = defaultdict(set)
        """Of every application that ever existed, by its name."""
        self._live: dict[str, set[str]] = defaultdict(set)
        self.doubles: list[tuple[str, list[str]]] = []
        """Jobs that had two live applications at once, with the names of these."""
        self.exit_codes: dict[str, int] = {}
        """How the driver's container of each attempt ended, as first seen on its pod."""
        self.contradicted: dict[str, set[int]] = {}
        """Attempts whose pretended node wrote one end over another, with all exit codes: no kubelet does, so nobody can say which
        is true. kwok does when a container ends and is deleted in the same moment."""
        self.started: set[str] = set()
        """Attempts whose driver's container ran."""
        self._threads = [
            threading.Thread(target=self._follow, args=(API, KIND, "", self._application), daemon=True),
            threading.Thread(target=self._follow, args=("v1", "Pod", _OF_DRIVERS, self._driver), daemon=True),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        # they wait in a watch, which ends by itself
        for thread in self._threads:
            thread.join(10)

    def _follow(self, api: str, kind: str, selector: str, tell: Callable[[str, Manifest], None]) -> None:
        more: dict[str, Any] = {"labelSelector": selector} if selector else {}
        version: str | None = None
        client = self._plane.client()
        while not self._stop.is_set():
            with suppress(ApiError, httpx.HTTPError, OSError, ValueError):
                if version is None:
                    for page in client.pages(api, kind, **more):
                        for item in page["items"]:
                            tell("ADDED", item)
                        version = page["metadata"]["resourceVersion"]
                try:
                    for event in client.watch(api, kind, resource_version=version, timeout_seconds=5, **more):
                        tell(event["type"], event["object"])
                        version = event["object"]["metadata"]["resourceVersion"]
                except ApiError as error:
                    if error.code == _GONE:
                        version = None
                    raise
                continue
            time.sleep(0.2)

    def _application(self, kind: str, found: Manifest) -> None:
        metadata = found["metadata"]
        name, job = metadata["name"], metadata.get("labels", {}).get(JOB, "")
        self.uids[name].add(metadata["uid"])
        state = found.get("status", {}).get("applicationState", {}).get("state", "")
        live = self._live[job]
        if kind == "DELETED" or state in _OVER or "deletionTimestamp" in metadata:
            live.discard(name)
            return
        live.add(name)
        # an application whose driver's end is known does nothing any more, whatever its operator has said so far
        running = sorted(each for each in live if each not in self.exit_codes)
        if len(running) > 1:
            self.doubles.append((job, running))

    def _driver(self, kind: str, pod: Manifest) -> None:
        attempt = pod["metadata"]["name"].removesuffix("-driver")
        for status in pod.get("status", {}).get("containerStatuses", ()):
            state: dict[str, Any] = status.get("state", {})
            if status["name"] == DRIVER and "running" in state:
                self.started.add(attempt)
            if status["name"] == DRIVER and "terminated" in state:
                code: int = state["terminated"]["exitCode"]
                first = self.exit_codes.setdefault(attempt, code)
                if code != first:
                    self.contradicted.setdefault(attempt, {first}).add(code)
        if self._on_driver is not None:
            self._on_driver(kind, pod)

    def repeated(self) -> list[str]:
        """Names of attempts for which more than one application was ever made."""
        return sorted(name for name, uids in self.uids.items() if len(uids) > 1)
