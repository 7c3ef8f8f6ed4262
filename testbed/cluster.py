"""A Kubernetes cluster that tests may break, whoever made it: how to reach it, as whom, and with which identity limited how.

`ControlPlane` is one that we start; `foreign` gives one that somebody else did.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

from testbed import kubeconfig
from testbed.kubernetes import Client

if TYPE_CHECKING:
    from pathlib import Path

TESTBED_LABEL: Final = "moka.dev/testbed"
"""Label of the namespace kube-system, "true" on a cluster that tests may break."""
TOKEN_SECONDS: Final = 8 * 3600


class KubectlError(Exception):
    """kubectl ended with another code than 0; the message has what it said."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        said = done.stderr.strip() or done.stdout.strip()
        super().__init__(f"kubectl {' '.join(done.args[-8:])}: exit code {done.returncode}: {said}")
        self.done = done


class Cluster:
    """A cluster as its administrator sees it."""

    kubeconfig: Path
    """A kubeconfig with one context, the administrator's."""
    context: str
    server: str
    ca_file: Path
    """PEM of the authority that signed the server's certificate."""

    def __init__(self, *, folder: Path, kubectl: Path, enter: tuple[str, ...] = ()) -> None:
        self.folder = folder
        """Ours to write in; gone at the end."""
        self._kubectl = kubectl
        self._enter = enter
        self._clients: list[Client] = []

    def kubectl(
        self, *args: str, stdin: str | None = None, check: bool = True, kubeconfig: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as administrator, or with another kubeconfig; raises KubectlError when `check` and it failed."""
        environment = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
        environment["KUBECACHEDIR"] = str(self.folder / "kubectl-cache")
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
        made = Client(access.server, verify=access.tls(), token=access.token)
        self._clients.append(made)
        return made

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

    def _close_clients(self) -> None:
        while self._clients:
            self._clients.pop().close()
