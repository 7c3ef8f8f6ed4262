"""The local backend: plans, starts, observes and stops attempts on this machine.

Holds no state that matters: everything is in the attempts' folders, so another server on the same data folder goes on
where this one stopped.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import psutil

from archer import memory
from archer.backends.interface import LogPiece, Observation, Outcome, Phase, StopReason
from archer.backends.local import admission, files, procs, spark
from archer.backends.local.java import Java, find_java
from archer.diagnosis import Evidence
from archer.errors import BackendUnavailableError, LaunchRefusedError, Problem
from archer.ids import attempt_name
from archer.model import Job
from archer.settings import ServeSettings
from archer.submission import Submission

TAIL_BYTES = 64 * 1024
"""How much of each log's end a diagnosis reads."""

_UI = re.compile(r"Successfully started service 'SparkUI' on port (\d+)")
_HEAD_BYTES = 256 * 1024
"""Spark names its page's port within the first lines."""

_STREAMS = {"driver": files.DRIVER_LOG, "stdout": files.STDOUT_LOG}


class LocalBackend:
    """`archer.backends.interface.Backend` for Spark on this machine."""

    cluster = admission.CLUSTER

    def __init__(self, settings: ServeSettings, environment: Mapping[str, str]) -> None:
        self.capacity = settings.slots
        self._settings = settings
        self._environment = environment
        self._java: Java | None = None
        self._runners: dict[str, subprocess.Popen[bytes]] = {}
        self._runners_lock = Lock()
        self._ui_urls: dict[str, str] = {}
        self._host_memory_mib = psutil.virtual_memory().total // (1024 * 1024)

    def check(self, submission: Submission) -> Sequence[Problem]:
        return admission.check(submission, host_memory_mib=self._host_memory_mib)

    def notes(self, submission: Submission) -> Sequence[str]:
        return admission.notes(submission)

    def plan(self, job: Job, *, attempt: int, memory_rung: float) -> Mapping[str, Any]:
        """One JVM plays driver and executors: their cores as far as the machine has them, the larger of their heaps."""
        submission = Submission.model_validate(job.submission)
        python = submission.application.type == "python"
        parts = (submission.driver, submission.executor)
        totals = [memory.with_overhead_mib(part.memory, part.memory_overhead, python=python) for part in parts]
        heap_mib = max(memory.parse_mib(part.memory) for part in parts)
        cores = min(submission.executor.instances * submission.executor.cores, os.cpu_count() or 1)
        return {
            "name": job.name,
            "spark_app_id": spark.application_id(attempt_name(job.id, attempt)),
            "application": submission.application.model_dump(mode="json"),
            "master": f"local[{cores}]",
            "heap_mib": int(heap_mib * memory_rung),
            "memory_limit_mib": int(max(totals) * memory_rung),
            "conf": dict(submission.conf),
            "environment": dict(submission.environment),
        }

    def launch(self, name: str, spec: Mapping[str, Any]) -> str:
        folder = self._folder(name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / files.STARTED).exists():
                self._refuse_impossible(spec)
                files.take(folder / files.SPEC, self._runner_spec(folder, spec))
                self._start_runner(name, folder)
        except OSError as error:
            raise BackendUnavailableError(f"can't start attempt {name}: {error}") from error
        started = files.read(folder / files.STARTED) or {}
        return f"pid {started.get('pid')}"

    def _refuse_impossible(self, spec: Mapping[str, Any]) -> None:
        file = spark.local_path(spec["application"]["file"])
        if file is not None and not file.is_file():
            raise LaunchRefusedError(
                f"the application file {file} is gone",
                "put it back, then submit again",
                "it was there when the job was submitted",
            )
        if spec["memory_limit_mib"] > self._host_memory_mib:
            raise LaunchRefusedError(
                f"the attempt needs {spec['memory_limit_mib']} MiB, this machine has {self._host_memory_mib}",
                "ask for less memory, or run the job on a larger machine",
            )

    def _runner_spec(self, folder: Path, spec: Mapping[str, Any]) -> dict[str, Any]:
        scratch = folder / files.SCRATCH
        java = self._find_java() if not self._settings.spark_submit_command else None
        conf = spark.effective_conf(
            spec["conf"], app_id=spec["spark_app_id"], scratch=scratch, events=self._settings.events_folder
        )
        self._settings.events_folder.mkdir(parents=True, exist_ok=True)
        properties = folder / "spark.properties"
        properties.touch(mode=0o600)
        properties.write_text(spark.properties_text(conf), encoding="ascii")
        program = spark.java_command(java, spec, scratch) if java else list(self._settings.spark_submit_command)
        return {
            "command": [*program, *spark.submit_arguments(spec, properties)],
            "environment": spark.environment(self._environment, spec, java=java, scratch=scratch),
            "scratch_folders": spark.SCRATCH_FOLDERS,
            "memory_limit_mib": spec["memory_limit_mib"],
            "grace_seconds": self._settings.cancel_grace_seconds,
            "application": spec["application"]["file"],
            "spark_app_id": spec["spark_app_id"],
            "heap_mib": spec["heap_mib"],
            "conf_keys": sorted(spec["conf"]),
        }

    def _find_java(self) -> Java:
        if self._java is None:
            self._java = find_java(self._settings.java_home, self._environment)
        return self._java

    def _start_runner(self, name: str, folder: Path) -> None:
        """Returns once somebody has taken the attempt, this runner or another."""
        package_root = Path(__file__).resolve().parents[3]
        with (folder / "runner.log").open("ab") as log:
            runner = subprocess.Popen(
                # without `site`: no start-up hooks of installed packages, and half the start time
                [sys.executable, "-S", "-P", "-m", "archer.backends.local.runner", str(folder)],
                env={"PYTHONPATH": str(package_root), "PATH": os.defpath},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        with self._runners_lock:
            self._runners[name] = runner
        deadline = time.monotonic() + self._settings.launch_timeout_seconds
        while not (folder / files.STARTED).exists():
            if runner.poll() is not None or time.monotonic() > deadline:
                said = _tail(folder / "runner.log", 2000).decode(errors="replace").strip()
                raise BackendUnavailableError(
                    f"the runner of attempt {name} did not start: {said or 'it said nothing'}"
                )
            time.sleep(0.005)

    def observe(self, names: Collection[str]) -> Mapping[str, Observation]:
        self._reap()
        for name in self._ui_urls.keys() - set(names):
            self._ui_urls.pop(name, None)
        try:
            return {name: self._observe(name) for name in names}
        except OSError as error:
            raise BackendUnavailableError(f"can't read the attempts' folder: {error}") from error

    def _reap(self) -> None:
        """Runners that ended while we, their parent, live would stay as zombies."""
        with self._runners_lock:
            for name in [name for name, runner in self._runners.items() if runner.poll() is not None]:
                del self._runners[name]

    def _observe(self, name: str) -> Observation:
        folder = self._folder(name)
        outcome = files.read(folder / files.OUTCOME)
        if outcome is None:
            started = files.read(folder / files.STARTED)
            if started is None:
                return Observation(phase=Phase.VANISHED, last_seen="its folder holds no sign of a start")
            if procs.alive(started["identity"]):
                return self._living(name, folder)
            # it may have written its outcome between our two looks
            outcome = files.read(folder / files.OUTCOME)
        if outcome is None:
            return self._after_runner(folder)
        return Observation(phase=Phase.ENDED, spark_app_id=self._app_id(folder), outcome=self._outcome(folder, outcome))

    def _living(self, name: str, folder: Path) -> Observation:
        app_id = self._app_id(folder)
        stopping = files.read(folder / files.STOP)
        return Observation(
            phase=Phase.STARTING if app_id is None else Phase.RUNNING,
            substate=f"stopping: {stopping['why']}" if stopping else None,
            spark_app_id=app_id,
            ui_url=None if app_id is None else self._ui_url(name, folder),
        )

    def _app_id(self, folder: Path) -> str | None:
        """Known once Spark has begun to write the event log."""
        app_id = spark.application_id(folder.name)
        return app_id if (self._settings.events_folder / spark.event_log_name(app_id)).exists() else None

    def _ui_url(self, name: str, folder: Path) -> str | None:
        if name not in self._ui_urls:
            piece = _read(folder / files.DRIVER_LOG, 0, _HEAD_BYTES).data
            match = _UI.search(piece.decode(errors="replace"))
            if match is None:
                return None
            self._ui_urls[name] = f"http://127.0.0.1:{match[1]}"
        return self._ui_urls[name]

    def _after_runner(self, folder: Path) -> Observation:
        """The runner is gone without an outcome. What it started is ended: nobody could learn its result any more."""
        child = files.read(folder / files.CHILD)
        if child is None:
            return Observation(phase=Phase.VANISHED, last_seen="its runner died before it started Spark")
        leader = procs.identity(child["pid"])
        # a foreign process with this pid means that the session is long gone: a pid isn't reused while its session lives
        ours = leader in {None, child["identity"]}
        if ours and not procs.kill_session(child["pid"]):
            return Observation(phase=Phase.RUNNING, substate="its runner died; its processes are being killed")
        last = _tail(folder / files.DRIVER_LOG, 500).decode(errors="replace").strip()
        return Observation(
            phase=Phase.VANISHED,
            spark_app_id=self._app_id(folder),
            last_seen=f"its runner died, so its processes were killed; last lines of the log:\n{last}",
        )

    def _outcome(self, folder: Path, outcome: Mapping[str, Any]) -> Outcome:
        spec = files.read(folder / files.SPEC) or {}
        evidence = Evidence(
            application=spec.get("application", ""),
            exit_code=outcome["exit_code"],
            signal=outcome["signal"],
            stopped_for=outcome["stopped_for"],
            launch_error=outcome["launch_error"],
            peak_memory_mib=outcome["peak_memory_mib"],
            memory_limit_mib=spec.get("memory_limit_mib"),
            heap=f"{spec['heap_mib']}m" if spec else None,
            conf_keys=frozenset(spec.get("conf_keys", ())),
            driver_log=_tail(folder / files.DRIVER_LOG, TAIL_BYTES).decode(errors="replace"),
            stdout=_tail(folder / files.STDOUT_LOG, TAIL_BYTES).decode(errors="replace"),
            application_started=self._app_id(folder) is not None,
        )
        return Outcome(
            succeeded=outcome["exit_code"] == 0,
            stopped_for=outcome["stopped_for"],
            exit_code=outcome["exit_code"],
            evidence=evidence,
        )

    def stop(self, name: str, why: StopReason) -> None:
        folder = self._folder(name)
        request = {"why": why.value, "at": time.time()}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / files.STOP).exists():
                files.take(folder / files.STOP, request)
            # not started yet: take it ourselves, so that no runner ever can
            if not (folder / files.STARTED).exists() and files.take(
                folder / files.STARTED, {"pid": 0, "identity": None, "at": time.time()}
            ):
                nothing = {"exit_code": None, "signal": None, "stopped_for": why.value, "launch_error": None}
                files.write(folder / files.OUTCOME, {**nothing, "peak_memory_mib": 0})
        except OSError as error:
            raise BackendUnavailableError(f"can't stop attempt {name}: {error}") from error

    def release(self, name: str) -> None:
        scratch = self._folder(name) / files.SCRATCH
        shutil.rmtree(scratch, ignore_errors=True)

    def read_log(self, name: str, stream: str, *, offset: int, limit: int) -> LogPiece:
        return _read(self._folder(name) / _STREAMS[stream], offset, limit)

    def close(self) -> None:
        self._reap()

    def _folder(self, name: str) -> Path:
        return self._settings.attempts_folder / name


def _tail(path: Path, count: int) -> bytes:
    size = path.stat().st_size if path.exists() else 0
    return _read(path, max(0, size - count), count).data


def _read(path: Path, offset: int, limit: int) -> LogPiece:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(offset)
            return LogPiece(data=file.read(limit), offset=offset, size=size)
    except FileNotFoundError:
        return LogPiece(data=b"", offset=offset, size=0)
