"""A helper process lives as long as its parent, however that ends."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archer.backends.local import procs

ROOT = Path(__file__).parents[4]
KEEPER = [sys.executable, "-S", "-P", "-m", "archer.backends.local.keeper"]
HELPER = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while procs.identity(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def start() -> tuple[subprocess.Popen[bytes], int]:
    keeper = subprocess.Popen(
        [*KEEPER, sys.executable, "-c", HELPER],
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert keeper.stdout is not None
    return keeper, int(keeper.stdout.readline())


def close(keeper: subprocess.Popen[bytes]) -> None:
    for pipe in (keeper.stdin, keeper.stdout):
        if pipe is not None:
            pipe.close()


def test_the_end_of_the_pipe_ends_the_helper() -> None:
    keeper, helper = start()
    assert keeper.stdin is not None

    keeper.stdin.close()

    assert keeper.wait(20) == 0
    assert gone(helper)
    close(keeper)


def test_kill_minus_nine_of_the_parent_ends_the_helper() -> None:
    program = (
        "import subprocess, sys\n"
        f"keeper = subprocess.Popen([*{KEEPER!r}, sys.executable, '-c', {HELPER!r}], stdin=subprocess.PIPE, start_new_session=True)\n"
        "keeper.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    helper = int(parent.stdout.readline())

    parent.kill()
    parent.wait()

    assert gone(helper)
    close(parent)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl(PR_SET_PDEATHSIG)")
def test_kill_minus_nine_of_the_keeper_ends_the_helper() -> None:
    keeper, helper = start()

    keeper.send_signal(signal.SIGKILL)
    keeper.wait()

    assert gone(helper)
    close(keeper)


def test_the_helpers_own_end_is_passed_on() -> None:
    keeper = subprocess.Popen(
        [*KEEPER, sys.executable, "-c", "import sys; sys.exit(5)"],
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
    )

    assert keeper.wait(20) == 5
    close(keeper)
