"""Looks at attempts' folders and processes, and says where each attempt stands.

When a runner has died without an outcome, nobody can learn how its Spark process ends. So whatever is left of it is
killed here, before the attempt is called vanished: a repeated attempt must never run beside the first.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archer.backends.interface import Observation, Outcome, Phase
from archer.backends.local import files, marks, procs, spark
from archer.backends.local.attempt_logs import read_piece, tail
from archer.diagnosis import Evidence

TAIL_BYTES = 64 * 1024
"""How much of each log's end a diagnosis reads."""

_UI = re.compile(r"Successfully started service 'SparkUI' on port (\d+)")
_HEAD_BYTES = 256 * 1024
"""Spark names its page's port within the first lines."""


class Observer:
    """Knows where the event logs are; remembers only addresses of Spark's pages, which cost a read each."""

    def __init__(self, events: Path) -> None:
        self._events = events
        self._ui_urls: dict[str, str] = {}

    def forget_all_but(self, names: set[str]) -> None:
        """Attempts that nobody asks about any more."""
        for name in self._ui_urls.keys() - names:
            self._ui_urls.pop(name, None)

    def observe(self, folder: Path) -> Observation:
        """Raises OSError when the folder can't be read."""
        try:
            return self._observe(folder)
        except (ValueError, LookupError, TypeError) as error:
            # our files appear whole or not at all, so somebody else changed one
            return self._abandoned(folder, f"a file of its folder was damaged: {error!r}")

    def _observe(self, folder: Path) -> Observation:
        outcome = files.read(folder / files.OUTCOME)
        if outcome is None:
            started = files.read(folder / files.STARTED)
            if started is None:
                return self._abandoned(folder, "its folder holds no sign of a start")
            if procs.alive(started["identity"]):
                return self._living(folder)
            # it may have written its outcome between our two looks
            outcome = files.read(folder / files.OUTCOME)
        if outcome is None:
            return self._after_runner(folder)
        app_id = self._app_id(folder)
        ended = _outcome(folder, outcome, application_started=app_id is not None)
        return Observation(phase=Phase.ENDED, spark_app_id=app_id, outcome=ended)

    def _living(self, folder: Path) -> Observation:
        app_id = self._app_id(folder)
        stopping = files.read(folder / files.STOP)
        return Observation(
            phase=Phase.STARTING if app_id is None else Phase.RUNNING,
            substate=f"stopping: {stopping['why']}" if stopping else None,
            spark_app_id=app_id,
            ui_url=None if app_id is None else self._ui_url(folder),
        )

    def _app_id(self, folder: Path) -> str | None:
        """Known once Spark has begun to write the event log."""
        app_id = spark.application_id(folder.name)
        return app_id if (self._events / spark.event_log_name(app_id)).exists() else None

    def _ui_url(self, folder: Path) -> str | None:
        if folder.name not in self._ui_urls:
            head = read_piece(folder / files.DRIVER_LOG, 0, _HEAD_BYTES).data
            match = _UI.search(head.decode(errors="replace"))
            if match is None:
                return None
            self._ui_urls[folder.name] = f"http://127.0.0.1:{match[1]}"
        return self._ui_urls[folder.name]

    def _after_runner(self, folder: Path) -> Observation:
        child = files.read(folder / files.CHILD)
        if child is None:
            return self._abandoned(folder, "its runner died before it started Spark")
        leader = procs.identity(child["pid"])
        # without its leader a session is only a number, which may be another program's by now: the mark tells
        ours = leader == child["identity"] or (leader is None and not procs.HAS_PROC)
        if ours and not procs.kill_session(child["pid"]):
            return Observation(phase=Phase.RUNNING, substate="its runner died; its processes are being killed")
        app_id = self._app_id(folder)
        log = tail(folder / files.DRIVER_LOG, 500)
        why = f"its runner died; what it had started was killed; the log ends:\n{log}"
        gone = self._abandoned(folder, why, app_id=app_id)
        stopping = files.read(folder / files.STOP)
        if gone.phase is not Phase.VANISHED or stopping is None:
            return gone
        # its end was asked for, and here it is: to repeat what had run too long would make it longer still
        unseen = {"exit_code": None, "signal": None, "launch_error": None, "peak_memory_mib": None}
        stopped = _outcome(folder, {**unseen, "stopped_for": stopping["why"]}, application_started=app_id is not None)
        return Observation(phase=Phase.ENDED, spark_app_id=app_id, outcome=stopped)

    @staticmethod
    def _abandoned(folder: Path, why: str, *, app_id: str | None = None) -> Observation:
        """Vanished, but only once nothing of it runs any more: not a runner either, which would start something yet."""
        if not marks.kill_marked(folder):
            return Observation(phase=Phase.RUNNING, substate=f"its processes are being killed: {why}")
        return Observation(phase=Phase.VANISHED, spark_app_id=app_id, last_seen=why)


def _outcome(folder: Path, outcome: Mapping[str, Any], *, application_started: bool) -> Outcome:
    spec = files.read(folder / files.SPEC) or {}
    evidence = Evidence(
        application=spec.get("application", ""),
        exit_code=outcome["exit_code"],
        signal=outcome["signal"],
        stopped_for=outcome["stopped_for"],
        launch_error=outcome["launch_error"],
        peak_memory_mib=outcome["peak_memory_mib"],
        memory_limit_mib=spec.get("memory_limit_mib"),
        disk_free_mib=outcome.get("disk_free_mib"),
        heap=f"{spec['heap_mib']}m" if spec else None,
        conf_keys=frozenset(spec.get("conf_keys", ())),
        driver_log=tail(folder / files.DRIVER_LOG, TAIL_BYTES),
        stdout=tail(folder / files.STDOUT_LOG, TAIL_BYTES),
        application_started=application_started,
    )
    return Outcome(
        # a program may answer SIGTERM with exit code 0: it was stopped all the same
        succeeded=outcome["exit_code"] == 0 and outcome["stopped_for"] is None,
        stopped_for=outcome["stopped_for"],
        exit_code=outcome["exit_code"],
        evidence=evidence,
    )
