"""A control plane with one real node: pods of it run, in namespaces that end with us and leave the host as it was.

All of it is in one network namespace. containerd, kubelet, kube-proxy, CoreDNS and the pods also have their own processes and
mounts; the kernel ends those with the first process (`room`), so an end needs no order: no finalizer can hold it up. Only a
folder and a cgroup are left to remove, see `remains`.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self

from testbed.binaries import CONTROL_PLANE, REAL_NODE, binaries
from testbed.cluster import clean_environment
from testbed.components import Settings
from testbed.control_plane import ControlPlane
from testbed.errors import CannotStartError
from testbed.keeper import Keeper
from testbed.real_node import files, image, machine, remains
from testbed.real_node.layers import layers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

_ROOM: Final = Path(__file__).with_name("room.py")
_START_SECONDS: Final = 120
"""How long one part may take on a machine that is busy."""


class RealNode:
    """A control plane with a node; start() and stop() it, or use it as a context. `plane` is the cluster."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        spark: bool = True,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Without `spark` the node has no other image than the one that holds a pod's namespaces."""
        self._asked = settings or Settings()
        self._spark = spark
        self._say = say or (lambda _line: None)
        self._keeper: Keeper | None = None
        self._claim: remains.Claim | None = None
        self._places: files.Places | None = None
        self.plane = ControlPlane()
        self.pid = 0
        """Of the first process of the namespaces, as the host counts."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything; returns when the node is ready for pods. Raises CannotRunHereError, CannotStartError."""
        if self._keeper is not None:
            raise CannotStartError("this node runs already; stop() it first, or make another one")
        machine.require()
        for cgroup in remains.sweep():
            self._say(f"cleared away what a killed one left: {cgroup}")
        # all that takes minutes comes first, side by side: the one waits for the network, the other for the processors
        with self._step("programs and layers"), ThreadPoolExecutor(1) as aside:
            making = aside.submit(layers) if self._spark else None
            programs = binaries(*CONTROL_PLANE, *REAL_NODE)
            kept = making.result() if making is not None else ()
        try:
            self._keeper = keeper = Keeper(prefix="moka-testbed-node-")
            self._claim = claim = remains.Claim.of(keeper.folder)
            self._places = places = files.Places(folder=keeper.folder, cgroup=claim.cgroup)
            with self._step("namespaces"):
                self._make_room(keeper)
            with self._step("control plane"):
                self._start_plane()
            with self._step("containerd"):
                self._start_containerd(places)
            scratch = places.below("images")
            pause = image.pause_image(programs["pause"], scratch)
            for made in (pause, *([image.spark_image(*kept, scratch)] if kept else ())):
                self.import_image(made.name, made.write)
            with self._step("node"):
                self._start_node(places, programs)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything, at once; returns when no process, mount, namespace, cgroup or folder is left."""
        self.plane.stop()
        keeper, self._keeper = self._keeper, None
        claim, self._claim = self._claim, None
        if keeper is None:
            return
        keeper.stop("room")
        self._wait_until(lambda: self.pid == 0 or not Path(f"/proc/{self.pid}").exists(), "the node's processes remain")
        self.pid = 0
        keeper.close()
        if claim is not None:
            claim.release()

    @property
    def enter(self) -> tuple[str, ...]:
        """Words before a command that is to run on the node: its network, its processes, its mounts."""
        return ("nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--")

    @property
    def enter_network(self) -> tuple[str, ...]:
        """Words before a command that is to run on the host's files and in the node's network."""
        return ("nsenter", f"--net=/proc/{self.pid}/ns/net", "--")

    @property
    def keeper(self) -> Keeper:
        """Holds the node's programs and its folder."""
        if self._keeper is None:
            raise CannotStartError("this node does not run; start() it first")
        return self._keeper

    def import_image(self, name: str, write: Callable[[IO[bytes]], None]) -> None:
        """Give the node an image: `write` writes it as an archive of OCI's form or Docker's. Raises CannotStartError."""
        if self._places is None:
            raise CannotStartError("this node does not run; start() it first")
        command = [*self.enter, *self._ctr_words(self._places), "images", "import", "-"]
        log = self.keeper.folder / "import.log"
        with (
            self._step(f"image {name}"),
            log.open("ab") as said,
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said) as ctr,
        ):
            assert ctr.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # its exit code says more
                write(ctr.stdin)
            with contextlib.suppress(BrokenPipeError):
                ctr.stdin.close()
        if ctr.returncode != 0:
            raise CannotStartError(
                f"image {name} was not imported, exit code {ctr.returncode}: {self.keeper.log_tail('import')}"
            )

    def check(self) -> None:
        """Raises CannotStartError, with its last words, when a program of the node or of the control plane has ended."""
        self.keeper.check("room", "containerd", "kubelet", "kube-proxy", "coredns")
        self.plane.keeper.check("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")

    def _make_room(self, keeper: Keeper) -> None:
        namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
        address = f"{files.ADDRESS}/{files.POD_CIDR.rpartition('/')[2]}"
        program = [sys.executable, "-I", str(_ROOM), str(keeper.folder)]
        keeper.start("room", [*namespaces, *program, files.BRIDGE, address], clean_environment())
        written = keeper.folder / "room.pid"
        self._wait_until(written.exists, "the namespaces were not furnished", "room")
        self.pid = int(written.read_text(encoding="utf-8"))

    def _start_plane(self) -> None:
        asked = vars(self._asked)
        where = {"address": files.ADDRESS, "service_cidr": files.SERVICE_CIDR, "enter": self.enter_network}
        self.plane = ControlPlane(Settings(**{**asked, **where}))
        self.plane.start()

    def _start_containerd(self, places: files.Places) -> None:
        self._run("containerd", files.containerd_command(places))

        def answers() -> bool:
            return places.socket.exists() and self._ctr(places, "version").returncode == 0

        self._wait_until(answers, "containerd did not answer", "containerd")

    def _start_node(self, places: files.Places, programs: dict[str, Path]) -> None:
        plane, client = self.plane, self.plane.client()
        kubelet = plane.kubeconfig_as(f"system:node:{files.NODE}", ["system:nodes"])
        authority = plane.ground.authority.certificate
        self._run("kubelet", files.kubelet_command(places, programs["kubelet"], kubelet, authority))
        proxy = plane.kubeconfig_as("system:kube-proxy")
        self._run("kube-proxy", files.kube_proxy_command(programs["kube-proxy"], proxy))
        for manifest in files.dns_objects():
            client.create(manifest)
        reader = plane.kubeconfig_as(files.DNS_USER)
        self._run("coredns", files.coredns_command(places, programs["coredns"], reader))

        def is_ready() -> bool:
            node = client.find("v1", "Node", files.NODE)
            conditions = (node or {}).get("status", {}).get("conditions", [])
            return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

        self._wait_until(is_ready, "the node did not get ready", "kubelet", "kube-proxy", "coredns", "containerd")

    def _run(self, name: str, command: list[str | Path]) -> None:
        self.keeper.start(name, [*self.enter, *command], clean_environment())

    def _ctr(self, places: files.Places, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*self.enter, *self._ctr_words(places), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    @staticmethod
    def _ctr_words(places: files.Places) -> tuple[str, ...]:
        return ("ctr", f"--address={places.socket}", "--namespace=k8s.io")

    def _wait_until(self, condition: Callable[[], bool], otherwise: str, *programs: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not condition():
            if programs:
                self.keeper.check(*programs)
            if time.monotonic() > deadline:
                said = f"; {programs[0]} said:\n{self.keeper.log_tail(programs[0])}" if programs else ""
                raise CannotStartError(f"{otherwise} within {_START_SECONDS} s{said}")
            time.sleep(0.1)

    @contextlib.contextmanager
    def _step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self._say(f"{what}: {time.monotonic() - started:.1f} s")
