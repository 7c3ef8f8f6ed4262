"""Reads one context of a kubeconfig. What is not supported there is refused, with everything else that is wrong, and never skipped."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from archer.errors import Problem
from archer.kubernetes.credentials import Credentials, FixedToken, file_token
from archer.kubernetes.errors import InvalidAccessError
from archer.kubernetes.exec_plugin import VERSIONS, exec_token
from archer.problems import shown

_UNSUPPORTED: Final = {
    "cluster": {"proxy-url": "reach the API server directly"},
    "user": {
        "auth-provider": "use exec, which replaced it",
        "username": "use a token, a client certificate or exec",
        "password": "use a token, a client certificate or exec",
        "as": "name a user that may do this by itself",
        "as-groups": "name a user that may do this by itself",
        "as-uid": "name a user that may do this by itself",
        "as-user-extra": "name a user that may do this by itself",
    },
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a context says."""

    server: str
    ca: str | None
    tls_server_name: str | None
    insecure: bool
    credentials: Credentials | None
    client_certificate: str | None = field(repr=False)


def read(file: Path, context: str | None) -> Found:
    """Return what `context` says; None for the current one. Raises InvalidAccessError with all that is wrong."""
    return _Reader(file).read(context)


class _Reader:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def read(self, context: str | None) -> Found:
        document = self._document()
        name = context if context is not None else document.get("current-context")
        chosen = self._entry(document, "context", name or None, "context" if context is not None else "current-context")
        cluster_name, user_name = chosen.get("cluster"), chosen.get("user")
        cluster = self._entry(document, "cluster", cluster_name, f"contexts.{name}.cluster")
        user = self._entry(document, "user", user_name, f"contexts.{name}.user")
        self._refuse_unsupported(f"clusters.{cluster_name}", "cluster", cluster)
        self._refuse_unsupported(f"users.{user_name}", "user", user)
        server = cluster.get("server")
        if not server:
            self._wrong(f"clusters.{cluster_name}.server", server, "the API server's address", "complete the file")
        ca = self._pem(cluster, "certificate-authority", f"clusters.{cluster_name}")
        certificate = self._pem(user, "client-certificate", f"users.{user_name}")
        key = self._pem(user, "client-key", f"users.{user_name}")
        if (certificate is None) != (key is None) and not self.problems:
            missing = "client-key" if key is None else "client-certificate"
            self._wrong(f"users.{user_name}.{missing}", None, "there: a certificate and its key go together", "add it")
        credentials = self._credentials(user, cluster, f"users.{user_name}")
        self._stop()
        return Found(
            server=str(server),
            ca=ca,
            tls_server_name=cluster.get("tls-server-name"),
            insecure=bool(cluster.get("insecure-skip-tls-verify")),
            credentials=credentials,
            client_certificate=None if certificate is None else f"{certificate}\n{key}",
        )

    def _stop(self) -> None:
        if self.problems:
            raise InvalidAccessError(self.problems, file=str(self.file))

    def _wrong(self, path: str, value: Any, allowed: str, fix: str) -> None:
        given = "absent" if value is None else shown(value)
        self.problems.append(Problem(path=path, value=given, allowed=allowed, fix=fix))

    def _document(self) -> Mapping[str, Any]:
        try:
            document = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self._wrong("kubeconfig", str(self.file), "a kubeconfig that can be read", f"repair it: {error}")
            document = {}
        else:
            if not isinstance(document, dict):
                self._wrong("kubeconfig", str(self.file), "a kubeconfig", "name a file that is one")
        self._stop()
        found: Mapping[str, Any] = document
        return found

    def _entry(self, document: Mapping[str, Any], kind: str, name: Any, path: str) -> Mapping[str, Any]:
        """The entry of that name; everything else depends on it."""
        listed = document.get(f"{kind}s")
        entries = {
            each.get("name"): each.get(kind) or {}
            for each in (listed if isinstance(listed, list) else ())
            if isinstance(each, dict) and isinstance(each.get(kind) or {}, dict)
        }
        if name not in entries:
            there = ", ".join(map(str, entries)) or "none there"
            self._wrong(path, name, f"the name of one of its {kind}s ({there})", "name one of those")
            self._stop()
        found: Mapping[str, Any] = entries[name]
        return found

    def _refuse_unsupported(self, path: str, kind: str, entry: Mapping[str, Any]) -> None:
        for key, fix in _UNSUPPORTED[kind].items():
            if entry.get(key):
                # the value may be a secret
                self._wrong(f"{path}.{key}", "…", "absent: Archer does not support it", fix)

    def _pem(self, entry: Mapping[str, Any], key: str, path: str) -> str | None:
        """The text of `key`-data, or of the file that `key` names, which is looked for beside the kubeconfig."""
        data, name = entry.get(f"{key}-data"), entry.get(key)
        try:
            if data:
                return base64.b64decode(str(data), validate=True).decode()
            return (self.file.parent / str(name)).read_text(encoding="utf-8") if name else None
        except (binascii.Error, UnicodeDecodeError):
            shown = f"{key}-data" if data else key
            self._wrong(
                f"{path}.{shown}", "…" if data else name, "PEM" + (" in base64" if data else ""), "write it anew"
            )
        except OSError as error:
            self._wrong(f"{path}.{key}", name, "a file that can be read", f"repair it: {error.strerror or error}")
        return None

    def _credentials(self, user: Mapping[str, Any], cluster: Mapping[str, Any], path: str) -> Credentials | None:
        if user.get("tokenFile"):  # as in kubectl, it goes before a token
            return file_token(self.file.parent / str(user["tokenFile"]))
        if user.get("token"):
            return FixedToken(str(user["token"]))
        plugin = user.get("exec")
        if not plugin:
            return None
        before = len(self.problems)
        if not isinstance(plugin, dict) or not plugin.get("command"):
            self._wrong(f"{path}.exec.command", None, "the program that gives the token", "name it")
            return None
        if plugin.get("apiVersion") not in VERSIONS:
            allowed = f"one of {', '.join(VERSIONS)}"
            self._wrong(f"{path}.exec.apiVersion", plugin.get("apiVersion"), allowed, "update the program and the file")
        if plugin.get("interactiveMode") == "Always":
            fix = "use a program that needs nobody at a terminal"
            self._wrong(f"{path}.exec.interactiveMode", "Always", "IfAvailable or Never", fix)
        if len(self.problems) > before:
            return None
        return exec_token(plugin, _told(cluster, self.file.parent), self.file.parent)


def _told(cluster: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What a program may learn of the cluster."""
    told: dict[str, Any] = {"server": cluster.get("server")}
    if cluster.get("tls-server-name"):
        told["tls-server-name"] = cluster["tls-server-name"]
    if cluster.get("insecure-skip-tls-verify"):
        told["insecure-skip-tls-verify"] = True
    if cluster.get("certificate-authority-data"):
        told["certificate-authority-data"] = cluster["certificate-authority-data"]
    elif cluster.get("certificate-authority"):
        try:
            content = (folder / str(cluster["certificate-authority"])).read_bytes()
        except OSError:
            return told  # told by the reader already
        told["certificate-authority-data"] = base64.b64encode(content).decode()
    return told
