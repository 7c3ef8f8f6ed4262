"""Follows one namespace while this process holds its lease: three reflectors, and what changed since somebody asked.

Kept are records only. What other people run in the namespace is not even listed.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from archer.backends.kubernetes import names, records
from archer.backends.kubernetes.observation import Executors
from archer.backends.kubernetes.records import (
    PENDING,
    RUNNING,
    WELL,
    ApplicationRecord,
    DriverRecord,
    ExecutorRecord,
    Plain,
    Pools,
)
from archer.errors import BackendUnavailableError
from archer.kubernetes.client import ApiClient
from archer.kubernetes.reflector import Reflector

_Executor = ExecutorRecord | Plain

_GONE: Final = 2000
"""Drivers that are gone and still remembered."""


class Following:
    """The applications, drivers and executors of one namespace."""

    def __init__(
        self,
        client: ApiClient,
        cluster: str,
        namespace: str,
        pools: Pools,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Follow nothing yet: see `start`."""
        self.namespace = namespace
        self._clock = clock
        self._lock = threading.Lock()
        self._news: set[str] = set()
        self._due: dict[str, float] = {}
        self._everything = True
        self._executors: dict[str, dict[str, _Executor]] = {}
        self._gone: OrderedDict[str, DriverRecord] = OrderedDict()
        where = f"{cluster}/{namespace}"
        self._applications: Reflector[ApplicationRecord] = Reflector(
            client,
            names.applications(namespace),
            label_selector=names.OURS,
            project=records.application,
            on_change=self._on_application,
            name=f"{where}/applications",
        )
        self._drivers: Reflector[DriverRecord] = Reflector(
            client,
            names.pods(namespace),
            label_selector=names.DRIVERS,
            project=lambda manifest: records.driver(manifest, pools),
            on_change=self._on_driver,
            name=f"{where}/drivers",
        )
        self._pods: Reflector[_Executor] = Reflector(
            client,
            names.pods(namespace),
            label_selector=names.EXECUTORS,
            project=lambda manifest: records.executor(manifest, pools),
            on_change=self._on_executor,
            name=f"{where}/executors",
        )
        self.reflectors: tuple[Reflector[Any], ...] = (self._applications, self._drivers, self._pods)
        """For metrics."""

    def start(self) -> None:
        for reflector in self.reflectors:
            reflector.start()

    def stop(self) -> None:
        for reflector in self.reflectors:
            reflector.stop()

    @property
    def synced(self) -> bool:
        """Whether what is known is the truth, or was a few seconds ago."""
        return all(reflector.synced for reflector in self.reflectors)

    def check(self) -> None:
        """Raise BackendUnavailableError unless it is synced."""
        for reflector in self.reflectors:
            if not reflector.synced:
                why = reflector.last_error or "it is being listed"
                raise BackendUnavailableError(f"{reflector.name} is not known just now: {why}")

    def news(self) -> set[str]:
        """Attempts that changed since the last call; the first time, all there are. Raises BackendUnavailableError."""
        self.check()
        now = self._clock()
        with self._lock:
            due = {attempt for attempt, at in self._due.items() if at <= now}
            self._due = {attempt: at for attempt, at in self._due.items() if at > now}
            changed, self._news = self._news | due, set()
            everything, self._everything = self._everything, False
        return changed | self.attempts() if everything else changed

    def again(self, attempt: str, at: float) -> None:
        """Count it among the news once it is `at`, whatever happens."""
        with self._lock:
            self._due[attempt] = at

    def attempts(self) -> set[str]:
        """Names of all attempts that have an application or a driver."""
        applications = {name for name, _ in self._applications.items()}
        return applications | {names.attempt_of_driver(pod) for pod, _ in self._drivers.items()}

    def application(self, attempt: str) -> ApplicationRecord | None:
        return self._applications.get(attempt)

    def driver(self, attempt: str) -> DriverRecord | None:
        return self._drivers.get(names.driver(attempt))

    def gone(self, attempt: str) -> DriverRecord | None:
        """What was last seen of a driver that is no longer there, for a while."""
        with self._lock:
            return self._gone.get(attempt)

    def drivers(self) -> list[DriverRecord]:
        return [record for _, record in self._drivers.items()]

    def applications(self) -> list[ApplicationRecord]:
        return [record for _, record in self._applications.items()]

    def executors(self, attempt: str) -> Executors:
        """What is known of the attempt's executors."""
        with self._lock:
            found = dict(self._executors.get(attempt, {}))
        return counted(found)

    def executor_pods(self, attempt: str) -> list[str]:
        """Names of all pods of the attempt's executors."""
        with self._lock:
            return list(self._executors.get(attempt, {}))

    def attempts_with_executors(self) -> set[str]:
        with self._lock:
            return set(self._executors)

    # in the reflectors' threads

    def _on_application(self, name: str, _before: object, _after: object) -> None:
        with self._lock:
            self._news.add(name)

    def _on_driver(self, pod: str, before: DriverRecord | None, after: DriverRecord | None) -> None:
        attempt = names.attempt_of_driver(pod)
        with self._lock:
            self._news.add(attempt)
            if before is not None and (after is None or (before.held and not after.held)):
                # a pod that goes loses its finalizer first: what was seen while it was held counts as such
                was_held = attempt in self._gone and self._gone[attempt].held
                self._gone[attempt] = replace(before, held=before.held or was_held)
                if len(self._gone) > _GONE:
                    self._gone.popitem(last=False)

    def _on_executor(self, pod: str, before: _Executor | None, after: _Executor | None) -> None:
        attempt = names.attempt_of_executor(pod)
        waited = isinstance(before, ExecutorRecord) and bool(before.pending)
        with self._lock:
            if waited or isinstance(after, ExecutorRecord):
                self._news.add(attempt)
            if after is None:
                pods = self._executors.get(attempt, {})
                pods.pop(pod, None)
                if not pods:
                    self._executors.pop(attempt, None)
                return
            self._executors.setdefault(attempt, {})[pod] = after


def counted(pods: Mapping[str, _Executor]) -> Executors:
    """An attempt's executors, counted; those that ended badly as they are, the first first."""
    told = [each for each in pods.values() if isinstance(each, ExecutorRecord)]
    stuck = [each for each in told if each.pending]
    failed = [each for each in told if not each.pending]
    values = list(pods.values())
    return Executors(
        failed=tuple(sorted(failed, key=lambda each: (each.end.finished or 0, each.name))),
        running=values.count(RUNNING),
        pending=values.count(PENDING) + len(stuck),
        ended=values.count(WELL) + len(failed),
        stuck=stuck[0].pending if stuck else "",
    )
