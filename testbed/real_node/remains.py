"""What a node keeps outside its namespaces, a folder and a cgroup, and its removal: at the end, or at the next start.

Processes, mounts and the network end with the namespaces, whatever becomes of us. For the rest there is a small claim file
that its owner holds locked; a claim that nobody holds is of somebody who was killed, and is cleared away by the next start.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import IO, Final, Self

from testbed.binaries import cache_root
from testbed.errors import CannotStartError

CGROUPS: Final = Path("/sys/fs/cgroup")
CONTROLLERS: Final = frozenset({"cpu", "cpuset", "hugetlb", "io", "memory", "pids"})
"""What kubelet and runc set limits with, where the machine has it."""
_PATIENCE_SECONDS: Final = 60
"""How long processes that were killed may take to be gone."""


def claims() -> Path:
    """The folder of the claim files."""
    return cache_root() / "real-nodes"


class Claim:
    """One node's folder and cgroup; `release` removes both and the claim."""

    def __init__(self, path: Path, file: IO[str], folder: Path, cgroup: str) -> None:
        self._path, self._file = path, file
        self.folder, self.cgroup = folder, cgroup

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Claim `folder` and a new cgroup."""
        cgroup = f"moka-testbed-{secrets.token_hex(4)}"
        claims().mkdir(parents=True, exist_ok=True)
        path = claims() / f"{cgroup}.json"
        file = path.with_suffix(".new").open("x", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump({"folder": str(folder)}, file)
        file.flush()
        # a claim is seen by a sweep only once it is held
        path.with_suffix(".new").rename(path)
        _make_cgroup(cgroup)
        return cls(path, file, folder, cgroup)

    def release(self) -> None:
        """Remove everything. Raises CannotStartError when a process is still there."""
        remove_cgroup(self.cgroup)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._path.unlink(missing_ok=True)
        self._file.close()


def sweep() -> list[str]:
    """Clear away what killed ones left; returns the names of their cgroups."""
    swept = []
    for path in sorted(claims().glob("*.json")):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_cgroup(path.stem)
            shutil.rmtree(json.loads(file.read())["folder"], ignore_errors=True)
            path.unlink(missing_ok=True)
            swept.append(path.stem)
    return swept


def hierarchies() -> list[Path]:
    """Where cgroups are made: one place with cgroup v2, one for each controller with v1."""
    if is_version_2():
        return [CGROUPS]
    return [path for path in sorted(CGROUPS.iterdir()) if path.is_mount() and not path.is_symlink()]


def is_version_2() -> bool:
    """Whether this machine has cgroup v2 alone."""
    return (CGROUPS / "cgroup.controllers").exists()


def _make_cgroup(name: str) -> None:
    if is_version_2():
        made = CGROUPS / name
        made.mkdir()
        # kubelet takes a cgroup for missing when one of its controllers is
        for folder in (CGROUPS, made):
            there = (folder / "cgroup.controllers").read_text(encoding="utf-8").split()
            wanted = " ".join(f"+{word}" for word in there if word in CONTROLLERS)
            (folder / "cgroup.subtree_control").write_text(wanted, encoding="utf-8")
        return
    for root in hierarchies():
        made = root / name
        made.mkdir()
        for file in ("cpuset.cpus", "cpuset.mems"):
            # nobody is let in before these are set
            if (made / file).exists():
                (made / file).write_text((root / file).read_text(encoding="utf-8"), encoding="utf-8")


def remove_cgroup(name: str) -> None:
    """Remove the cgroup with all that is below it; waits for processes that are on their way out."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for root in hierarchies():
        while not _removed(root / name):
            if time.monotonic() > deadline:
                raise CannotStartError(f"{root / name} still has processes; end them, then start again")
            time.sleep(0.1)


def _removed(folder: Path) -> bool:
    for path, _folders, _files in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            Path(path).rmdir()
    return not folder.exists()
