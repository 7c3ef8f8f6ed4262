"""Reads one context of a kubeconfig: address, authority, and a client certificate, a token or a program that gives one.

Only the file that is named is read: `KUBECONFIG` and `~/.kube/config` often point to another cluster than the one that is meant.
What kubectl knows beyond that (proxies, basic auth, auth providers) is refused by name.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from moka.errors import BadInputError
from moka_constructs.manifest_set.handler.client import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_UNKNOWN = {"cluster": ("proxy-url",), "user": ("username", "auth-provider", "as", "as-groups")}


def read_server(path: Path, context: str | None, scratch: Path) -> Server:
    """Return where the context leads and as whom; keys that are data are written into `scratch`.

    Without `context` it is the file's current one. Raises BadInputError for a file that cannot be used.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInputError(f"`--kubeconfig` must be a kubeconfig file, got {path}: {error}") from error
    if not isinstance(document, dict):
        raise BadInputError(f"`--kubeconfig` must be a kubeconfig file, got {path}, which holds no mapping")
    wanted = context or document.get("current-context")
    if not wanted:
        raise BadInputError(f"`--context` must be given, as {path} has no current one; {_listed(document, 'context')}")
    chosen = _named(document, "context", str(wanted), path)
    cluster = _named(document, "cluster", str(chosen.get("cluster")), path)
    user = _named(document, "user", str(chosen.get("user")), path)
    for kind, section in (("cluster", cluster), ("user", user)):
        unknown = [key for key in _UNKNOWN[kind] if section.get(key)]
        if unknown:
            raise BadInputError(
                f"{kind} of context {wanted} in {path} uses {', '.join(unknown)}, which is not supported"
            )
    authority = _content(cluster, "certificate-authority", path)
    return Server(
        url=str(cluster.get("server")),
        ca=None if authority is None else authority.decode(),
        token=_token(user, path),
        certificate_files=_certificate(user, path, scratch),
        server_name=cluster.get("tls-server-name"),
        check_certificate=not cluster.get("insecure-skip-tls-verify"),
    )


def _named(document: Mapping[str, Any], kind: str, name: str, path: Path) -> Mapping[str, Any]:
    for entry in document.get(f"{kind}s") or ():
        if entry.get("name") == name:
            return entry.get(kind) or {}
    raise BadInputError(f"{path} has no {kind} {name!r}; {_listed(document, kind)}")


def _listed(document: Mapping[str, Any], kind: str) -> str:
    names = sorted(str(entry.get("name")) for entry in document.get(f"{kind}s") or ())
    return f"it has {', '.join(names) or 'none'}"


def _content(section: Mapping[str, Any], key: str, path: Path) -> bytes | None:
    """Return what `key-data` holds, or the file that `key` names."""
    data, named = section.get(f"{key}-data"), section.get(key)
    try:
        if data:
            return base64.b64decode(str(data), validate=True)
        return (path.parent / str(named)).read_bytes() if named else None
    except (OSError, binascii.Error) as error:
        raise BadInputError(f"`{key}` in {path} cannot be read: {error}") from error


def _certificate(user: Mapping[str, Any], path: Path, scratch: Path) -> tuple[str, str] | None:
    """Return files with the client's certificate and key: TLS takes no others."""
    certificate, key = _content(user, "client-certificate", path), _content(user, "client-key", path)
    if certificate is None or key is None:
        return None
    files = []
    for content in (certificate, key):
        handle, name = tempfile.mkstemp(dir=scratch, suffix=".pem")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        files.append(name)
    return files[0], files[1]


def _token(user: Mapping[str, Any], path: Path) -> Callable[[bool], str] | None:
    if user.get("token"):
        token = str(user["token"])
        return lambda _refused: token
    if user.get("tokenFile"):
        file = path.parent / str(user["tokenFile"])
        # whoever writes the file renews it
        return lambda _refused: file.read_text(encoding="utf-8").strip()
    if user.get("exec"):
        return _Program(user["exec"], path)
    return None


class _Program:
    """A program that gives tokens: `aws eks get-token` and the like."""

    def __init__(self, plugin: Mapping[str, Any], path: Path) -> None:
        self._plugin = plugin
        self._path = path
        self._token = ""

    def __call__(self, refused: bool) -> str:  # called by position
        if refused or not self._token:
            self._token = self._ask()
        return self._token

    def _ask(self) -> str:
        plugin = self._plugin
        command = [str(plugin["command"]), *map(str, plugin.get("args") or ())]
        asked = {"apiVersion": plugin["apiVersion"], "kind": "ExecCredential", "spec": {"interactive": False}}
        extra = {str(each["name"]): str(each["value"]) for each in plugin.get("env") or ()}
        environment = {**os.environ, **extra, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            return str(json.loads(done.stdout)["status"]["token"])
        except subprocess.CalledProcessError as error:
            raise BadInputError(
                f"{command[0]}, which {self._path} names for credentials, failed: {error.stderr}"
            ) from error
        except (OSError, ValueError, KeyError) as error:
            raise BadInputError(f"{command[0]}, which {self._path} names, gave no token: {error!r}") from error
