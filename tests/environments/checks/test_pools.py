"""Pool checks by themselves. Refusals in full are in `cases/capacity.yaml`."""

from collections.abc import Callable

import pytest

from environments.checks import pools
from environments.model import Environment

Make = Callable[..., Environment]
AT = ("clusters", 0, "pools", 0)


@pytest.mark.parametrize("key", ["example.com/owner", "owner", "kubernetes.io.example.com/x"])
def test_a_label_of_ones_own_domain_is_allowed(key: str, environment: Make) -> None:
    made = environment("dev", {"clusters.0.pools.0.labels": {key: "x"}})

    assert list(pools.reserved_keys(made, AT, made.clusters[0], made.clusters[0].pools[0])) == []


@pytest.mark.parametrize(
    "key",
    ["kubernetes.io/arch", "beta.kubernetes.io/x", "topology.k8s.io/zone", "eks.amazonaws.com/x", "moka.dev/pool"],
)
def test_a_label_of_a_reserved_domain_is_refused(key: str, environment: Make) -> None:
    made = environment("dev", {"clusters.0.pools.0.labels": {key: "x"}})

    assert len(list(pools.reserved_keys(made, AT, made.clusters[0], made.clusters[0].pools[0]))) == 1


def test_a_bottlerocket_release_is_not_compared_with_the_cluster(environment: Make) -> None:
    changes = {
        "clusters.0.pools.0.operating_system": "bottlerocket",
        "clusters.0.pools.0.ami_release_version": "1.64.0-a1b2c3d4",
    }
    made = environment("dev", changes)

    assert list(pools.image(made, AT, made.clusters[0], made.clusters[0].pools[0])) == []


def test_a_pool_may_keep_to_one_zone(environment: Make) -> None:
    made = environment("dev", {"clusters.0.pools.1.zones": ["us-east-1b"]})

    assert list(pools.zones(made, AT, made.clusters[0], made.clusters[0].pools[1])) == []
    assert made.pool_zones(made.clusters[0].pools[1]) == ("us-east-1b",)


def test_equal_bounds_are_allowed(environment: Make) -> None:
    made = environment("dev", {"clusters.0.pools.1.min_nodes_per_zone": 4})

    assert list(pools.bounds(made, AT, made.clusters[0], made.clusters[0].pools[1])) == []
