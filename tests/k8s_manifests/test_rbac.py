import pytest

from k8s_manifests.base import MokaChart
from k8s_manifests.errors import ChartError
from k8s_manifests.rbac import Group, Rule, Subject, add_cluster_role, add_role, add_service_account


def test_a_wildcard_is_refused() -> None:
    with pytest.raises(ChartError, match=r"rule for pods: holds the wildcard \*"):
        Rule(resources=("pods",), verbs=("*",))


def test_a_creation_limited_by_name_is_refused_because_it_never_matches() -> None:
    with pytest.raises(ChartError, match="limits create by object name, which never matches"):
        Rule(resources=("secrets",), names=("certs",), verbs=("create", "get"))


def test_a_role_comes_with_the_binding_that_gives_it_away(chart: MokaChart) -> None:
    subject = Subject(name="reader", namespace="moka-system")
    add_service_account(chart, subject)
    add_role(chart, "read", (Rule(resources=("pods",), verbs=("get",)),), namespace="spark-ads", subject=subject)
    add_cluster_role(chart, "read", (Rule(resources=("nodes",), verbs=("get",)),), subject=subject)

    account, role, binding, cluster_role, cluster_binding = chart.manifests()
    assert account["automountServiceAccountToken"] is False
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "spark-ads"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "reader", "namespace": "moka-system"}]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "read"}
    assert cluster_binding["roleRef"]["kind"] == cluster_role["kind"] == "ClusterRole"


def test_a_group_is_bound_without_a_namespace(chart: MokaChart) -> None:
    rule = Rule(resources=("pods",), verbs=("get",))
    add_role(chart, "read", (rule,), namespace="spark-ads", subject=Group(name="moka:archer"))

    _role, binding = chart.manifests()
    assert binding["subjects"] == [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "moka:archer"}]


def test_two_charts_of_one_app_keep_their_objects_apart() -> None:
    import cdk8s

    app = cdk8s.App()
    first, second = (MokaChart(app, name, labels={}) for name in ("First", "Second"))
    for each in (first, second):
        add_service_account(each, Subject(name="same", namespace="moka-system"))

    assert len(first.manifests()) == len(second.manifests()) == 1
