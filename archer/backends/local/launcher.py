"""Starts an attempt's runner, once, and returns when somebody has taken the attempt."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from archer.backends.local import files, marks, spark
from archer.backends.local.attempt_logs import tail
from archer.backends.local.java import Java, find_java
from archer.errors import BackendUnavailableError, LaunchRefusedError
from archer.settings import ServeSettings


class Launcher:
    """Turns a plan into a folder and a process."""

    def __init__(self, settings: ServeSettings, environment: Mapping[str, str], *, host_memory_mib: int) -> None:
        self._settings = settings
        self._environment = environment
        self._host_memory_mib = host_memory_mib
        self._java: Java | None = None
        self._runners: list[subprocess.Popen[bytes]] = []
        self._runners_lock = Lock()

    def launch(self, folder: Path, spec: Mapping[str, Any]) -> str:
        """The runner's pid, as text. Raises LaunchRefusedError, BackendUnavailableError."""
        self.reap()
        try:
            # logs and properties may hold secrets
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (folder / files.STARTED).exists():
                self._refuse_impossible(spec)
                files.take(folder / files.SPEC, self._runner_spec(folder, spec))
                self._start_runner(folder)
            started = self._started(folder)
        except OSError as error:
            raise BackendUnavailableError(f"can't start attempt {folder.name}: {error}") from error
        return f"pid {started.get('pid')}"

    @staticmethod
    def _started(folder: Path) -> Mapping[str, Any]:
        try:
            return files.read(folder / files.STARTED) or {}
        except ValueError:
            # somebody damaged it: it was started, and the observer sees to the rest
            return {}

    def reap(self) -> None:
        """Runners that ended while we, their parent, live would stay as zombies."""
        with self._runners_lock:
            self._runners = [runner for runner in self._runners if runner.poll() is None]

    def close(self) -> None:
        """Let go of the runners; they run on."""
        self.reap()
        with self._runners_lock:
            for runner in self._runners:
                # what `subprocess` would warn of, a child left alone, is meant here
                runner.returncode = 0
            self._runners = []

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
        java = None if self._settings.spark_submit_command else self._find_java()
        events = self._settings.events_folder
        events.mkdir(mode=0o700, parents=True, exist_ok=True)
        conf = spark.effective_conf(spec["conf"], app_id=spec["spark_app_id"], scratch=scratch, events=events)
        properties = folder / "spark.properties"
        # a job's properties may hold secrets
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

    def _start_runner(self, folder: Path) -> None:
        package_root = Path(__file__).resolve().parents[3]
        with (folder / files.RUNNER_LOG).open("ab") as log:
            runner = subprocess.Popen(
                # without `site`: no start-up hooks of installed packages, and half the start time
                [sys.executable, "-S", "-P", "-m", "archer.backends.local.runner", str(folder)],
                env={"PYTHONPATH": str(package_root), "PATH": os.defpath, **marks.variable(folder)},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        with self._runners_lock:
            self._runners.append(runner)
        deadline = time.monotonic() + self._settings.launch_timeout_seconds
        while not (folder / files.STARTED).exists():
            if runner.poll() is not None or time.monotonic() > deadline:
                said = tail(folder / files.RUNNER_LOG, 2000).strip() or "it said nothing"
                raise BackendUnavailableError(f"the runner of attempt {folder.name} did not start: {said}")
            time.sleep(0.005)
