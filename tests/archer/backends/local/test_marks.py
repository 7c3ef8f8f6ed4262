"""Processes are found by the mark they inherit, wherever they went; nobody else's are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archer.backends.local import marks

# leaves the session the way daemons do: a leader that ends, and a grandchild that stays
DAEMON = """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), os.getsid(0), flush=True)
        os.close(1)
        os.execvp("sleep", ["sleep", "60"])
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows a process's environment")


def daemon(environment: dict[str, str]) -> tuple[int, int]:
    """Pid and session of a daemon with this environment."""
    done = subprocess.run(
        [sys.executable, "-c", DAEMON], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True
    )
    pid, session = map(int, done.stdout.split())
    return pid, session


def test_a_daemon_that_left_its_session_is_found_and_killed(tmp_path: Path) -> None:
    pid, _ = daemon(marks.variable(tmp_path))
    assert marks.marked(tmp_path) == [pid]

    assert marks.kill_marked(tmp_path)

    assert marks.marked(tmp_path) == []


def test_the_mark_of_another_attempt_is_not_ours(tmp_path: Path) -> None:
    pid, _ = daemon(marks.variable(tmp_path / "j-1-11"))

    assert marks.marked(tmp_path / "j-1-1") == []
    assert marks.kill_marked(tmp_path / "j-1-1")

    assert marks.marked(tmp_path / "j-1-11") == [pid]
    os.kill(pid, signal.SIGKILL)


def test_whoever_asks_is_left_alone(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from archer.backends.local import marks\n"
        "assert marks.kill_marked(Path(sys.argv[1])); print('alive')"
    )
    environment = {**os.environ, **marks.variable(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "alive\n")
