"""Child processes that end with us: each in a session of its own, each with a log file, each stoppable with its whole tree.

A terminal's Ctrl-C reaches the foreground group only, so children in sessions of their own hear of it from us, in the order we
choose. What a child started itself is found through the process table before the child is stopped: a tree, not a name.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


class Child:
    """One child process; its stdout and stderr go to `log`, its stdin is a pipe that closes when we end, however we end."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, cwd: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = log.open("wb")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(env),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of what it said."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()[-lines:])

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself; what it started is its own to stop."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def family(self) -> list[psutil.Process]:
        """The process and everything below it, as the process table says now."""
        try:
            me = psutil.Process(self.pid)
            return [me, *me.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def close(self) -> None:
        """Reap the process, which must have ended, and release its files."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()
        self._file.close()


def kill_all(processes: Iterable[psutil.Process], patience_seconds: float = 5.0) -> list[psutil.Process]:
    """SIGKILL to every one that still lives; returns those that live on after `patience_seconds`."""
    living = still_living(processes)
    for process in living:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    # not psutil.wait_procs: it reaps our own children, whose exit code would then be lost
    deadline = time.monotonic() + patience_seconds
    while (living := still_living(living)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return living


def still_living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that run, each once; a zombie is dead, its parent has just not looked yet."""
    found = {}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = process
    return list(found.values())


def venv_environment(bin_folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment with the virtual environment's programs (python, node) first on PATH."""
    path = os.pathsep.join([str(bin_folder), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, **(extra or {})}
