"""Asks for the end of an attempt, takes the name of one that has not begun, and ends a runner that does not answer.

The request is a file that the runner looks for. A runner that is stopped (SIGSTOP, a frozen container) or hangs in the
kernel never looks, and its job would stay CANCELLING for ever; so after its time it is killed, and the observer, which finds
it dead with a request on the table, kills the rest and says that the attempt was stopped.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from archer.backends.interface import StopReason
from archer.backends.local import files, procs

ANSWER_SECONDS = 20.0
"""What a runner may take beyond the job's grace: to look, to kill, and to write how it ended."""


class Stopper:
    """Remembers only since when it has been asking. By its own clock: the machine's may be set meanwhile."""

    def __init__(self, grace_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = grace_seconds + ANSWER_SECONDS
        self._clock = clock
        self._asked: dict[str, float] = {}

    def stop(self, folder: Path, why: StopReason) -> None:
        """May be repeated, and must be: only a repetition notices that nobody answers. Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / files.STOP).exists():
            files.take(folder / files.STOP, {"why": why.value, "at": time.time()})
        if not (folder / files.STARTED).exists():
            _take_away(folder, why)
        asked = self._asked.setdefault(folder.name, self._clock())
        if self._clock() - asked > self._patience:
            _kill_runner(folder)

    def forget(self, name: str) -> None:
        """The attempt has ended."""
        self._asked.pop(name, None)


def _take_away(folder: Path, why: StopReason) -> None:
    """Not started yet: taken by us, no runner can ever have it."""
    if files.take(folder / files.STARTED, {"pid": 0, "identity": None, "at": time.time()}):
        nothing = {"exit_code": None, "signal": None, "launch_error": None, "peak_memory_mib": 0}
        files.write(folder / files.OUTCOME, {**nothing, "stopped_for": why.value})


def _kill_runner(folder: Path) -> None:
    # a damaged file is the observer's business
    with contextlib.suppress(ValueError, LookupError, ProcessLookupError):
        started = files.read(folder / files.STARTED) or {"identity": None}
        if procs.alive(started["identity"]):
            os.kill(started["pid"], signal.SIGKILL)
