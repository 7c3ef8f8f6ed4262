"""The first process of a node's namespaces: it furnishes them, says who it is, and reaps what ends in them.

Run as a file by `testbed.real_node.node`, below `unshare --mount --net --pid --fork --kill-child`, standard library only. When
it ends, the kernel ends every process, mount, address and packet filter rule in here; nothing has to be tidied up one by one.

    room.py FOLDER BRIDGE ADDRESS/LENGTH
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final, NoReturn

SYSCTLS: Final = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What kubelet wants of the whole machine. In here it finds that already, in files that lie over the real ones."""
CHANGED: Final = ("/var/lib", "/var/log")
"""Folders of the host that are written to under fixed names, device plugins' sockets for example; in here those are copies."""


def main(folder: Path, bridge: str, address: str) -> NoReturn:
    """Furnish, write `room.pid`, and stay for ever."""
    # in the host's /proc, which is still the one that we see, we have the host's number
    number = Path("/proc/self").readlink().name
    _run("mount", "--make-rshared", "/")
    _run("mount", "-t", "proc", "proc", "/proc")
    covers = folder / "sysctls"
    covers.mkdir()
    for name, value in SYSCTLS.items():
        cover = covers / name.replace("/", ".")
        cover.write_text(f"{value}\n", encoding="utf-8")
        _run("mount", "--bind", str(cover), f"/proc/sys/{name}")
    for place in CHANGED:
        upper, work = (folder / "changed" / f"{place.strip('/').replace('/', '-')}{part}" for part in ("", ".work"))
        upper.mkdir(parents=True)
        work.mkdir()
        options = f"lowerdir={place},upperdir={upper},workdir={work}"
        _run("mount", "-t", "overlay", "overlay", "-o", options, place)
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "link", "add", bridge, "type", "bridge")
    _run("ip", "address", "add", address, "dev", bridge)
    _run("ip", "link", "set", bridge, "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="utf-8")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    written = folder / "room.writing"
    written.write_text(number, encoding="utf-8")
    written.rename(folder / "room.pid")
    while True:
        signal.sigwait({signal.SIGCHLD})
        _reap()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _run(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"`{' '.join(command)}` failed with exit code {done.returncode}: {done.stdout.strip()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
