"""Finds every process of an attempt, wherever it has gone: each inherits a variable that names the attempt's folder.

A session isn't enough. A program may leave it (`setsid`, a daemon), and once its leader is dead a session is only a number
that another program may have by now; after a restart of the machine or container that is likely. Standard library only,
as the runner imports it. Needs /proc; elsewhere nothing is found, and the session is all there is.
"""

import os
import signal
import time
from pathlib import Path

from archer.backends.local import procs

VARIABLE = "ARCHER_ATTEMPT_FOLDER"
"""Submissions can't set it: variables of this prefix are Archer's own."""


def variable(folder: Path) -> dict[str, str]:
    """What to add to the environment of the attempt's processes."""
    return {VARIABLE: str(folder)}


def marked(folder: Path) -> list[int]:
    """Pids of the living processes that carry the mark, the caller aside."""
    entry = os.fsencode(f"{VARIABLE}={folder}")
    return [pid for pid in procs.all_pids() if pid != os.getpid() and entry in _environment(pid)]


def _environment(pid: int) -> list[bytes]:
    """As it was when the program started; empty for a process of another user and for one that has ended."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def kill_marked(folder: Path, *, seconds: float = 10.0) -> bool:
    """SIGKILL until nothing carries the mark, children born meanwhile included; False when some remain."""
    deadline = time.monotonic() + seconds
    while pids := marked(folder):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
