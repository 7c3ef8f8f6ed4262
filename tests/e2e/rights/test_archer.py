"""What the chart grants to Archer's group, tried on a real API server: what its backend calls works, all else is forbidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from testbed.kubernetes import Client

JOBS, SYSTEM = "/namespaces/spark-ads", "/namespaces/moka-system"
APPLICATIONS = "/apis/sparkoperator.k8s.io/v1beta2"
DRY: Final = {"dryRun": "All"}
FORBIDDEN = 403

ALLOWED = [
    ("POST", f"{APPLICATIONS}{JOBS}/sparkapplications"),
    ("GET", f"{APPLICATIONS}{JOBS}/sparkapplications"),
    ("DELETE", f"{APPLICATIONS}{JOBS}/sparkapplications/x"),
    ("GET", f"/api/v1{JOBS}/pods"),
    ("PATCH", f"/api/v1{JOBS}/pods/x"),
    ("DELETE", f"/api/v1{JOBS}/pods/x"),
    ("GET", f"/api/v1{JOBS}/pods/x/log"),
    ("GET", f"/api/v1{JOBS}/events"),
    ("GET", f"/api/v1{JOBS}/resourcequotas"),
]
DENIED = [
    ("PATCH", f"{APPLICATIONS}{JOBS}/sparkapplications/x"),
    ("PATCH", f"{APPLICATIONS}{JOBS}/sparkapplications/x/status"),
    ("DELETE", f"{APPLICATIONS}{JOBS}/sparkapplications"),
    ("POST", f"/api/v1{JOBS}/pods"),
    ("DELETE", f"/api/v1{JOBS}/pods"),
    ("POST", f"/api/v1{JOBS}/pods/x/exec"),
    ("POST", f"/api/v1{JOBS}/pods/x/eviction"),
    ("PATCH", f"/api/v1{JOBS}/pods/x/status"),
    ("GET", f"/api/v1{JOBS}/secrets"),
    ("GET", f"/api/v1{JOBS}/configmaps"),
    ("GET", f"/api/v1{JOBS}/services"),
    ("GET", f"/api/v1{JOBS}/serviceaccounts"),
    ("POST", f"/api/v1{JOBS}/serviceaccounts/spark/token"),
    ("PATCH", f"/api/v1{JOBS}/resourcequotas/team"),
    ("GET", f"/api/v1{SYSTEM}/pods"),
    ("GET", f"/api/v1{SYSTEM}/secrets"),
    ("GET", f"{APPLICATIONS}{SYSTEM}/sparkapplications"),
    ("GET", f"{APPLICATIONS}/sparkapplications"),
    ("GET", "/api/v1/pods"),
    ("GET", "/api/v1/nodes"),
    ("GET", "/api/v1/namespaces"),
    ("GET", f"/apis/rbac.authorization.k8s.io/v1{JOBS}/roles"),
]


def status(client: Client, method: str, path: str) -> int:
    """The API server's answer; authorization comes before it looks at names and bodies."""
    body: dict[str, str] | None = {} if method in {"POST", "PATCH"} else None
    headers = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
    answer = client.http.request(method, path, params=DRY if method != "GET" else None, json=body, headers=headers)
    return answer.status_code


@pytest.mark.parametrize(("method", "path"), ALLOWED, ids=lambda each: each.rsplit("v1", 1)[-1])
def test_what_the_backend_calls_is_not_forbidden(archer: Client, method: str, path: str) -> None:
    assert status(archer, method, path) != FORBIDDEN


@pytest.mark.parametrize(("method", "path"), DENIED, ids=lambda each: each.rsplit("v1", 1)[-1])
def test_everything_else_is_forbidden(archer: Client, method: str, path: str) -> None:
    assert status(archer, method, path) == FORBIDDEN
