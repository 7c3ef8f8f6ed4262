"""The committed table of rights on a real API server: whole and true for every account of our charts, each asking for itself."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from environments.names import ARCHER_GROUP, OPERATOR_NAMESPACE, SYSTEM_NAMESPACE, YUNIKORN_NAMESPACE
from k8s_manifests.rights import Right, resource_name
from k8s_manifests.rights_reference import EVERYBODY, PAGE, TEAM, read

from .asking import Asker, Granted

TEAMS_OWN, ANOTHER_TEAM = "spark-ads", "spark-search"
PLATFORM = (SYSTEM_NAMESPACE, OPERATOR_NAMESPACE, YUNIKORN_NAMESPACE)
BY_OTHERS = ("default", "kube-system", "kube-public", "kube-node-lease")
"""Namespaces that no chart of ours makes."""
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
WAYS_TO_MORE = (
    "secrets",
    "configmaps",
    "serviceaccounts",
    "serviceaccounts/token",
    "nodes",
    "nodes/proxy",
    "nodes/status",
    "namespaces",
    "namespaces/finalize",
    "pods/exec",
    "pods/attach",
    "pods/portforward",
    "pods/proxy",
    "pods/ephemeralcontainers",
    "pods/eviction",
    "pods/status",
    "pods/log",
    "services/proxy",
    "persistentvolumes",
    "resourcequotas",
    "limitranges",
    "deployments.apps",
    "daemonsets.apps",
    "cronjobs.batch",
    "networkpolicies.networking.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "certificatesigningrequests.certificates.k8s.io",
    "certificatesigningrequests.certificates.k8s.io/approval",
    "tokenreviews.authentication.k8s.io",
    "subjectaccessreviews.authorization.k8s.io",
    "apiservices.apiregistration.k8s.io",
    "flowschemas.flowcontrol.apiserver.k8s.io",
    "sparkapplications.sparkoperator.k8s.io/status",
)
SPECIAL = [
    *product(("users", "groups", "serviceaccounts"), ("impersonate",)),
    *product(("roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io"), ("bind", "escalate")),
    ("signers.certificates.k8s.io", "approve"),
    ("signers.certificates.k8s.io", "sign"),
    ("*", "*"),
]
"""Verbs beyond those of objects, each with what it is about."""
ACCOUNTS = sorted(
    {row.account.replace(TEAM, TEAMS_OWN) for row in read(PAGE.read_text(encoding="utf-8")) if row.account != EVERYBODY}
    | {"moka-celeborn/celeborn", "moka-logs/log-shipper", "moka-system/archer", "moka-system/archer-migrate"}
    | {"moka-system/history-server"}
)
"""One team's drivers for all: the others are asked for the list of their rights."""


def test_every_account_of_the_charts_is_asked_about(granted: Granted) -> None:
    drivers = {each for each in granted.accounts if each.startswith("spark-")}

    assert len(drivers) == 5
    assert granted.accounts - drivers == set(ACCOUNTS) - {f"{TEAMS_OWN}/spark"}


def test_whoever_asks_is_who_the_charts_mean(granted: Granted, asker: Callable[[str], Asker]) -> None:
    for account in granted.accounts - {f"group {ARCHER_GROUP}"}:
        namespace, name = account.split("/")
        assert asker(account).name() == f"system:serviceaccount:{namespace}:{name}"


def test_in_every_namespace_the_server_lists_the_tables_rights_and_no_other(
    granted: Granted, asker: Callable[[str], Asker]
) -> None:
    for account, where in product(sorted(granted.accounts), (*sorted(granted.namespaces), *BY_OTHERS)):
        assert asker(account).rights(where) == granted.here(account, where), f"{account} in {where}"


@pytest.mark.parametrize("account", ACCOUNTS)
def test_each_right_of_the_table_is_granted_and_nothing_else_of_all_that_could_be_asked(
    granted: Granted, asker: Callable[[str], Asker], account: str
) -> None:
    mine = granted.of(account)
    resources = {each.resource for each in granted.table} | set(WAYS_TO_MORE)
    asked = {*product(resources, VERBS), *SPECIAL}
    places = {"", ANOTHER_TEAM if account.startswith("spark-") else ""}
    places |= {each.where for each in mine if each.where in {TEAMS_OWN, *PLATFORM}}
    if "/" in account:
        places.add(account.partition("/")[0])
    questions = {Right(account, where, resource, "", verb) for where in places for resource, verb in asked}
    # where no chart has anything: the lists above are about all of those namespaces
    questions |= {Right(account, "kube-system", resource, "", verb) for resource, verb in product(WAYS_TO_MORE, VERBS)}
    questions |= {Right(account, each.where, each.resource, each.name, each.verb) for each in mine}
    # a right on one object is none on another one
    questions |= {
        Right(account, each.where, each.resource, f"not-{each.name}", each.verb) for each in mine if each.name
    }

    allowed = asker(account).allowed(questions)

    table = {(each.where, each.resource, each.name, each.verb) for each in mine}
    assert allowed == {
        each
        for each in questions
        if {(where, each.resource, name, each.verb) for where in {"", each.where} for name in {"", each.name}} & table
    }
    assert len(allowed) >= len(mine)


def test_resources_are_named_as_the_server_serves_them(granted: Granted) -> None:
    """A question about a resource that does not exist is denied, and proves nothing."""
    with granted.plane.client() as client:
        paths = [("", "/api/v1")] + [
            (group["name"], f"/apis/{version['groupVersion']}")
            for group in client.request("GET", "/apis")["groups"]
            for version in group["versions"]
        ]
        served = {
            resource_name(group, resource["name"])
            for group, path in paths
            for resource in client.request("GET", path)["resources"]
        }
    for resource in {each.resource for each in granted.table} | set(WAYS_TO_MORE):
        # to set owner references that block needs a right on this one, which has no address
        assert resource.removesuffix("/finalizers") in served
