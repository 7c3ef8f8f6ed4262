"""Processes: who is alive, which belong to a session, how much memory they use.

Standard library only, as the runner imports it. A process is known by pid, start time and boot, never by pid alone: a
pid is used again after a while. Linux reads /proc; elsewhere `ps` answers, more slowly.
"""

import errno
import os
import signal
import subprocess
import time
from pathlib import Path

OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})
"""No file, memory or process left at this moment: says nothing about the program that was to be started."""

_PROC = Path("/proc")
HAS_PROC = (_PROC / "self" / "stat").exists()


def identity(pid: int) -> str | None:
    """A text that no other process, past or future, has; None when `pid` isn't a living process."""
    return _identity_from_proc(pid) if HAS_PROC else _identity_from_ps(pid)


def _identity_from_proc(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # the name, in parentheses, may hold spaces; state is the first field after it, start time the 20th
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{pid}:{fields[19]}:{boot}"


def _identity_from_ps(pid: int) -> str | None:
    found = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = found.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else f"{pid}:{'-'.join(started.split())}:ps"


def alive(known: str | None) -> bool:
    """Whether the process with this identity lives."""
    return known is not None and identity(int(known.partition(":")[0])) == known


def session_members(session: int) -> list[int]:
    """Pids of the living processes of a session; workers that made process groups of their own are among them."""
    members = []
    for pid in all_pids():
        try:
            if os.getsid(pid) == session and identity(pid) is not None:
                members.append(pid)
        except (ProcessLookupError, PermissionError):
            continue
    return members


def all_pids() -> list[int]:
    """Of every process on the machine."""
    if HAS_PROC:
        return [int(name) for name in os.listdir(_PROC) if name.isdigit()]  # noqa: PTH208  # called 5 times a second
    listing = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True, check=False)
    return [int(word) for word in listing.stdout.split()]


def memory_mib(pids: list[int]) -> float:
    """Resident memory of the processes, shared pages counted once per process: cheap, never too low."""
    if not HAS_PROC:
        listing = subprocess.run(
            ["ps", "-o", "rss=", "-p", ",".join(map(str, pids))], capture_output=True, text=True, check=False
        )
        return sum(map(int, listing.stdout.split())) / 1024
    pages = 0
    for pid in pids:
        try:
            pages += int((_PROC / str(pid) / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError, IndexError):
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / (1024 * 1024)


def exact_memory_mib(pids: list[int]) -> float:
    """Memory as a container is charged for it: shared pages counted once, file cache left out. Costs milliseconds."""
    total = 0
    for pid in pids:
        if _is_a_jvm_seen_twice(pid):
            continue
        try:
            rollup = (_PROC / str(pid) / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return memory_mib(pids)
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
        total += sizes["Pss_Anon"] + sizes["Pss_Shmem"] if "Pss_Anon" in sizes else sizes.get("Pss", 0)
    return total / 1024


def _is_a_jvm_seen_twice(pid: int) -> bool:
    """Whether it is a program that a JVM is just starting and that still is the JVM's own memory (vfork, JDK-8213192).

    Spark starts a `chmod` for every file it writes; on a busy machine, one look in a hundred would count the JVM twice.
    Asked before its memory is read: once it has become a program of its own, it stays one.
    """
    try:
        parent = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1]
        words, parents_words = ((_PROC / each / "cmdline").read_bytes().split(b"\0") for each in (str(pid), parent))
    except (FileNotFoundError, ProcessLookupError, PermissionError, IndexError):
        return False
    return words == parents_words and words[0].rpartition(b"/")[2] == b"java"


def signal_session(session: int, number: signal.Signals) -> bool:
    """Send a signal to every process of a session; whether there was one."""
    members = session_members(session)
    for pid in members:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
    return bool(members)


def kill_session(session: int, *, seconds: float = 10.0) -> bool:
    """SIGKILL until nothing of the session is left, children born meanwhile included; False when some remain."""
    deadline = time.monotonic() + seconds
    while signal_session(session, signal.SIGKILL):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
