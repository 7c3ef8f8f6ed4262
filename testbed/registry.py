"""Which testbeds `python -m testbed up` runs now: a small file for each, so that `status` and `down` find them.

A file is no promise: the process that it names must live and be the one that wrote it, or the file is removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from moka.errors import BadInputError
from testbed.errors import CannotStartError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.cluster import Cluster


@dataclass(frozen=True, kw_only=True)
class Running:
    """One testbed and the process that holds it."""

    pid: int
    born: float
    """When the process started: another one may get its number later."""
    context: str
    server: str
    kubeconfig: str
    kind: str = "testbed"
    """What it is to a person."""

    @property
    def lives(self) -> bool:
        """Whether that very process runs."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.born and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def folder() -> Path:
    """Where the files are: the user's runtime folder, or the cache."""
    root = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "moka" / "testbed" / "running"


@contextlib.contextmanager
def entry(cluster: Cluster, *, kind: str = "testbed") -> Iterator[None]:
    """List this process' cluster while the context lasts."""
    process = psutil.Process()
    mine = Running(
        pid=process.pid,
        born=process.create_time(),
        context=cluster.context,
        server=cluster.server,
        kubeconfig=str(cluster.kubeconfig),
        kind=kind,
    )
    path = folder() / f"{cluster.context}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(mine)), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running() -> list[Running]:
    """Return those that live, by context; files of dead ones are removed."""
    found = []
    for path in sorted(folder().glob("*.json")):
        try:
            each = Running(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue  # being written, or none of ours
        if each.lives:
            found.append(each)
        else:
            path.unlink(missing_ok=True)
    return found


def end(context: str | None, among: list[Running], kind: str = "testbed") -> str | None:
    """End the one of that context, or the only one; returns its context when it is gone, None when there is none.

    Raises BadInputError when it is not clear which one is meant, CannotStartError when it does not end.
    """
    known = ", ".join(each.context for each in among)
    chosen = [each for each in among if context in {None, each.context}]
    if context is not None and not chosen:
        raise BadInputError(f"no {kind} {context} runs; {f'running are {known}' if known else 'none does'}")
    if not chosen:
        return None
    if len(chosen) > 1:
        raise BadInputError(f"{len(chosen)} {kind}s run; name one of {known}")
    os.kill(chosen[0].pid, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while chosen[0].lives:
        if time.monotonic() > deadline:
            raise CannotStartError(f"process {chosen[0].pid} did not end within 60 s; end it by hand")
        time.sleep(0.1)
    return chosen[0].context
