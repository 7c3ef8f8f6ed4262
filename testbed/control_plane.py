"""A real Kubernetes control plane on this machine: etcd, kube-apiserver, kube-controller-manager, kube-scheduler.

Each has ports, keys, data and a folder of its own, so any number run side by side, on loopback only. Nothing outlives the
process that started it: see `keeper`. There are no nodes and no pods run; `nodes` adds some that pretend to.
"""

from __future__ import annotations

import hashlib
import random
import secrets
import ssl
import time
from typing import TYPE_CHECKING, Final, Self

import httpx

from archer.ports import free_port
from testbed import components
from testbed.binaries import CONTROL_PLANE, binaries
from testbed.cluster import TESTBED_LABEL, Cluster
from testbed.components import Settings
from testbed.errors import CannotStartError
from testbed.keeper import Keeper
from testbed.kubernetes import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_PORTS: Final = range(20_000, 32_000)
"""Where ports are looked for: below those that Linux gives to outgoing connections, so that a restart finds its port free."""
_TRIES: Final = 5
_START_SECONDS: Final = 180
"""How long a component may take on a machine that is busy; an idle one needs a few seconds for all."""
_TAKEN: Final = "address already in use"


class ControlPlane(Cluster):
    """A control plane; start() and stop() it, or use it as a context (which starts it unless it runs)."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._ground: components.Ground | None = None
        self._programs: Mapping[str, Path] = {}

    def __enter__(self) -> Self:
        if self._keeper is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything; returns when the API server is ready and the controllers work. Raises CannotStartError."""
        if self._keeper is not None:
            raise CannotStartError("this control plane runs already; stop() it first, or make another one")
        self._programs = binaries(*CONTROL_PLANE)
        for attempt in range(_TRIES):
            try:
                self._start_once()
            except CannotStartError as error:
                self.stop()
                # somebody took the port between our look and the program's
                if _TAKEN not in str(error) or attempt == _TRIES - 1:
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self) -> None:
        """End everything, at once; no process and no folder is left. May be called twice."""
        self._ground = None
        self._release()

    def _start_once(self) -> None:
        keeper = Keeper()
        self._take(keeper, kubectl=self._programs["kubectl"], enter=self.settings.enter)
        etcd_port = _some_port("127.0.0.1")
        self._ground = ground = components.prepare(
            keeper.folder,
            self.settings,
            etcd_port=etcd_port,
            api_port=_some_port(self.settings.address, avoid=etcd_port) if not self.settings.enter else etcd_port + 1,
        )
        self.context = f"moka-testbed-{secrets.token_hex(4)}"
        self.server = ground.server
        self.ca_file = ground.authority.certificate
        self.kubeconfig = ground.kubeconfig("admin", self.context)
        self.run("etcd", [self._programs["etcd"], *components.etcd_flags(ground)])
        self.start_api_server()
        client = self.client()
        labels = {"metadata": {"labels": {TESTBED_LABEL: "true"}}}
        self._wait_until(lambda: client.find("v1", "Namespace", "kube-system") is not None, "no namespace kube-system")
        client.patch("v1", "Namespace", "kube-system", body=labels)
        flags = components.controller_manager_flags(ground, self.context)
        self.run("kube-controller-manager", [self._programs["kube-controller-manager"], *flags])
        if self.settings.scheduler:
            flags = components.scheduler_flags(ground, self.context)
            self.run("kube-scheduler", [self._programs["kube-scheduler"], *flags])
        # pods are refused until the controllers have made their namespace's service account
        self._wait_until(
            lambda: client.find("v1", "ServiceAccount", "default", "default") is not None,
            "no service account `default` appeared in namespace default",
        )

    # what tests of faults do

    def start_api_server(self) -> None:
        """Start the API server, on the port it always had; returns when it is ready."""
        flags = components.api_server_flags(self._running_ground)
        self.run("kube-apiserver", [self._programs["kube-apiserver"], *flags])
        if self.settings.enter and not self.is_running("kubectl-proxy"):
            self._start_proxy()
        with self.client() as client:
            self._wait_until(lambda: _is_ready(client), "the API server did not get ready")

    def stop_api_server(self, *, graceful: bool = False) -> None:
        """Stop the API server: as a crash would, or by SIGTERM."""
        self.end("kube-apiserver", graceful=graceful)

    def restart_api_server(self, *, graceful: bool = False) -> None:
        """Stop and start it: watches break, and the new one's watch cache knows no older resource version."""
        self.stop_api_server(graceful=graceful)
        self.start_api_server()

    def compact_etcd(self) -> int:
        """Forget all history in etcd, as EKS' does every five minutes; returns the revision that is now the oldest.

        Lists and watches at an older resource version may still be served from the API server's own cache, as on a real
        cluster; after restart_api_server() they end in 410 Expired.
        """
        ground = self._running_ground
        tls = ssl.create_default_context(cafile=str(ground.etcd_authority.certificate))
        tls.load_cert_chain(ground.etcd_client.certificate, ground.etcd_client.key)
        with httpx.Client(base_url=ground.etcd, verify=tls, trust_env=False) as etcd:
            now = etcd.post("/v3/kv/range", json={"key": "AA=="}).raise_for_status().json()["header"]["revision"]
            etcd.post("/v3/kv/compaction", json={"revision": now, "physical": True}).raise_for_status()
        return int(now)

    def kubeconfig_as(self, user: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig whose user has that name and those groups, by certificate: ("archer", ["moka:archer"]), a kubelet."""
        ground = self._running_ground
        name = f"user-{hashlib.sha256(repr((user, *groups)).encode()).hexdigest()[:12]}"
        return ground.kubeconfig(name, self.context, ground.issuer.client(name, user=user, groups=groups))

    @property
    def ground(self) -> components.Ground:
        """Keys, certificates and ports, for those who add a real node."""
        return self._running_ground

    @property
    def _running_ground(self) -> components.Ground:
        if self._ground is None:
            raise CannotStartError("this control plane does not run; start() it first")
        return self._ground

    def client(self, *, kubeconfig_file: Path | None = None) -> Client:
        """See Cluster. Where the programs run elsewhere (`enter`), the administrator alone gets one, through a proxy."""
        if not self.settings.enter:
            return super().client(kubeconfig_file=kubeconfig_file)
        if kubeconfig_file is not None:
            raise CannotStartError(
                "the API server is not reached from here, only its administrator's proxy is; use kubectl(kubeconfig=…)"
            )
        return self._kept(Client("http://localhost", transport=httpx.HTTPTransport(uds=str(self._proxy_socket))))

    @property
    def _proxy_socket(self) -> Path:
        """A socket that is a file is reached from any network namespace."""
        return self.folder / "api.sock"

    def _start_proxy(self) -> None:
        where = [f"--kubeconfig={self.kubeconfig}", f"--context={self.context}"]
        self.run("kubectl-proxy", [self._programs["kubectl"], "proxy", f"--unix-socket={self._proxy_socket}", *where])
        self._wait_until(self._proxy_socket.exists, "the administrator's proxy did not open its socket")

    def _wait_until(self, condition: Callable[[], bool], otherwise: str) -> None:
        keeper = self.keeper
        deadline = time.monotonic() + _START_SECONDS
        while not condition():
            keeper.check("etcd", "kube-apiserver")
            if time.monotonic() > deadline:
                raise CannotStartError(
                    f"{otherwise} within {_START_SECONDS} s; the API server said:\n{keeper.log_tail('kube-apiserver')}"
                )
            time.sleep(0.05)


def _is_ready(client: Client) -> bool:
    try:
        return client.http.get("/readyz", timeout=5).is_success
    except httpx.TransportError:
        return False


def _some_port(host: str, *, avoid: int = 0) -> int:
    """A port that was free a moment ago; two planes that start at once rarely look at the same one."""
    start = random.choice(_PORTS)  # noqa: S311  # no secret
    return free_port(host, start, avoid=frozenset({avoid}))
