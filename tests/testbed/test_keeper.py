"""Programs end with whoever started them, however that ends, and so does the folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from testbed.errors import CannotStartError
from testbed.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
TREE = [sys.executable, "-c", PARENT]
HOLDER = """
import sys, threading, time
from testbed.keeper import Keeper
keeper = Keeper("moka-keeper-test-")
pids = []
# from a thread that ends: a program must outlive the thread that asked for it
thread = threading.Thread(target=lambda: pids.append(keeper.start("sleep", [sys.executable, "-c", "import time; time.sleep(600)"])))
thread.start(); thread.join()
print(keeper.pid, pids[0], keeper.folder, flush=True)
time.sleep(600)
"""


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    made = Keeper("moka-keeper-test-")
    yield made
    made.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_close_ends_every_program_and_removes_the_folder(keeper: Keeper) -> None:
    pids = [keeper.start(name, SLEEP) for name in ("one", "two")]
    (keeper.folder / "data").write_text("something")

    keeper.close()

    assert [pid for pid in pids if alive(pid)] == []
    assert not keeper.folder.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_holder_that_is_killed(number: signal.Signals) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=ROOT, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL
    )
    assert holder.stdout is not None
    keeper_pid, program_pid, folder = holder.stdout.readline().split()
    assert alive(int(program_pid))

    holder.send_signal(number)
    holder.wait()
    holder.stdout.close()

    until(lambda: not alive(int(program_pid)) and not alive(int(keeper_pid)) and not Path(folder).exists())


def test_programs_die_with_a_keeper_that_is_killed(keeper: Keeper) -> None:
    pid = keeper.start("sleep", SLEEP)

    os.kill(keeper.pid, signal.SIGKILL)

    until(lambda: not alive(pid))
    with pytest.raises(
        CannotStartError, match=r"can't start again: the (keeper of the testbed was killed|testbed has ended)"
    ):
        keeper.start("again", SLEEP)
    keeper.close()
    assert not keeper.folder.exists()


def test_what_a_program_started_ends_with_it(keeper: Keeper) -> None:
    keeper.start("tree", TREE)
    until(lambda: keeper.log_tail("tree").strip().isdigit())
    grandchild = int(keeper.log_tail("tree"))
    assert alive(grandchild)

    assert keeper.stop("tree") == -signal.SIGKILL

    until(lambda: not alive(grandchild))


def test_a_program_that_ignores_the_signal_is_killed_after_the_patience(keeper: Keeper) -> None:
    keeper.start("stubborn", STUBBORN)
    until(lambda: "up" in keeper.log_tail("stubborn"))

    assert keeper.stop("stubborn", how=signal.SIGTERM, patience_seconds=0.2) == -signal.SIGKILL
    assert not keeper.running("stubborn")


def test_check_tells_the_exit_code_and_the_last_words(keeper: Keeper) -> None:
    keeper.start("short", [sys.executable, "-c", "print('no such flag'); raise SystemExit(3)"])
    until(lambda: not keeper.running("short"))

    with pytest.raises(CannotStartError, match=r"short ended with code 3; it said:\nno such flag"):
        keeper.check("short")
    with pytest.raises(CannotStartError, match="other is not running"):
        keeper.check("other")


def test_a_program_that_is_not_there_is_named(keeper: Keeper) -> None:
    with pytest.raises(CannotStartError, match=r"can't start etcd: .*No such file.*/no/etcd"):
        keeper.start("etcd", ["/no/etcd"])


def test_one_name_runs_once_and_may_run_again(keeper: Keeper) -> None:
    keeper.start("sleep", SLEEP)
    with pytest.raises(CannotStartError, match="sleep is running already"):
        keeper.start("sleep", SLEEP)

    keeper.stop("sleep")
    pid = keeper.start("sleep", SLEEP)

    assert alive(pid)
    assert keeper.stop("never-started") is None


def test_nobody_else_may_look_into_the_folder(keeper: Keeper) -> None:
    assert keeper.folder.stat().st_mode & 0o077 == 0
