import pytest

from k8s_manifests.base import MokaChart
from k8s_manifests.errors import ChartError
from k8s_manifests.kinds import Kind


def test_every_object_carries_the_charts_labels_and_its_own(chart: MokaChart) -> None:
    chart.add(
        Kind.CONFIG_MAP, "settings", {"data": {"a": "b"}}, namespace="moka-system", labels={"moka.dev/team": "ads"}
    )

    (found,) = chart.manifests()
    assert found == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "settings",
            "namespace": "moka-system",
            "labels": {"app.kubernetes.io/name": "tested", "moka.dev/team": "ads"},
        },
        "data": {"a": "b"},
    }


def test_objects_come_out_in_the_order_in_which_they_were_added(chart: MokaChart) -> None:
    for name in ("c", "a", "b"):
        chart.add(Kind.CONFIG_MAP, name, namespace="moka-system")

    assert [found["metadata"]["name"] for found in chart.manifests()] == ["c", "a", "b"]


def test_a_namespaced_object_without_a_namespace_is_refused(chart: MokaChart) -> None:
    with pytest.raises(
        ChartError, match="Chart/ConfigMap/settings: a ConfigMap lives in a namespace; pass `namespace`"
    ):
        chart.add(Kind.CONFIG_MAP, "settings")


def test_a_cluster_wide_object_with_a_namespace_is_refused(chart: MokaChart) -> None:
    with pytest.raises(ChartError, match="a ClusterRole lives in no namespace, got 'moka-system'; leave"):
        chart.add(Kind.CLUSTER_ROLE, "reader", namespace="moka-system")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.CONFIG_MAP, "Upper"),
        (Kind.CONFIG_MAP, "under_score"),
        (Kind.CONFIG_MAP, "-dash"),
        (Kind.CONFIG_MAP, "x" * 254),
        (Kind.SERVICE, "dotted.name"),
        (Kind.SERVICE, "x" * 64),
        (Kind.ROLE, "a/b"),
        (Kind.ROLE, ""),
    ],
)
def test_a_name_that_kubernetes_refuses_is_refused(chart: MokaChart, kind: Kind, name: str) -> None:
    with pytest.raises(ChartError, match="name must be a DNS name of at most"):
        chart.add(kind, name, namespace="moka-system")


@pytest.mark.parametrize(
    ("kind", "name"), [(Kind.CONFIG_MAP, "a.b-c.9"), (Kind.SERVICE, "x" * 63), (Kind.ROLE, "system:reader")]
)
def test_a_name_that_kubernetes_takes_is_taken(chart: MokaChart, kind: Kind, name: str) -> None:
    chart.add(kind, name, namespace="moka-system")

    assert chart.manifests()[0]["metadata"]["name"] == name


def test_an_object_that_is_there_already_is_refused(chart: MokaChart) -> None:
    chart.add(Kind.CONFIG_MAP, "settings", namespace="moka-system")
    chart.add(Kind.CONFIG_MAP, "settings", namespace="moka-operator")

    with pytest.raises(ChartError, match="Chart/ConfigMap/moka-system/settings: is in the chart twice"):
        chart.add(Kind.CONFIG_MAP, "settings", namespace="moka-system")


def test_a_label_that_kubernetes_refuses_is_refused_with_its_value(chart: MokaChart) -> None:
    with pytest.raises(ChartError, match=r"label `moka.dev/team` must be at most 63 .* got 'a b'"):
        chart.add(Kind.CONFIG_MAP, "settings", namespace="moka-system", labels={"moka.dev/team": "a b"})


def test_all_problems_of_an_object_are_told_at_once(chart: MokaChart) -> None:
    with pytest.raises(ChartError) as caught:
        chart.add(Kind.CONFIG_MAP, "Bad", labels={"a b": "c"})

    assert all(word in str(caught.value) for word in ("lives in a namespace", "name must be", "label key 'a b'"))
