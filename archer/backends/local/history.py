"""Spark's own History Server beside the API: reads the event logs of finished and running jobs.

A convenience: whatever happens to it, Archer goes on without it and says so in its log.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Any

import structlog

from archer.backends.local import spark
from archer.backends.local.java import find_java
from archer.errors import ArcherError
from archer.ports import free_port
from archer.settings import ServeSettings

HOST = "127.0.0.1"
_TRIES = 5
_UPDATE_SECONDS = 3
"""Pause between its looks for new event logs."""

_log = structlog.get_logger()


class HistoryServer:
    """The child process, its keeper, and the thread that starts it again on another port when it fails."""

    def __init__(
        self, settings: ServeSettings, environment: Mapping[str, str], *, on_change: Callable[[], None] = lambda: None
    ) -> None:
        self.url: str | None = None
        """Where it listens, or is about to; None when it doesn't run."""
        self._settings = settings
        self._environment = environment
        self._on_change = on_change
        self._stop = Event()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._run, name="history-server", daemon=True)

    def start(self) -> None:
        """Returns at once, with `url` set when it could be started."""
        self._launch()
        self._thread.start()

    def stop(self) -> None:
        """Close the keeper's pipe and wait for both to be gone."""
        self._stop.set()
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
        self._thread.join(10)

    def _run(self) -> None:
        for _ in range(_TRIES):
            if self._keeper is None:
                break
            code = self._keeper.wait()
            if self._stop.is_set():
                return
            _log.warning("history server ended", code=code, log=str(self._log_file))
            self._stop.wait(1)
            self._launch()
            self._on_change()
        self.url = None
        self._on_change()
        _log.error("history server given up", log=str(self._log_file))

    def _launch(self) -> None:
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
        self._keeper = None
        self.url = None
        if self._stop.is_set():
            return
        try:
            avoid = frozenset({self._settings.port})
            port = free_port(HOST, self._settings.history_port, avoid=avoid)
            self._keeper = self._start_keeper(port)
        except (ArcherError, OSError) as error:
            _log.warning("no history server", error=str(error))
            return
        self.url = f"http://{HOST}:{port}"
        _log.info("history server starts", url=self.url)

    @property
    def _log_file(self) -> Path:
        return self._settings.data.absolute() / "history-server.log"

    def _start_keeper(self, port: int) -> subprocess.Popen[bytes]:
        events = self._settings.events_folder
        events.mkdir(mode=0o700, parents=True, exist_ok=True)
        java = find_java(self._settings.java_home, self._environment)
        conf = {
            # not `as_uri()`: unlike the event log's writer, the reader would take %20 for part of the name
            "spark.history.fs.logDirectory": f"file://{events}",
            "spark.history.fs.update.interval": f"{_UPDATE_SECONDS}s",
            "spark.history.ui.port": str(port),
            # a taken port must end it, so that we choose the next one and know which
            "spark.port.maxRetries": "0",
        }
        options = [f"-D{key}={value}" for key, value in conf.items()]
        command = [
            *(str(java.executable), f"-Xmx{self._settings.history_memory}", "-XX:-UsePerfData"),
            *spark.MODULE_OPTIONS,
            *options,
            *("-cp", str(spark.spark_home() / "jars" / "*"), "org.apache.spark.deploy.history.HistoryServer"),
        ]
        nothing: dict[str, Any] = {"environment": {}, "conf": {}}
        scratch = self._settings.data.absolute()
        environment = spark.environment(self._environment, nothing, java=java, scratch=scratch)
        environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[3])
        # that one is for a job's scratch folder
        del environment["TMPDIR"]
        with self._log_file.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-S", "-P", "-m", "archer.backends.local.keeper", *command],
                env=environment,
                cwd=os.sep,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
