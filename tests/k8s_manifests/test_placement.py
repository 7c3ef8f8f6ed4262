from collections.abc import Callable
from typing import Any

import pytest

from environments import Environment, load
from k8s_manifests.errors import ChartError
from k8s_manifests.placement import as_pod_fields, node_labels, node_taints, on_every_node_of, on_role


def _pool(**changes: Any) -> dict[str, Any]:
    pool: dict[str, Any] = load("dev").clusters[0].pools[0].model_dump(mode="json")
    return {**pool, **changes}


def _with_pools(change: Callable[..., Environment], *pools: dict[str, Any]) -> Environment:
    cluster = load("dev").clusters[0].model_dump(mode="json")
    return change(clusters=[{**cluster, "pools": list(pools)}])


def test_a_pod_is_placed_by_role_and_not_by_a_pools_name(dev_with: Callable[..., Environment]) -> None:
    environment = _with_pools(dev_with, _pool(name="core"), _pool(name="driver", role="driver"))

    assert on_role(environment.clusters[0], "system").node_selector == {"moka.dev/role": "system"}


def test_every_extra_taint_of_the_pools_is_tolerated(dev_with: Callable[..., Environment]) -> None:
    taints = [{"key": "team", "value": "platform", "effect": "NoSchedule"}]
    environment = _with_pools(dev_with, _pool(taints=taints), _pool(name="second", taints=taints))

    assert on_role(environment.clusters[0], "system").tolerations == (
        {"key": "team", "operator": "Equal", "value": "platform", "effect": "NoSchedule"},
    )


def test_a_pool_for_jobs_is_tolerated_by_its_role(dev_with: Callable[..., Environment]) -> None:
    environment = _with_pools(dev_with, _pool(), _pool(name="driver", role="driver"))

    assert on_role(environment.clusters[0], "driver").tolerations == (
        {"key": "moka.dev/role", "operator": "Equal", "value": "driver", "effect": "NoSchedule"},
    )


def test_a_role_without_a_pool_is_refused_with_the_roles_that_exist(dev_with: Callable[..., Environment]) -> None:
    environment = _with_pools(dev_with, _pool(name="a", role="driver"), _pool(name="b", role="executor"))

    with pytest.raises(ChartError, match=r"cluster batch: has no pool of role 'system' \(it has driver, executor\)"):
        on_role(environment.clusters[0], "system")


def test_nodes_carry_pool_role_capacity_and_the_pools_own_labels(dev_with: Callable[..., Environment]) -> None:
    environment = _with_pools(dev_with, _pool(labels={"disk": "fast"}), _pool(name="driver", role="driver"))

    assert node_labels(environment.clusters[0].pools[0]) == {
        "moka.dev/pool": "system",
        "moka.dev/role": "system",
        "moka.dev/capacity": "on_demand",
        "disk": "fast",
    }
    assert node_taints(environment.clusters[0].pools[0]) == ()


def test_every_node_of_several_roles_is_chosen_by_affinity_and_all_their_taints_are_tolerated(
    dev_with: Callable[..., Environment],
) -> None:
    environment = _with_pools(
        dev_with,
        _pool(),
        _pool(name="driver", role="driver"),
        _pool(name="big", role="executor", taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]),
    )
    fields = as_pod_fields(on_every_node_of(environment.clusters[0], "driver", "executor"))

    (term,) = fields["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "moka.dev/role", "operator": "In", "values": ["driver", "executor"]}]
    assert "nodeSelector" not in fields
    assert [(each["key"], each["value"]) for each in fields["tolerations"]] == [
        ("moka.dev/role", "driver"),
        ("moka.dev/role", "executor"),
        ("gpu", "yes"),
    ]
