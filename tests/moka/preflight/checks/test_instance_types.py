"""Faults of instance types: offered in the region, not in the zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moka.preflight import State

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account


def without(account: Account, name: str, zone: str) -> None:
    """Leaves one offering out of moto's; moto's table cannot be changed."""
    paginator = account.client("ec2").get_paginator("describe_instance_type_offerings")
    found = paginator.paginate(LocationType="availability-zone").build_full_result()["InstanceTypeOfferings"]
    kept = [each for each in found if (each["InstanceType"], each["Location"]) != (name, zone)]
    answer: dict[str, Any] = {"InstanceTypeOfferings": kept}
    account.answer("ec2:DescribeInstanceTypeOfferings", answer)


def test_type_that_a_zone_lacks_fails_and_one_of_equal_shape_is_named(account: Account) -> None:
    without(account, "m8g.2xlarge", "us-east-1b")

    row, report = account.row("instance-types", "batch/driver in us-east-1b")

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, "not offered: m8g.2xlarge", 1)
    assert row.verdict.fix.startswith("replace by m")
    assert "(equal shape), or leave us-east-1b out of the pool's `zones`" in row.verdict.fix
    assert row.verdict.fix.endswith("in environments/dev.yaml, clusters[batch].pools[driver]")


def test_other_zones_of_the_pool_still_pass(account: Account) -> None:
    without(account, "m8g.2xlarge", "us-east-1b")

    row, _ = account.row("instance-types", "batch/driver in us-east-1a")

    assert (row.verdict.state, row.verdict.value) == (State.PASS, "m8g.2xlarge offered")


def test_stand_in_has_the_same_disks_as_the_type_that_is_lacking(account: Account) -> None:
    without(account, "r8gd.4xlarge", "us-east-1a")

    row, _ = account.row("instance-types", "batch/executor in us-east-1a")

    assert row.verdict.state is State.FAIL
    # the pool's other two types are no stand-ins: they are in the pool already
    assert "r7gd.4xlarge" not in row.verdict.fix
