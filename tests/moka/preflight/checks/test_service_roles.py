"""Faults of service-linked roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from moka.preflight import State

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account


@pytest.mark.parametrize(
    ("name", "service", "state", "code"),
    [
        ("AWSServiceRoleForAutoScaling", "autoscaling", State.FAIL, 1),
        ("AWSServiceRoleForEC2Spot", "spot", State.WARN, 0),
        ("AWSServiceRoleForAmazonEKS", "eks", State.WARN, 0),
        ("AWSServiceRoleForAmazonEKSNodegroup", "eks-nodegroup", State.WARN, 0),
        ("AWSServiceRoleForRDS", "rds", State.WARN, 0),
    ],
)
def test_missing_service_linked_role_is_told_with_the_command(
    account: Account, name: str, service: str, state: State, code: int
) -> None:
    account.client("iam").delete_role(RoleName=name)

    row, report = account.row("service-roles", name)

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (state, "not there", code)
    assert row.verdict.fix == f"aws iam create-service-linked-role --aws-service-name {service}.amazonaws.com"


def test_spot_role_is_asked_for_only_where_a_pool_is_on_spot(account: Account) -> None:
    account.data["clusters"][0]["pools"][2]["capacity"] = "on_demand"

    report = account.run("service-roles")

    assert "AWSServiceRoleForEC2Spot" not in {row.verdict.subject for row in report.rows}
