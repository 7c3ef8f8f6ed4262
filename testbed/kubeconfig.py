"""Kubeconfig files: written for the testbed's identities, read for a cluster that somebody else made.

`KUBECONFIG` and `~/.kube` are never looked at: what runs here deletes nodes and definitions.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import ssl
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from testbed.errors import ForeignClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from testbed.pki import Pair


@dataclass(frozen=True, kw_only=True)
class Access:
    """What one context of a kubeconfig says: where, whom to believe, who we are."""

    server: str
    authority: bytes | None
    """PEM of the authority; None trusts what the system trusts."""
    token: str | None
    certificate: Path | None
    key: Path | None

    def tls(self) -> ssl.SSLContext:
        """The settings of the connection: the cluster's authority alone is believed."""
        context = ssl.create_default_context(cadata=None if self.authority is None else self.authority.decode())
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


def write(path: Path, *, context: str, server: str, authority: Path, user: Pair | str) -> Path:
    """Write a kubeconfig with one context, whose user has a certificate or a token, at once. Only we may read it."""
    if isinstance(user, str):
        who: dict[str, str] = {"token": user}
    else:
        who = {"client-certificate-data": _encoded(user.certificate), "client-key-data": _encoded(user.key)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [
            {"name": context, "cluster": {"server": server, "certificate-authority-data": _encoded(authority)}}
        ],
        "users": [{"name": context, "user": who}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
    }
    # a program that starts right now may be reading the one of that name
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    fresh.replace(path)
    return path


def read(path: Path, context: str, scratch: Path) -> Access:
    """Return what `context` of the file says; keys that are data are written into `scratch`.

    Raises ForeignClusterError when the file or its context cannot be used.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ForeignClusterError(f"can't read kubeconfig {path}: {error}; name a file that is one") from error
    chosen = _named(document, "context", context, path)
    cluster = _named(document, "cluster", chosen.get("cluster"), path)
    user = _named(document, "user", chosen.get("user"), path)
    if not cluster.get("server"):
        raise ForeignClusterError(f"kubeconfig {path} names no server for context {context!r}; complete the file")
    certificate = _file(user, "client-certificate", path, scratch)
    key = _file(user, "client-key", path, scratch)
    authority = _file(cluster, "certificate-authority", path, scratch)
    return Access(
        server=cluster["server"],
        authority=None if authority is None else authority.read_bytes(),
        token=_token(user, path),
        certificate=certificate,
        key=key,
    )


def _named(document: Any, kind: str, name: Any, path: Path) -> Mapping[str, Any]:
    entries = document.get(f"{kind}s") if isinstance(document, dict) else None
    found: dict[Any, Mapping[str, Any]] = {
        entry.get("name"): entry.get(kind) or {}
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    }
    if name not in found:
        raise ForeignClusterError(
            f"kubeconfig {path} has no {kind} {name!r}; it has {', '.join(map(str, found)) or 'none'}: name one of those"
        )
    return found[name]


def _file(section: Mapping[str, Any], key: str, path: Path, scratch: Path) -> Path | None:
    """The file of `key`, or its `-data` written into one."""
    data = section.get(f"{key}-data")
    if data:
        # a file of its own each time: another thread may be reading the last one
        handle, made = tempfile.mkstemp(prefix=f"{key}-", suffix=".pem", dir=scratch)
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64decode(data))
        return Path(made)
    named = section.get(key)
    return path.parent / named if named else None


def _token(user: Mapping[str, Any], path: Path) -> str | None:
    if user.get("token"):
        return str(user["token"])
    if user.get("tokenFile"):
        token = path.parent / str(user["tokenFile"])
        return token.read_text(encoding="utf-8").strip()
    plugin = user.get("exec")
    if not plugin:
        return None
    command = [plugin["command"], *(plugin.get("args") or ())]
    extra = {entry["name"]: entry["value"] for entry in plugin.get("env") or ()}
    asked = {"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = {**os.environ, **extra, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
    try:
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        return str(json.loads(said)["status"]["token"])
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError) as error:
        raise ForeignClusterError(
            f"the program that kubeconfig {path} names for credentials gave no token: {command[0]}: {error}; run it by hand"
        ) from error


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
