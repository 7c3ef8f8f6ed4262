from typing import Any

import pytest

from k8s_manifests.errors import ChartError
from k8s_manifests.rights import Right, accounts_of, resource_name, rights_of


def a_role(kind: str, name: str, namespace: str | None, *rules: dict[str, Any]) -> dict[str, Any]:
    where = {} if namespace is None else {"namespace": namespace}
    return {"kind": kind, "metadata": {"name": name, **where}, "rules": list(rules)}


def a_binding(kind: str, role_kind: str, role: str, namespace: str | None, *subjects: dict[str, str]) -> dict[str, Any]:
    where = {} if namespace is None else {"namespace": namespace}
    return {
        "kind": kind,
        "metadata": {"name": "binding", **where},
        "roleRef": {"kind": role_kind, "name": role},
        "subjects": list(subjects),
    }


ACCOUNT = {"kind": "ServiceAccount", "name": "reader", "namespace": "one"}
PODS = {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}
LOCK = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": ["a", "b"], "verbs": ["update"]}


def test_a_role_gives_each_verb_on_each_resource_where_its_binding_is() -> None:
    found = rights_of([a_role("Role", "r", "two", PODS), a_binding("RoleBinding", "Role", "r", "two", ACCOUNT)])

    wanted = [("pods", "get"), ("pods", "list"), ("pods/log", "get"), ("pods/log", "list")]
    assert sorted(found) == [Right("one/reader", "two", resource, "", verb) for resource, verb in wanted]


def test_a_right_that_is_limited_by_name_is_one_for_each_name() -> None:
    found = rights_of([a_role("Role", "r", "two", LOCK), a_binding("RoleBinding", "Role", "r", "two", ACCOUNT)])

    assert {(each.resource, each.name) for each in found} == {
        ("leases.coordination.k8s.io", "a"),
        ("leases.coordination.k8s.io", "b"),
    }


def test_a_cluster_role_holds_everywhere_by_a_cluster_binding_and_in_one_namespace_by_another() -> None:
    role = a_role("ClusterRole", "r", None, PODS)

    everywhere = rights_of([role, a_binding("ClusterRoleBinding", "ClusterRole", "r", None, ACCOUNT)])
    there = rights_of([role, a_binding("RoleBinding", "ClusterRole", "r", "two", ACCOUNT)])

    assert {each.where for each in everywhere} == {""}
    assert {each.where for each in there} == {"two"}


def test_a_group_is_told_from_an_account() -> None:
    group = {"kind": "Group", "name": "moka:archer"}
    manifests = [a_role("Role", "r", "two", PODS), a_binding("RoleBinding", "Role", "r", "two", group)]

    assert {each.account for each in rights_of(manifests)} == accounts_of(manifests) == {"group moka:archer"}


def test_an_account_without_rights_is_an_account() -> None:
    manifest = {"kind": "ServiceAccount", "metadata": {"name": "idle", "namespace": "one"}}

    assert accounts_of([manifest]) == {"one/idle"}
    assert rights_of([manifest]) == frozenset()


def test_a_binding_of_a_role_that_no_chart_renders_is_refused() -> None:
    binding = a_binding("ClusterRoleBinding", "ClusterRole", "cluster-admin", None, ACCOUNT)

    with pytest.raises(ChartError, match="gives away ClusterRole cluster-admin, which no chart renders"):
        rights_of([binding])


def test_a_role_of_another_namespace_is_not_the_one_that_is_bound() -> None:
    manifests = [a_role("Role", "r", "three", PODS), a_binding("RoleBinding", "Role", "r", "two", ACCOUNT)]

    with pytest.raises(ChartError, match="gives away Role r, which no chart renders"):
        rights_of(manifests)


@pytest.mark.parametrize(
    ("group", "resource", "name"),
    [
        ("", "pods", "pods"),
        ("", "pods/log", "pods/log"),
        ("batch", "jobs", "jobs.batch"),
        ("policy", "poddisruptionbudgets/status", "poddisruptionbudgets.policy/status"),
    ],
)
def test_a_resource_is_named_as_kubectl_does(group: str, resource: str, name: str) -> None:
    assert resource_name(group, resource) == name
