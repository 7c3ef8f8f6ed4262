"""Who is alive, what belongs together, how much memory it uses."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archer.backends.local import procs

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_process_is_known_for_as_long_as_it_lives() -> None:
    process = subprocess.Popen(SLEEP)
    known = procs.identity(process.pid)
    assert procs.alive(known)

    process.kill()
    process.wait()

    assert not procs.alive(known)
    assert procs.identity(process.pid) is None


def test_a_zombie_is_dead() -> None:
    process = subprocess.Popen(["true"])
    deadline = time.monotonic() + 20
    while procs.identity(process.pid) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)

    assert Path(f"/proc/{process.pid}").exists()
    process.wait()


def test_a_recycled_pid_is_not_taken_for_the_first_process() -> None:
    mine = procs.identity(os.getpid())
    assert mine is not None
    pid, start, boot = mine.split(":")

    assert procs.alive(mine)
    assert not procs.alive(f"{pid}:{int(start) - 1}:{boot}")
    assert not procs.alive(f"{pid}:{start}:another-boot")
    assert not procs.alive(None)


def test_a_name_with_spaces_and_brackets_does_not_confuse(tmp_path: Path) -> None:
    odd = tmp_path / "a) R (b"
    odd.symlink_to("/bin/sleep")
    process = subprocess.Popen([str(odd), "60"])

    assert procs.identity(process.pid)

    process.kill()
    process.wait()


def test_a_session_is_killed_with_groups_of_its_own_and_children_born_late() -> None:
    program = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], process_group=0)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    leader = subprocess.Popen([sys.executable, "-c", program], start_new_session=True, stdout=subprocess.PIPE)
    assert leader.stdout is not None
    child = int(leader.stdout.readline())
    assert set(procs.session_members(leader.pid)) == {leader.pid, child}

    assert procs.kill_session(leader.pid)

    assert procs.session_members(leader.pid) == []
    assert leader.wait() == -signal.SIGKILL
    leader.stdout.close()


def test_memory_counts_a_page_once_however_many_share_it() -> None:
    program = (
        "import os, time\n"
        "data = bytearray(b'x' * 100_000_000)\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(60)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    leader = subprocess.Popen([sys.executable, "-c", program], start_new_session=True, stdout=subprocess.PIPE)
    assert leader.stdout is not None
    leader.stdout.readline()
    members = procs.session_members(leader.pid)

    assert len(members) == 4
    assert procs.memory_mib(members) > 350
    assert 90 < procs.exact_memory_mib(members) < 200

    procs.kill_session(leader.pid)
    leader.wait()
    leader.stdout.close()


def test_processes_that_are_gone_count_nothing() -> None:
    process = subprocess.Popen(["true"])
    process.wait()

    assert procs.memory_mib([process.pid]) == 0
    assert procs.exact_memory_mib([process.pid]) == 0
    assert not procs.signal_session(process.pid, signal.SIGTERM)


def test_where_there_is_no_proc_ps_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procs, "HAS_PROC", False)
    leader = subprocess.Popen(SLEEP, start_new_session=True)

    known = procs.identity(leader.pid)

    assert procs.alive(known)
    assert procs.session_members(leader.pid) == [leader.pid]
    assert procs.memory_mib([leader.pid]) > 1
    assert procs.kill_session(leader.pid)
    leader.wait()
    assert not procs.alive(known)
