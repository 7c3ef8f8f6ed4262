"""Questions of an account to the API server about its own rights, many at once, and what the committed table answers."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPSConnection
from typing import TYPE_CHECKING, Any, Final

from k8s_manifests.rights import Right, resource_name
from k8s_manifests.rights_reference import EVERYBODY
from testbed import kubeconfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testbed.control_plane import ControlPlane

API: Final = "authorization.k8s.io/v1"
_AT_ONCE: Final = 4


@dataclass(frozen=True, kw_only=True)
class Granted:
    """A cluster with accounts, and the table of their rights."""

    plane: ControlPlane
    accounts: frozenset[str]
    namespaces: frozenset[str]
    """Those of the charts."""
    table: frozenset[Right]

    def of(self, account: str) -> set[Right]:
        """Return what the table gives to the account, with what it gives to everybody."""
        return {each for each in self.table if each.account in {account, EVERYBODY}}

    def here(self, account: str, where: str) -> set[tuple[str, str, str]]:
        """Return resource, name and verb of what holds in a namespace: its own rights and those of the whole cluster."""
        return {(each.resource, each.name, each.verb) for each in self.of(account) if each.where in {"", where}}


class Asker:
    """One account at the API server, with the token or the certificate that it would have."""

    def __init__(self, granted: Granted, account: str) -> None:
        plane = granted.plane
        namespace, slash, name = account.partition("/")
        if slash:
            file = plane.kubeconfig_for(namespace, name)
        else:
            kind, group = account.split(" ", 1)
            assert kind == "group", account
            file = plane.kubeconfig_as("somebody", [group])
        access = kubeconfig.read(file, plane.context, plane.folder)
        self._tls: ssl.SSLContext = access.tls()
        self._headers = {"Content-Type": "application/json"}
        if access.token is not None:
            self._headers["Authorization"] = f"Bearer {access.token}"
        self._host = urllib.parse.urlsplit(access.server).netloc
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._of_thread = threading.local()
        self._connections: list[HTTPSConnection] = []

    def close(self) -> None:
        """Close the connections."""
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()

    def name(self) -> str:
        """Return who the server says that we are."""
        asked = self._post("authentication.k8s.io/v1", "SelfSubjectReview", None)
        return str(asked["status"]["userInfo"]["username"])

    def rights(self, where: str) -> set[tuple[str, str, str]]:
        """Return resource, name and verb of every right in a namespace, as the server lists them."""
        status = self._post(API, "SelfSubjectRulesReview", {"namespace": where})["status"]
        # the node authorizer cannot list; it knows nodes alone
        assert status.get("evaluationError", "") in {"", "node authorizer does not support user rule resolution"}
        return {
            (resource_name(group, resource), name, verb)
            for rule in status["resourceRules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for name in rule.get("resourceNames") or ("",)
            for verb in rule["verbs"]
        }

    def allowed(self, questions: Iterable[Right]) -> set[Right]:
        """Return those that the server allows to the account that asks."""
        asked = list(questions)
        return {each for each, yes in zip(asked, self._pool.map(self._may, asked), strict=True) if yes}

    def _may(self, right: Right) -> bool:
        group, resource, subresource = split(right.resource)
        attributes = {
            "verb": right.verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "namespace": right.where,
            "name": right.name,
        }
        answer = self._post(API, "SelfSubjectAccessReview", {"resourceAttributes": attributes})
        return bool(answer["status"]["allowed"])

    def _post(self, api: str, kind: str, spec: dict[str, Any] | None) -> Any:
        if not hasattr(self._of_thread, "connection"):
            self._of_thread.connection = HTTPSConnection(self._host, context=self._tls, timeout=60)
            self._connections.append(self._of_thread.connection)
        connection: HTTPSConnection = self._of_thread.connection
        body = {"apiVersion": api, "kind": kind, **({} if spec is None else {"spec": spec})}
        connection.request("POST", f"/apis/{api}/{kind.lower()}s", json.dumps(body), self._headers)
        response = connection.getresponse()
        text = response.read()
        assert response.status == 201, text
        return json.loads(text)


def split(resource: str) -> tuple[str, str, str]:
    """Return group, plural and subresource of `plural[.group][/subresource]`."""
    head, _, subresource = resource.partition("/")
    plural, _, group = head.partition(".")
    return group, plural, subresource
