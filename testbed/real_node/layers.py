"""The two large layers of the Spark image, made without a registry and kept outside the tree by what they are made of.

One is Debian with Java and Python, by debootstrap; the other is Spark from the locked PySpark of our own environment. Both
take what `images/spark/Dockerfile` takes, so that its entrypoint finds what it expects. A layer appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from archer.backends.local.spark import spark_home
from testbed.binaries import cache_root, only_one
from testbed.errors import CannotBuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SUITE: Final = "bookworm"
PACKAGES: Final = ("ca-certificates", "openjdk-17-jre-headless", "procps", "python3", "tini")
USER_ID: Final = 185
_LEFT_OUT: Final = ("dev/*", "proc/*", "sys/*", "tmp/*", "var/cache/*", "var/lib/apt/lists/*", "var/log/*")
_UNREAD: Final = ("usr/share/doc/*", "usr/share/locale/*", "usr/share/man/*")
_SPARK_PARTS: Final = ("bin", "examples/src/main/python", "jars", "python/lib")
_FINISH: Final = f"""
ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /opt/java
groupadd --gid {USER_ID} spark
useradd --uid {USER_ID} --gid {USER_ID} --home-dir /opt/spark/work-dir --no-create-home --shell /usr/sbin/nologin spark
"""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A tar file and the SHA-256 of it."""

    path: Path
    digest: str

    @property
    def size(self) -> int:
        return self.path.stat().st_size


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"testbed: {line}\n")
    sys.stderr.flush()


def layers(say: Callable[[str], None] = _to_stderr) -> tuple[Layer, Layer]:
    """Return Debian's layer and Spark's, making what is not there yet. Raises CannotBuildError."""
    recipe = [SUITE, PACKAGES, _LEFT_OUT, _UNREAD, _FINISH, platform.machine()]
    record = importlib.metadata.distribution("pyspark").read_text("RECORD") or ""
    return (
        _kept("debian", json.dumps(recipe), _write_debian, say),
        _kept("spark", json.dumps([record, _SPARK_PARTS]), _write_spark, say),
    )


def _kept(name: str, content: str, write: Callable[[Path, Path], None], say: Callable[[str], None]) -> Layer:
    """The layer that is made of `content`: as it was kept, or made now."""
    folder = cache_root() / "layers"
    path = folder / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}.tar"
    digest = path.with_suffix(".sha256")
    with only_one(folder, say):
        if not digest.exists():
            started = time.monotonic()
            say(f"making the image's layer {path.name}")
            with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as scratch:
                made = Path(scratch) / "layer.tar"
                write(Path(scratch) / "tree", made)
                made.replace(path)
            with path.open("rb") as file:
                digest.write_text(hashlib.file_digest(file, "sha256").hexdigest(), encoding="utf-8")
            say(f"made it in {time.monotonic() - started:.0f} s, {path.stat().st_size >> 20} MiB")
    return Layer(path=path, digest=digest.read_text(encoding="utf-8"))


def _write_debian(tree: Path, layer: Path) -> None:
    """Debian's minimal base and the packages; in namespaces of its own, so that nothing stays mounted or runs on."""
    tree.mkdir()
    script = f"""
# in memory: dpkg waits for the disk after every file
mount -t tmpfs -o mode=755 tmpfs "$1"
debootstrap --variant=minbase --include={",".join(PACKAGES)} {SUITE} "$1"
chroot "$1" /bin/sh -ec '{_FINISH}'
tar --numeric-owner --wildcards {" ".join(f"'--exclude=./{name}'" for name in (*_LEFT_OUT, *_UNREAD))} -C "$1" -cf "$2" .
"""
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    _run([*namespaces, "sh", "-ec", script, "sh", str(tree), str(layer)])


def _write_spark(_tree: Path, layer: Path) -> None:
    """Spark's programs, jars and Python libraries, owned by root, in /opt/spark."""
    home = spark_home()

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if "__pycache__" in member.name or member.name.endswith("-sources.jar"):
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return member

    with tarfile.open(layer, "w") as archive:
        for part in _SPARK_PARTS:
            archive.add(home / part, f"opt/spark/{part}", filter=plain)


def _run(command: Sequence[str]) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    if (nice := shutil.which("nice")) is not None:
        command = [nice, "-n", "10", *command]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-20:])
        raise CannotBuildError(f"`{' '.join(command[:4])} …` failed with exit code {done.returncode}:\n{tail}")
