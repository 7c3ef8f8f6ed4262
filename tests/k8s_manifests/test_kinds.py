import pytest

from k8s_manifests.kinds import Kind, is_namespaced


def test_kinds_know_whether_they_live_in_a_namespace() -> None:
    assert is_namespaced("apps/v1", "Deployment")
    assert not is_namespaced("rbac.authorization.k8s.io/v1", "ClusterRole")


def test_a_kind_in_another_api_version_is_unknown() -> None:
    with pytest.raises(KeyError, match="policy/v1beta1/PodDisruptionBudget"):
        is_namespaced("policy/v1beta1", "PodDisruptionBudget")


def test_no_kind_is_written_twice() -> None:
    # an Enum turns a second member of equal value into an alias of the first
    assert len(Kind.__members__) == len(list(Kind))
