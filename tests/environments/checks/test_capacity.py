"""Pools together. Refusals in full are in `cases/capacity.yaml`."""

from collections.abc import Callable

from environments.checks import capacity
from environments.model import Environment

Make = Callable[..., Environment]


def test_names_that_only_begin_alike_are_allowed(environment: Make) -> None:
    """eks-executor- does not match eks-executors-…, so the expander tells them apart."""
    made = environment("dev", {"clusters.0.pools.1.name": "executors"})

    assert list(capacity.unique_pools(made, ("clusters", 0), made.clusters[0])) == []


def test_several_pools_of_one_role_are_allowed(environment: Make) -> None:
    made = environment("prod")

    assert list(capacity.roles(made, ("clusters", 0), made.clusters[0])) == []


def test_an_unknown_region_is_allowed_when_every_type_is_told(environment: Make) -> None:
    zones = ["us-gov-west-1a", "us-gov-west-1b", "us-gov-west-1c"]
    types = ["m8g.xlarge", "m8g.2xlarge", "r8gd.4xlarge", "r7gd.4xlarge", "r6gd.4xlarge"]
    changes = {
        "region": "us-gov-west-1",
        "network.zones": zones,
        "offered_beyond_table": dict.fromkeys(types, zones),
    }

    made = environment("dev", changes)

    assert list(capacity.region_known(made)) == []
    assert list(capacity.offered_beyond_table(made)) == []
    assert list(capacity.zone_count(made)) == []
