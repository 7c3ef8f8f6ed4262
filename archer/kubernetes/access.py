"""Where an API server is, why it is believed, and who Archer is to it.

No proxy is ever used, and no variable of the shell is read: what a cluster is reached by is what its configuration says.
"""

import ipaddress
import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from archer.errors import Problem
from archer.kubernetes import eks, kubeconfig
from archer.kubernetes.credentials import Credentials, file_token
from archer.kubernetes.errors import ClusterUnreachableError, InvalidAccessError
from archer.problems import shown

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where kubelet puts a pod's token and the cluster's authority."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """One identity at one API server."""

    server: str
    """`https://host[:port][/path]`; plain http for loopback only, unless `insecure`."""
    ca: str | None = None
    """PEM of the authority that is believed; None for those of the system."""
    credentials: Credentials | None = None
    client_certificate: str | None = field(default=None, repr=False)
    """PEM of certificate and key, one after the other."""
    tls_server_name: str | None = None
    """Name that the server's certificate must be for, when it isn't the host's."""
    insecure: bool = False
    """Whoever answers is believed. Only a kubeconfig that says so sets it."""

    def __post_init__(self) -> None:
        place = urlsplit(self.server)
        if place.scheme not in {"http", "https"} or not place.hostname:
            raise _invalid(
                "server", self.server, "an address like https://10.0.0.1:6443", "name the API server's address"
            )
        if place.scheme == "http" and not self.insecure and not _is_loopback(place.hostname):
            raise _invalid("server", self.server, "https", "use https; plain http is for this machine alone")

    @classmethod
    def from_kubeconfig(cls, file: Path, context: str | None = None) -> Self:
        """Return what a context of the file says; None for its current one. Raises InvalidAccessError."""
        found = kubeconfig.read(Path(file), context)
        return cls(
            server=found.server,
            ca=found.ca,
            credentials=found.credentials,
            client_certificate=found.client_certificate,
            tls_server_name=found.tls_server_name,
            insecure=found.insecure,
        )

    @classmethod
    def from_eks(cls, eks_name: str, region: str, session: Any = None) -> Self:
        """Ask EKS for the cluster, and sign tokens with the session's credentials. Raises ClusterUnreachableError.

        `session` is a boto3 session; None for one of the usual chain.
        """
        import boto3  # type: ignore[import-untyped]  # noqa: PLC0415  # only where AWS is called

        session = session or boto3.Session(region_name=region)
        cluster = eks.describe(eks_name, region, session)
        return cls(server=cluster.endpoint, ca=cluster.ca, credentials=eks.eks_token(eks_name, region, session))

    @classmethod
    def in_cluster(cls, folder: Path = SERVICE_ACCOUNT) -> Self:
        """Return the access of the pod that this runs in. Raises InvalidAccessError."""
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise _invalid(
                "KUBERNETES_SERVICE_HOST",
                host,
                "set, as in every pod",
                "run in a pod, or name a kubeconfig or an EKS cluster",
            )
        try:
            ca = (folder / "ca.crt").read_text(encoding="utf-8")
        except OSError as error:
            allowed = "a file that can be read"
            fix = f"let the pod mount its service account's token ({error.strerror or error})"
            raise _invalid(str(folder / "ca.crt"), None, allowed, fix) from error
        name = f"[{host}]" if ":" in host else host
        return cls(server=f"https://{name}:{port}", ca=ca, credentials=file_token(folder / "token"))

    def tls(self) -> ssl.SSLContext | None:
        """Return the settings of connections; None for plain http. Raises ClusterUnreachableError."""
        if urlsplit(self.server).scheme == "http":
            return None
        try:
            context = ssl.create_default_context(cadata=self.ca)
            # authorities of clusters lack extensions that Python 3.13 began to insist on
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            if self.client_certificate is not None:
                _load(context, self.client_certificate)
        except (ssl.SSLError, OSError, ValueError) as error:
            why = (
                f"the authority or client certificate for {self.server} can't be used: {error}; check that they are PEM"
            )
            raise ClusterUnreachableError(why) from error
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _load(context: ssl.SSLContext, pem: str) -> None:
    """Python reads a key from a file only: it is there for a moment, for us alone."""
    handle, name = tempfile.mkstemp(prefix="archer-", suffix=".pem")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(pem)
        # an encrypted key would make OpenSSL ask at the terminal
        context.load_cert_chain(name, password=lambda: "")
    finally:
        Path(name).unlink()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _invalid(path: str, value: str | None, allowed: str, fix: str) -> InvalidAccessError:
    given = "absent" if value is None else shown(value)
    return InvalidAccessError([Problem(path=path, value=given, allowed=allowed, fix=fix)])
