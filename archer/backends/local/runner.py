"""Runs one attempt: `python -m archer.backends.local.runner FOLDER`.

A process of its own, in a session of its own, so that the death of the server changes nothing for a running job. It
takes the attempt (a second runner for the same folder leaves at once), starts Spark, holds it to its memory limit, ends
it when asked, and writes down how it ended. Standard library only: it lives beside every job, and starts in 0.1 s.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from archer.backends.local import files, marks, procs

LOOK_SECONDS = 0.2
"""Pause between two looks at memory and at the request to stop."""

SEARCH_EVERY = 5
"""Looks between two searches of all the machine's processes for those that left the session: one a second."""

NO_RESOURCES_PATIENCE_SECONDS = 30
"""How long to try to start the program on a machine that has no process, memory or open file left just now."""

NO_SPACE_PATIENCE_SECONDS = 600
"""How long to try to write the outcome on a full disk."""


class Runner:
    """One attempt, from taking it to its outcome."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec: dict[str, Any] = {}
        self.stopped_for: str | None = None
        self.peak_mib = 0.0
        self._pid = os.getpid()
        self._told_to_stop = False
        self._looks = 0
        self._found: list[int] = []
        self._kill_at: float | None = None

    def run(self) -> int:
        """0 when the attempt was run, 3 when another runner has it."""
        spec = files.read(self.folder / files.SPEC)
        if spec is None:
            print(f"no {files.SPEC} in {self.folder}", file=sys.stderr)  # noqa: T201  # this process has no other voice
            return 2
        self.spec = spec
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        me = {"pid": os.getpid(), "identity": procs.identity(os.getpid()), "at": time.time()}
        if not files.take(self.folder / files.STARTED, me):
            return 3
        started_at = time.time()
        outcome = self._run_child() | {"started_at": started_at, "finished_at": time.time()}
        shutil.rmtree(self.folder / files.SCRATCH, ignore_errors=True)
        self._write_outcome(outcome)
        return 0

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to_stop = True

    def _run_child(self) -> dict[str, Any]:
        try:
            child = self._start_when_possible()
        except (OSError, subprocess.SubprocessError) as error:
            return self._outcome(exit_code=127, launch_error=str(error))
        while True:
            try:
                returncode = child.wait(timeout=LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                self._look(child.pid)
        # Python workers outlive a JVM that was killed; daemons leave the session, as a container's end wouldn't let them
        procs.kill_session(child.pid)
        marks.kill_marked(self.folder)
        if returncode < 0:
            return self._outcome(exit_code=128 - returncode, signal_number=-returncode)
        return self._outcome(exit_code=returncode)

    def _start_when_possible(self) -> subprocess.Popen[bytes]:
        deadline = time.monotonic() + NO_RESOURCES_PATIENCE_SECONDS
        while True:
            try:
                return self._start()
            except OSError as error:
                if error.errno not in procs.OUT_OF_RESOURCES or time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_SECONDS)

    def _start(self) -> subprocess.Popen[bytes]:
        scratch = self.folder / files.SCRATCH
        for name in self.spec["scratch_folders"]:
            (scratch / name).mkdir(parents=True, exist_ok=True)
        with (
            (self.folder / files.DRIVER_LOG).open("ab") as stderr,
            (self.folder / files.STDOUT_LOG).open("ab") as stdout,
        ):
            return subprocess.Popen(
                self.spec["command"],
                cwd=scratch / "work",
                env={**self.spec["environment"], **marks.variable(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                # by the child itself, before it becomes Spark: no moment at which Spark runs and nobody knows its pid
                preexec_fn=self._note_child,  # noqa: PLW1509  # this process has one thread
            )

    def _note_child(self) -> None:
        pid = os.getpid()
        files.write(self.folder / files.CHILD, {"pid": pid, "identity": procs.identity(pid)})
        if os.getppid() != self._pid:
            # the runner was killed while we were born: nobody would learn how we end, and the attempt is lost already
            os._exit(1)

    def _look(self, session: int) -> None:
        """One look: memory, requests to stop, the end of the grace."""
        if self._kill_at is not None:
            if time.monotonic() >= self._kill_at:
                procs.kill_session(session)
            return
        if self._over_limit(session):
            self.stopped_for = "memory-limit"
            procs.kill_session(session)
            return
        reason = self._stop_reason()
        # a program that has ended by itself meanwhile keeps its own result
        if reason is not None and procs.identity(session) is not None:
            self.stopped_for = reason
            self._kill_at = time.monotonic() + float(self.spec["grace_seconds"])
            procs.signal_session(session, signal.SIGTERM)

    def _stop_reason(self) -> str | None:
        if self._told_to_stop:
            return "shutdown"
        request = files.read(self.folder / files.STOP)
        return None if request is None else str(request["why"])

    def _over_limit(self, session: int) -> bool:
        members = self._members(session)
        used = procs.memory_mib(members)
        limit = float(self.spec["memory_limit_mib"])
        if used > limit:
            # shared and cached pages made it look like more than it is, perhaps: a container wouldn't be charged for them
            used = procs.exact_memory_mib(members)
        self.peak_mib = max(self.peak_mib, used)
        return used > limit

    def _members(self, session: int) -> list[int]:
        """Every process of the attempt: a container would be charged for a daemon of the program too."""
        if self._looks % SEARCH_EVERY == 0:
            self._found = marks.marked(self.folder)
        self._looks += 1
        return sorted({*procs.session_members(session), *self._found})

    def _outcome(
        self, *, exit_code: int, signal_number: int | None = None, launch_error: str | None = None
    ) -> dict[str, Any]:
        return {
            "exit_code": exit_code,
            "signal": signal_number,
            "stopped_for": self.stopped_for,
            "launch_error": launch_error,
            "peak_memory_mib": round(self.peak_mib),
            "disk_free_mib": self._disk_free_mib(),
        }

    def _disk_free_mib(self) -> int | None:
        """Before the scratch files go: a full disk explains an end of which no log could tell."""
        try:
            return shutil.disk_usage(self.folder).free // (1024 * 1024)
        except OSError:
            return None

    def _write_outcome(self, outcome: dict[str, Any]) -> None:
        deadline = time.monotonic() + NO_SPACE_PATIENCE_SECONDS
        while True:
            try:
                files.write(self.folder / files.OUTCOME, outcome)
            except FileNotFoundError:
                # somebody removed the folder: there is nobody left to tell
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return


if __name__ == "__main__":
    sys.exit(Runner(Path(sys.argv[1])).run())
