"""Runs an image of buildah's storage with runc, as a kubelet would: restricted, on a read-only root.

Network and host name are this machine's, so that a server is reached on loopback without a network of its own.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Container:
    """One container: made from an image, started once."""

    def __init__(self, folder: Path, root: Path, config: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self.name = f"moka-{secrets.token_hex(6)}"
        self.root = root
        self._folder = folder
        self._state = folder / "runc"
        self._config = config
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "log"

    def run(self, *words: str, writable: Sequence[str] = (), **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the image's entrypoint with these words to its end; stdout and stderr together."""
        self.start(*words, writable=writable, **variables)
        assert self._process is not None
        code = self._process.wait(timeout=300)
        return subprocess.CompletedProcess(words, code, stdout=self.log())

    def start(self, *words: str, writable: Sequence[str] = (), **variables: str) -> None:
        """Start it. `writable`: folders that get a volume, as emptyDirs of a pod; all else is read-only."""
        spec = self._spec([*self._config["Entrypoint"], *words], writable, variables)
        (self._folder / "config.json").write_text(json.dumps(spec))
        command = ["runc", "--root", str(self._state), "run", "--bundle", str(self._folder), self.name]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=dict(self._environment)
            )

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, *, seconds: float = 60) -> int:
        """SIGTERM to the entrypoint, as a kubelet sends it; its exit code."""
        assert self._process is not None
        subprocess.run(["runc", "--root", str(self._state), "kill", self.name, "TERM"], check=True)
        return self._process.wait(timeout=seconds)

    def remove(self) -> None:
        if self.alive():
            subprocess.run(["runc", "--root", str(self._state), "kill", self.name, "KILL"], check=False)
            assert self._process is not None
            self._process.wait(timeout=60)
        subprocess.run(
            ["runc", "--root", str(self._state), "delete", "--force", self.name], check=False, capture_output=True
        )

    def _spec(self, words: list[str], writable: Sequence[str], variables: Mapping[str, str]) -> dict[str, Any]:
        user, group = (int(number) for number in self._config["User"].split(":"))
        given = dict(each.split("=", 1) for each in self._config.get("Env", ()))
        given.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        hosts = self._folder / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")
        volumes = [_tmpfs(path, "mode=1777") for path in writable]
        return {
            "ociVersion": "1.0.2",
            "hostname": socket.gethostname(),
            "root": {"path": str(self.root), "readonly": True},
            "process": {
                "user": {"uid": user, "gid": group},
                "args": words,
                "env": [f"{key}={value}" for key, value in {**given, **variables}.items()],
                "cwd": self._config.get("WorkingDir") or "/",
                "noNewPrivileges": True,
                "capabilities": {kind: [] for kind in ("bounding", "effective", "permitted")},
            },
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                # without nodev: runc makes /dev/null and the like in it
                {"destination": "/dev", "type": "tmpfs", "source": "dev", "options": ["nosuid", "mode=755"]},
                {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["mode=1777"]},
                {"destination": "/etc/hosts", "type": "bind", "source": str(hosts), "options": ["rbind", "ro"]},
                *volumes,
            ],
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]},
        }


@contextlib.contextmanager
def container(image: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Container]:
    """A container of an image in buildah's storage; nothing of it is left afterwards."""

    def buildah(*words: str) -> str:
        done = subprocess.run(["buildah", *words], env=dict(environment), check=True, capture_output=True, text=True)
        return done.stdout.strip()

    config = json.loads(buildah("inspect", "--type", "image", image))["OCIv1"]["config"]
    working = buildah("from", "--pull-never", image)
    try:
        made = Container(folder, Path(buildah("mount", working)), config, environment)
        try:
            yield made
        finally:
            made.remove()
    finally:
        buildah("umount", working)
        buildah("rm", working)


def _tmpfs(path: str, mode: str) -> dict[str, Any]:
    return {"destination": path, "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", mode]}
