"""Instance types of a pool by themselves. Refusals in full are in `cases/capacity.yaml`."""

from collections.abc import Callable
from typing import Any

import pytest

from environments.checks import pool_types
from environments.model import Environment
from environments.problems import Finding

Make = Callable[..., Environment]


def _found(check: Callable[..., Any], made: Environment, pool: int) -> list[Finding]:
    cluster = made.clusters[0]
    return list(check(made, ("clusters", 0, "pools", pool), cluster, cluster.pools[pool]))


def test_disks_may_differ_where_nobody_uses_them(environment: Make) -> None:
    """The autoscaler's simulation counts the root volume then, which is the same for all."""
    made = environment("dev", {"clusters.0.pools.1.instance_types": ["m8g.2xlarge", "m8gd.2xlarge"]})

    assert _found(pool_types.types_equal, made, 1) == []


def test_disks_that_are_paid_for_and_not_used_are_a_warning(environment: Make) -> None:
    made = environment("dev", {"clusters.0.pools.2.nvme": "ignore"})

    (finding,) = _found(pool_types.disks, made, 2)

    assert (finding.level, finding.fix) == ("warning", "set nvme: raid0, or take types without disks")


def test_what_the_account_has_beyond_the_table_is_believed(environment: Make) -> None:
    lacking = {"clusters.0.pools.1.instance_types": ["m8gn.2xlarge"], "zone_ids": {"us-east-1a": "use1-az5"}}

    assert len(_found(pool_types.types_offered, environment("dev", lacking), 1)) == 1
    told = {**lacking, "offered_beyond_table": {"m8gn.2xlarge": ["us-east-1a"]}}
    assert _found(pool_types.types_offered, environment("dev", told), 1) == []


def test_a_pool_in_fewer_zones_needs_its_types_in_fewer(environment: Make) -> None:
    paris = {
        "region": "eu-west-3",
        "network.zones": ["eu-west-3a", "eu-west-3b", "eu-west-3c"],
        "clusters.0.pools.2.instance_types": ["r8gd.4xlarge"],
    }

    assert len(_found(pool_types.types_offered, environment("dev", paris), 2)) == 1
    narrow = {**paris, "clusters.0.pools.2.zones": ["eu-west-3a", "eu-west-3b"]}
    assert _found(pool_types.types_offered, environment("dev", narrow), 2) == []


def test_six_spot_types_are_enough_whatever_else_there_is(environment: Make) -> None:
    types = ["m8g.2xlarge", "m7g.2xlarge", "m6g.2xlarge", "m8gn.2xlarge", "m8gb.2xlarge", "m9g.2xlarge"]
    changes = {"clusters.0.pools.2.instance_types": types, "clusters.0.pools.2.nvme": "ignore"}

    assert _found(pool_types.spot, environment("dev", changes), 2) == []


def test_types_of_generation_9_are_not_asked_for(environment: Make) -> None:
    changes = {"clusters.0.pools.2.instance_types": ["m8g.2xlarge"], "clusters.0.pools.2.nvme": "ignore"}

    (finding,) = _found(pool_types.spot, environment("dev", changes), 2)

    assert finding.fix.startswith("add m8gb.2xlarge")
    assert "m9g" not in finding.fix


@pytest.mark.parametrize(("first", "newest"), [("m6g.2xlarge", "m8g.2xlarge"), ("m7i.2xlarge", "m8i.2xlarge")])
def test_an_older_generation_in_front_is_a_warning(first: str, newest: str, environment: Make) -> None:
    made = environment("dev", {"clusters.0.pools.1.instance_types": [first]})

    (finding,) = _found(pool_types.generation_notice, made, 1)

    assert (finding.level, finding.fix) == ("warning", f"put {newest} first, or keep it when you have a reason")
