"""Whether this machine can run a real node: everything that it lacks, each with what to do about it.

What can be asked of the kernel is asked by doing it once, in namespaces that are gone a moment later.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from testbed.errors import CannotRunHereError
from testbed.real_node.files import CNI_PROGRAMS
from testbed.real_node.remains import CGROUPS, hierarchies, is_version_2

DEBIAN_PACKAGES: Final = {
    "runc": "runc",
    "containerd": "containerd",
    "debootstrap": "debootstrap",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
"""{program: the Debian package that has it}."""
CNI_PACKAGE: Final = "containernetworking-plugins"
_NAMESPACES: Final = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
_TRIALS: Final = {
    "network, mount and process namespaces of its own": "true",
    "bridges and pairs of virtual interfaces": (
        "ip link add probe0 type bridge && ip link add probe1 type veth peer name probe2 && ip link set probe1 master probe0"
    ),
    "netfilter": "iptables -t nat -A OUTPUT -p tcp -m comment --comment probe -j RETURN",
    "overlayfs": (
        "mkdir {folder}/upper {folder}/work && "
        "mount -t overlay overlay -o lowerdir=/var/lib,upperdir={folder}/upper,workdir={folder}/work /var/lib"
    ),
    "its own view of the machine's settings": (
        "mount -t proc proc /proc && touch {folder}/panic && mount --bind {folder}/panic /proc/sys/kernel/panic"
    ),
}
_CONTROLLERS: Final = {"cpu", "cpuset", "memory", "pids"}


def require() -> None:
    """Raise CannotRunHereError with everything that is missing, or return."""
    missing = lacks()
    if missing:
        raise CannotRunHereError(
            "a real node can't run on this machine:\n" + "\n".join(f"- {line}" for line in missing)
        )


def lacks() -> list[str]:
    """Return what is missing, each with what to do; nothing when a real node can run."""
    if sys.platform != "linux":
        return [f"Linux is needed, this is {sys.platform}; use a Linux machine or a virtual one"]
    if os.geteuid() != 0:
        return [f"root is needed, this is user {os.geteuid()}; run it as root, in a virtual machine if in doubt"]
    packages = sorted(
        {package for program, package in DEBIAN_PACKAGES.items() if shutil.which(program) is None}
        | (set() if (CNI_PROGRAMS / "bridge").exists() else {CNI_PACKAGE})
    )
    if packages:
        return [f"Debian packages are missing: {', '.join(packages)}; apt-get install {' '.join(packages)}"]
    return [*_refused_by_the_kernel(), *_cgroups()]


def _refused_by_the_kernel() -> list[str]:
    found = []
    for what, trial in _TRIALS.items():
        with tempfile.TemporaryDirectory(prefix="moka-testbed-probe-") as folder:
            command = [*_NAMESPACES, "sh", "-ec", trial.format(folder=folder)]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            found.append(
                f"the kernel does not give us {what}: {said[-1] if said else f'exit code {done.returncode}'}; "
                "use a machine or virtual machine, not a container without these rights"
            )
    return found


def _cgroups() -> list[str]:
    if is_version_2():
        there = set((CGROUPS / "cgroup.controllers").read_text(encoding="utf-8").split())
    else:
        there = {name for path in hierarchies() if os.access(path, os.W_OK) for name in path.name.split(",")}
    missing = sorted(_CONTROLLERS - there)
    if missing:
        return [f"cgroup controllers that we may write to are missing below {Path(CGROUPS)}: {', '.join(missing)}"]
    if not os.access(hierarchies()[0], os.W_OK) or (os.statvfs(hierarchies()[0]).f_flag & os.ST_RDONLY):
        return [f"{CGROUPS} can't be written to; mount it writable"]
    return []
