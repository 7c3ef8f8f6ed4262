"""The process that owns a testbed's programs: it starts them, stops them, and ends them all when its parent is gone.

Run as a file by `testbed.keeper`, standard library only. Requests are JSON lines on standard input, answers are JSON lines
on standard output. Only the parent holds the other end of standard input: when the parent ends, `kill -9` included, the
pipe closes, everything is killed and the folder is removed. On Linux the programs die with this process too.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
_running: dict[str, subprocess.Popen[bytes]] = {}


def main(folder: str) -> None:
    """Answer requests until standard input closes or SIGTERM comes; then clear everything away."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    try:
        for line in sys.stdin:
            print(json.dumps(_answer(json.loads(line))), flush=True)  # noqa: T201  # the protocol
    except BrokenPipeError:
        pass  # the parent is gone; the pipe's other half would say so in a moment
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for name in list(_running):
            _stop(name, signal.SIGKILL, 0)
        shutil.rmtree(folder, ignore_errors=True)
        # a reader of the answers may be gone; Python must not complain about that at its end
        os._exit(0)


def _leave(_number: int, _frame: object) -> NoReturn:
    sys.exit(0)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    name = request["name"]
    match request["do"]:
        case "start":
            return _start(name, request)
        case "stop":
            return {"code": _stop(name, request["signal"], request["patience"])}
        case "look":
            return {"code": _running[name].poll() if name in _running else None, "known": name in _running}
        case unknown:
            return {"error": f"no request {unknown!r}"}


def _start(name: str, request: dict[str, Any]) -> dict[str, Any]:
    if name in _running and _running[name].poll() is None:
        return {"error": f"{name} is running already"}
    try:
        with Path(request["log"]).open("ab") as log:
            process = subprocess.Popen(
                request["command"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=request["cwd"],
                env=request["env"],
                user=request["user"],
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  # this process has one thread
            )
    except OSError as error:
        return {"error": str(error)}
    _running[name] = process
    return {"pid": process.pid}


def _stop(name: str, number: int, patience: float) -> int | None:
    process = _running.pop(name, None)
    if process is None:
        return None
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    # what it started itself is in its session, unless it made one of its own
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
