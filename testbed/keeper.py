"""Programs that cannot outlive us, and a folder that cannot either: our side of `keeper_process`.

Each keeper is one small process with one folder. Whoever holds a Keeper may start and stop programs by name; when the holder
ends in any way, so do the programs, and the folder is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from testbed.errors import CannotStartError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROGRAM: Final = Path(__file__).with_name("keeper_process.py")


class Keeper:
    """Starts, stops and watches programs by name; `folder` is theirs and ours to write in."""

    def __init__(self, prefix: str = "moka-testbed-") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        self._lock = threading.Lock()
        with (self.folder / "keeper.log").open("wb") as log:
            self._process = subprocess.Popen(
                # isolated: no variable of the shell decides what it imports
                [sys.executable, "-I", str(_PROGRAM), str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                start_new_session=True,
                text=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self, name: str) -> Path:
        """The file with everything that program said."""
        return self.folder / f"{name}.log"

    def log_tail(self, name: str, lines: int = 15) -> str:
        """The last lines of it."""
        with contextlib.suppress(FileNotFoundError):
            text = self.log(name).read_text(encoding="utf-8", errors="replace")
            return "\n".join(text.rstrip().splitlines()[-lines:])
        return ""

    def start(
        self, name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None, *, user: str | None = None
    ) -> int:
        """Start a program, as `user` where we may; returns its process id. Raises CannotStartError."""
        request = {
            "do": "start",
            "name": name,
            "command": [str(word) for word in command],
            "env": dict(os.environ if env is None else env),
            "log": str(self.log(name)),
            "cwd": str(self.folder),
            "user": user,
        }
        answer = self._ask(request)
        return int(answer["pid"])

    def stop(self, name: str, *, how: signal.Signals = signal.SIGKILL, patience_seconds: float = 10) -> int | None:
        """Send a signal, and SIGKILL after the patience; returns the exit code, None for a program that is not there."""
        answer = self._ask({"do": "stop", "name": name, "signal": int(how), "patience": patience_seconds})
        code: int | None = answer["code"]
        return code

    def check(self, *names: str) -> None:
        """Raises CannotStartError, with the program's last words, when one of them is not running."""
        for name in names:
            answer = self._ask({"do": "look", "name": name})
            if not answer["known"]:
                raise CannotStartError(f"{name} is not running")
            if answer["code"] is not None:
                raise CannotStartError(f"{name} ended with code {answer['code']}; it said:\n{self.log_tail(name)}")

    def running(self, name: str) -> bool:
        """Whether that program runs."""
        answer = self._ask({"do": "look", "name": name})
        return bool(answer["known"]) and answer["code"] is None

    def close(self) -> None:
        """End everything and remove the folder; returns when both are gone. May be called twice."""
        with self._lock:
            if self._process.stdin is not None and not self._process.stdin.closed:
                with contextlib.suppress(BrokenPipeError):
                    self._process.stdin.close()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            try:
                self._process.stdin.write(json.dumps(request) + "\n")
                self._process.stdin.flush()
                line = self._process.stdout.readline()
            except (BrokenPipeError, ValueError) as error:
                raise CannotStartError(f"can't {request['do']} {request['name']}: the testbed has ended") from error
        if not line:
            raise CannotStartError(f"can't {request['do']} {request['name']}: the keeper of the testbed was killed")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise CannotStartError(f"can't {request['do']} {request['name']}: {answer['error']}")
        return answer
