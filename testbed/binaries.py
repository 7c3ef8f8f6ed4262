"""The testbed's programs, built from pinned Go modules (`go/go.mod`) and kept outside the tree.

They lie under `$XDG_CACHE_HOME/moka/testbed/<hash>/`, where the hash is of everything that decides what they are: go.mod,
go.sum, Go's version, flags and machine. A program appears there whole or not at all, and two starts do not build twice.
`KUBEBUILDER_ASSETS` names a folder of ready ones. Nothing is fetched but Go modules, by Go itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from testbed.errors import CannotBuildError, NoGoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MODULE: Final = Path(__file__).with_name("go")
"""The Go module that pins etcd and Kubernetes; it holds no Go file. Below it are modules of what would not fit into it, and
`node` with two programs of our own: CoreDNS with few plugins, and what holds a pod's namespaces."""
PACKAGES: Final = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
    "coredns": "moka.dev/testbed/node/coredns",
    "pause": "moka.dev/testbed/node/pause",
}
"""{program: Go package} of all that can be had here."""
_OWN_MODULE: Final = {"kwok": "kwok", "coredns": "node", "pause": "node"}
"""{program: folder below MODULE} of programs that have a module of their own."""
CONTROL_PLANE: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok")
"""What every testbed needs."""
REAL_NODE: Final = ("kubelet", "kube-proxy", "coredns", "pause")
"""What a real node needs beyond that; built when somebody asks."""
READY: Final = ("etcd", "kube-apiserver", "kubectl")
"""What a folder named by KUBEBUILDER_ASSETS must hold."""
ASSETS_VARIABLE: Final = "KUBEBUILDER_ASSETS"


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"testbed: {line}\n")
    sys.stderr.flush()


def kubernetes_version() -> str:
    """Return the pinned release of Kubernetes, v1.35.8."""
    file = MODULE / "go.mod"
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise CannotBuildError(f"{file} names no k8s.io/kubernetes; restore the file")
    return found[1]


def module_of(name: str) -> Path:
    """Return the folder of the Go module that pins that program."""
    return MODULE / _OWN_MODULE.get(name, "")


def binaries(*names: str, say: Callable[[str], None] = _to_stderr) -> dict[str, Path]:
    """Return {program: path} of those programs (all of CONTROL_PLANE by default), building what is not there yet.

    Raises CannotBuildError with everything that is missing or with what Go said, NoGoError when there is no Go.
    """
    wanted = names or CONTROL_PLANE
    ready = _ready_ones()
    found = {name: ready[name] for name in wanted if name in ready}
    missing = [name for name in wanted if name not in found]
    return found if not missing else {**found, **_built(missing, say)}


def _ready_ones() -> dict[str, Path]:
    """The programs in the folder that KUBEBUILDER_ASSETS names."""
    folder = os.environ.get(ASSETS_VARIABLE)
    if not folder:
        return {}
    found = {name: Path(folder) / name for name in PACKAGES if os.access(Path(folder) / name, os.X_OK)}
    lacking = [name for name in READY if name not in found]
    if lacking:
        raise CannotBuildError(
            f"{ASSETS_VARIABLE}={folder} has no {', '.join(lacking)}; it must hold {', '.join(READY)}: "
            f"complete the folder, or unset {ASSETS_VARIABLE} to build everything"
        )
    said = subprocess.run([found["kube-apiserver"], "--version"], capture_output=True, text=True, check=False).stdout
    minor = ".".join(kubernetes_version().split(".")[:2])
    if f"{minor}." not in said:
        raise CannotBuildError(
            f"{ASSETS_VARIABLE}={folder} holds {said.strip() or 'an API server without a version'}, needed is {minor}: "
            f"the other programs are built from that release; name a folder of it, or unset {ASSETS_VARIABLE}"
        )
    return found


def _built(names: Sequence[str], say: Callable[[str], None]) -> dict[str, Path]:
    go = shutil.which("go")
    if go is None:
        raise NoGoError(
            f"{', '.join(names)} must be built and there is no `go` on PATH; install Go 1.26 or newer (https://go.dev/dl), "
            f"or put the programs into a folder and name it in {ASSETS_VARIABLE}"
        )
    paths: dict[str, Path] = {}
    for module in dict.fromkeys(map(module_of, names)):
        folder = cache_folder(go, module)
        mine = {name: folder / name for name in names if module_of(name) == module}
        paths |= mine
        if all(path.exists() for path in mine.values()):
            continue
        with only_one(folder, say):
            missing = [name for name, path in mine.items() if not path.exists()]
            if missing:
                _build(go, module, missing, folder, say)
    return paths


def cache_folder(go: str, module: Path) -> Path:
    """Return the folder for what is built of that module now: another go.mod, Go or flag has another folder."""
    said = subprocess.run(
        [go, "env", "-json", "GOVERSION", "GOOS", "GOARCH"], cwd=module, capture_output=True, text=True, check=False
    )
    if said.returncode != 0:
        raise CannotBuildError(f"`go env` failed: {said.stderr.strip()}")
    digest = hashlib.sha256()
    for part in (
        (module / "go.mod").read_bytes(),
        (module / "go.sum").read_bytes(),
        # own programs; where there is none, nothing is added
        *(path.read_bytes() for path in sorted(module.glob("*/*.go"))),
        json.dumps([json.loads(said.stdout), _flags(module), _environment()], sort_keys=True).encode(),
    ):
        digest.update(hashlib.sha256(part).digest())
    return cache_root() / digest.hexdigest()[:16]


def cache_root() -> Path:
    """Return the folder outside the tree where everything that was built is kept."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "moka" / "testbed"


def _flags(module: Path) -> list[str]:
    stamps = []
    if module == MODULE:
        version = kubernetes_version()
        _, minor, _ = version.split(".")
        facts = {"gitVersion": version, "gitMajor": "1", "gitMinor": minor}
        stamps = [
            f"-X {package}.{name}={value}"
            for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
            for name, value in facts.items()
        ]
    # no debug information: 40% smaller, and linking is half of a second build
    return ["-trimpath", "-ldflags", " ".join(["-s", "-w", *stamps])]


def _environment() -> dict[str, str]:
    """What decides the build beyond the flags; a person's own GOFLAGS must not."""
    return {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}


@contextlib.contextmanager
def only_one(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder's lock; the system releases it when we end, however we end."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w", encoding="utf-8")
    except OSError as error:
        raise CannotBuildError(
            f"can't keep programs in {folder} ({error.strerror}); name a folder that you may write in XDG_CACHE_HOME"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another start is building in {folder}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(go: str, module: Path, names: Sequence[str], folder: Path, say: Callable[[str], None]) -> None:
    say(f"building {', '.join(names)} into {folder}; all of them take about 10 minutes on 2 cores, once")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=".build-", dir=folder) as scratch:
        # one call for all: they share most of their packages
        command = [go, "build", "-v", *_flags(module), "-o", f"{scratch}/", *(PACKAGES[name] for name in names)]
        nice = shutil.which("nice")
        _run([nice, "-n", "10", *command] if nice else command, module, say)
        for name in names:
            # Go names a program after its package's folder, and etcd's is `server`
            made = Path(scratch) / _program(PACKAGES[name])
            made.replace(folder / name)
    say(f"built in {time.monotonic() - started:.0f} s")


def _program(package: str) -> str:
    return [part for part in package.split("/") if not re.fullmatch(r"v\d+", part)][-1]


def _run(command: Sequence[str], module: Path, say: Callable[[str], None]) -> None:
    """Run the build; `-v` names each compiled package, which is all there is to show for minutes."""
    environment = {**os.environ, **_environment()}
    said: list[str] = []
    compiled, told = 0, time.monotonic()
    with subprocess.Popen(command, cwd=module, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if re.fullmatch(r"[\w./~-]+\n", line):
                compiled += 1
            else:
                said.append(line)
            if time.monotonic() - told > 60:
                told = time.monotonic()
                say(f"{compiled} packages compiled")
    if process.returncode != 0:
        raise CannotBuildError(
            f"`go build` failed with exit code {process.returncode}:\n{''.join(said[-30:]).rstrip()}"
        )
