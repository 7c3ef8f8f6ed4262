import pytest

from k8s_manifests import labels


@pytest.mark.parametrize("value", ["", "a", "A.b_c-9", "x" * 63, "2.5.2"])
def test_values_that_kubernetes_takes_have_no_problem(value: str) -> None:
    assert labels.problems({"moka.dev/team": value}) == []


@pytest.mark.parametrize("value", ["-a", "a-", "a b", "a/b", "ä", "x" * 64, "a\n"])
def test_values_that_kubernetes_refuses_are_named(value: str) -> None:
    (problem,) = labels.problems({"moka.dev/team": value})

    assert "`moka.dev/team`" in problem
    assert repr(value) in problem


@pytest.mark.parametrize("key", ["", "a/b/c", "Up.dev/x", "moka.dev/", "/x", "moka.dev/" + "x" * 64])
def test_keys_that_kubernetes_refuses_are_named(key: str) -> None:
    (problem,) = labels.problems({key: "x"})

    assert repr(key) in problem


def test_the_version_is_a_label_and_never_part_of_a_selector() -> None:
    assert labels.common(name="n", environment="dev", version="1.0")[labels.VERSION] == "1.0"
    assert labels.VERSION not in labels.common(name="n", environment="dev")
    assert labels.selector(name="n", component="c") == {
        "app.kubernetes.io/name": "n",
        "app.kubernetes.io/component": "c",
    }
