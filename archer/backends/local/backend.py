"""The local backend: plans, starts, observes and stops attempts on this machine.

Holds no state that matters: everything is in the attempts' folders, so another server on the same data folder goes on
where this one stopped.
"""

import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from archer import memory
from archer.backends.interface import LogPiece, Observation, Phase, StopReason
from archer.backends.local import admission, files, spark
from archer.backends.local.attempt_logs import read_piece
from archer.backends.local.launcher import Launcher
from archer.backends.local.observer import Observer
from archer.backends.local.stopping import Stopper
from archer.errors import BackendUnavailableError, Problem
from archer.ids import attempt_name
from archer.model import Job
from archer.retries import TOP_RUNG
from archer.settings import ServeSettings
from archer.submission import Submission

_STREAMS = {"driver": files.DRIVER_LOG, "stdout": files.STDOUT_LOG}


class LocalBackend:
    """`archer.backends.interface.Backend` for Spark on this machine."""

    cluster = admission.CLUSTER
    namespaces: Sequence[str] = ("",)

    def __init__(self, settings: ServeSettings, environment: Mapping[str, str]) -> None:
        self.capacity: int | None = settings.slots
        self._folders = settings.attempts_folder
        self._host_memory_mib = psutil.virtual_memory().total // (1024 * 1024)
        self._launcher = Launcher(settings, environment, host_memory_mib=self._host_memory_mib)
        self._observer = Observer(settings.events_folder)
        self._stopper = Stopper(settings.cancel_grace_seconds)

    def check(self, submission: Submission) -> Sequence[Problem]:
        return admission.check(submission, host_memory_mib=self._host_memory_mib)

    def notes(self, submission: Submission) -> Sequence[str]:
        return admission.notes(submission)

    def listen(self, namespace: str) -> None:
        """Nothing to follow: each look reads the attempts' folders."""

    def unlisten(self, namespace: str) -> None:
        """As above."""

    def news(self, namespace: str) -> Collection[str] | None:  # noqa: ARG002  # there is one
        return None

    def plan(self, job: Job, *, attempt: int, memory_rung: float) -> Mapping[str, Any]:
        """One JVM plays driver and executors: their cores as far as the machine has them, the larger of their heaps."""
        submission = job.submission
        application, executor = submission["application"], submission["executor"]
        python = Path(application["file"]).suffix == ".py"
        parts = (submission["driver"], executor)
        totals = [memory.with_overhead_mib(part["memory"], part["memory_overhead"], python=python) for part in parts]
        heap_mib = max(memory.parse_mib(part["memory"]) for part in parts)
        cores = min(executor["instances"] * executor["cores"], os.cpu_count() or 1)
        return {
            "name": job.name,
            "spark_app_id": spark.application_id(attempt_name(job.id, attempt)),
            "application": application,
            "master": f"local[{cores}]",
            "heap_mib": int(heap_mib * memory_rung),
            "memory_limit_mib": int(max(totals) * memory_rung),
            "conf": submission["conf"],
            "environment": submission["environment"],
        }

    def top_rung(self, job: Job) -> float:  # noqa: ARG002  # the machine's memory was compared when it was submitted
        return TOP_RUNG

    def launch(self, name: str, spec: Mapping[str, Any]) -> str:
        return self._launcher.launch(self._folders / name, spec)

    def observe(self, names: Collection[str]) -> Mapping[str, Observation]:
        self._launcher.reap()
        self._observer.forget_all_but(set(names))
        return {name: self._observe(name) for name in names}

    def _observe(self, name: str) -> Observation:
        try:
            return self._observer.observe(self._folders / name)
        except OSError as error:
            # of this attempt nothing can be said just now; the others mustn't wait for it
            return Observation(phase=Phase.STARTING, substate=f"its folder can't be read: {error}")

    def stop(self, name: str, why: StopReason) -> None:
        folder = self._folders / name
        try:
            self._stopper.stop(folder, why)
        except OSError as error:
            raise BackendUnavailableError(f"can't stop attempt {name}: {error}") from error

    def release(self, name: str) -> None:
        self._stopper.forget(name)
        shutil.rmtree(self._folders / name / files.SCRATCH, ignore_errors=True)

    def read_log(self, name: str, stream: str, *, offset: int, limit: int) -> LogPiece:
        try:
            return read_piece(self._folders / name / _STREAMS[stream], offset, limit)
        except OSError as error:
            raise BackendUnavailableError(f"can't read the {stream} log of attempt {name}: {error}") from error

    def close(self) -> None:
        self._launcher.close()
