"""Faults of the region and its zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from moka.preflight import State

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account


def test_region_that_is_not_opted_in_fails(account: Account) -> None:
    """The answer is the test's: moto has every region enabled."""
    region = {"RegionName": "us-east-1", "OptInStatus": "not-opted-in", "Endpoint": "ec2.us-east-1.amazonaws.com"}
    account.answer("ec2:DescribeRegions", {"Regions": [region]})

    row, report = account.row("region", "us-east-1")

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, "not-opted-in", 1)
    assert row.verdict.fix.startswith("aws account enable-region --region-name us-east-1")


def test_zone_without_eks_fails_and_others_are_named(account: Account) -> None:
    account.data["network"]["zones"] = ["us-east-1a", "us-east-1e"]

    row, report = account.row("region", "us-east-1e")

    assert (row.verdict.state, report.exit_code) == (State.FAIL, 1)
    assert row.verdict.value == "use1-az3, where EKS makes no control plane"
    assert row.verdict.fix == (
        "choose among us-east-1a, us-east-1b, us-east-1c, us-east-1d, us-east-1f in environments/dev.yaml, network"
    )


def test_zone_that_the_account_lacks_fails(account: Account) -> None:
    account.data["network"]["zones"] = ["us-east-1a", "us-east-1g"]

    row, _ = account.row("region", "us-east-1g")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "no zone of this account")


def test_zone_id_that_differs_from_the_file_fails(account: Account) -> None:
    account.data["zone_ids"] = {"us-east-1a": "use1-az4"}

    row, _ = account.row("region", "us-east-1a")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "use1-az6")
    assert row.verdict.fix == "write us-east-1a: use1-az6 under `zone_ids` in environments/dev.yaml"


@pytest.mark.parametrize("state", ["impaired", "unavailable"])
def test_zone_that_is_not_available_fails(account: Account, state: str) -> None:
    """The answer is the test's: moto's zones are always available."""
    zone = {"ZoneName": "us-east-1a", "ZoneId": "use1-az6", "ZoneType": "availability-zone", "State": state}
    account.answer("ec2:DescribeAvailabilityZones", {"AvailabilityZones": [zone]})

    row, _ = account.row("region", "us-east-1a")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, f"use1-az6, {state}")
