"""A Kubernetes cluster that tests may break, whoever made it: how to reach it, as whom, and with which identity limited how.

`ControlPlane` is one that we start; `foreign` gives one that somebody else did.
"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING, Final

from testbed import kubeconfig
from testbed.errors import CannotStartError
from testbed.kubernetes import Client

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from testbed.keeper import Keeper

TESTBED_LABEL: Final = "moka.dev/testbed"
"""Label of the namespace kube-system, "true" on a cluster that tests may break."""
TOKEN_SECONDS: Final = 8 * 3600


class KubectlError(Exception):
    """kubectl ended with another code than 0; the message has what it said."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        said = done.stderr.strip() or done.stdout.strip()
        super().__init__(f"kubectl {' '.join(done.args[-8:])}: exit code {done.returncode}: {said}")
        self.done = done


def clean_environment() -> dict[str, str]:
    """Return our environment without what leads to another cluster: KUBECONFIG and proxies."""
    return {
        name: value
        for name, value in os.environ.items()
        if name != "KUBECONFIG" and name.lower() not in {"http_proxy", "https_proxy", "all_proxy"}
    }


class Cluster:
    """A cluster as its administrator sees it."""

    kubeconfig: Path
    """A kubeconfig with one context, the administrator's."""
    context: str
    server: str
    ca_file: Path
    """PEM of the authority that signed the server's certificate."""

    _keeper: Keeper | None = None
    _kubectl: Path
    _enter: tuple[str, ...]
    _clients: list[Client]

    def _take(self, keeper: Keeper, *, kubectl: Path, enter: tuple[str, ...] = ()) -> None:
        self._keeper, self._kubectl, self._enter, self._clients = keeper, kubectl, enter, []

    def _release(self) -> None:
        """Close the clients, end the programs, remove the folder."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            while self._clients:
                self._clients.pop().close()
            keeper.close()

    @property
    def keeper(self) -> Keeper:
        """Holds the programs and the folder."""
        if self._keeper is None:
            raise CannotStartError("this cluster is not there: start() it first")
        return self._keeper

    @property
    def folder(self) -> Path:
        """Ours to write in; gone at the end."""
        return self.keeper.folder

    def kubectl(
        self, *args: str, stdin: str | None = None, check: bool = True, kubeconfig: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as administrator, or with another kubeconfig; raises KubectlError when `check` and it failed."""
        environment = {**clean_environment(), "KUBECACHEDIR": str(self.folder / "kubectl-cache")}
        where = ["--kubeconfig", str(kubeconfig or self.kubeconfig), "--context", self.context]
        done = subprocess.run(
            [*self._enter, str(self._kubectl), *where, *args],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if check and done.returncode != 0:
            raise KubectlError(done)
        return done

    def client(self, *, kubeconfig_file: Path | None = None) -> Client:
        """A client as administrator, or as whom another kubeconfig (`kubeconfig_for`) says; closed with the cluster."""
        access = kubeconfig.read(kubeconfig_file or self.kubeconfig, self.context, self.folder)
        return self._kept(Client(access.server, verify=access.tls(), token=access.token))

    def _kept(self, client: Client) -> Client:
        self._clients.append(client)
        return client

    def token(self, namespace: str, service_account: str, *, seconds: int = TOKEN_SECONDS) -> str:
        """A token of that service account, as a pod's would be (TokenRequest)."""
        with self.client() as client:
            path = client.path("v1", "ServiceAccount", service_account, namespace)
            body = {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": seconds},
            }
            answer = client.request("POST", f"{path}/token", body)
        return str(answer["status"]["token"])

    def kubeconfig_for(self, namespace: str, service_account: str) -> Path:
        """A kubeconfig with the same context name whose user is that service account: RBAC says what it may."""
        return kubeconfig.write(
            self.folder / f"{namespace}.{service_account}.kubeconfig",
            context=self.context,
            server=self.server,
            authority=self.ca_file,
            user=self.token(namespace, service_account),
        )

    def run(self, name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> int:
        """Start a program beside the cluster; it ends with the cluster at the latest. Returns its process id.

        Without `env` it gets `clean_environment()`.
        """
        return self.keeper.start(name, [*self._enter, *command], clean_environment() if env is None else env)

    def end(self, name: str, *, graceful: bool = False, patience_seconds: float = 20) -> int | None:
        """End such a program, or one of the control plane's; returns its exit code, None when it was not there."""
        how = signal.SIGTERM if graceful else signal.SIGKILL
        return self.keeper.stop(name, how=how, patience_seconds=patience_seconds)

    def is_running(self, name: str) -> bool:
        """Whether that program runs."""
        return self.keeper.running(name)

    def log(self, name: str) -> Path:
        """The file with what that program said."""
        return self.keeper.log(name)
