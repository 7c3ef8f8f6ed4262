"""Keeps one helper process for as long as its parent lives: `python -m archer.backends.local.keeper COMMAND…`.

Standard input is a pipe whose other end only the parent holds. When the parent ends, in whatever way, the pipe closes and
the helper is stopped; `kill -9` of the parent leaves nothing behind. Standard library only.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys

from archer.backends.local import procs

_LOOK_SECONDS = 0.25
_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    """The helper's exit code, or 0 after the parent's end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent_gone = False
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509  # this process has one thread
    )
    while child.poll() is None and not parent_gone:
        readable, _, _ = select.select([sys.stdin], [], [], _LOOK_SECONDS)
        parent_gone = bool(readable) and not os.read(sys.stdin.fileno(), 4096)
    if parent_gone:
        procs.kill_session(child.pid)
    child.wait()
    return 0 if parent_gone else child.returncode


def _die_with_parent() -> None:
    """Where Linux offers it, the helper dies with the keeper too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
