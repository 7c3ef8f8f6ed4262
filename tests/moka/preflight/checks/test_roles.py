"""Faults of declared roles and the boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moka.preflight import State
from moka.preflight.iam_roles import role_name

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

ADMIN = "clusters[batch].access[0].role_arn"


def test_access_role_that_does_not_exist_fails(account: Account) -> None:
    account.client("iam").delete_role(RoleName="PlatformAdmin")

    row, report = account.row("roles", ADMIN)

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, "PlatformAdmin: no such role", 1)
    assert row.verdict.fix == (
        f"create the role, or write the ARN of an existing one as `{ADMIN}` in environments/dev.yaml"
    )


def test_role_declared_without_its_path_fails_with_the_true_arn(existing: Account) -> None:
    existing.data["clusters"][0]["node_role_arn"] = "arn:aws:iam::123456789012:role/eks-nodes"

    row, _ = existing.row("roles", "clusters[batch].node_role_arn")

    true = "arn:aws:iam::123456789012:role/platform/eks-nodes"
    assert (row.verdict.state, row.verdict.value) == (State.FAIL, f"the role's path differs: {true}")
    assert row.verdict.fix == f"write {true} as `clusters[batch].node_role_arn` in environments/dev.yaml"


def test_node_role_that_ec2_may_not_assume_fails(existing: Account) -> None:
    arn = existing.data["clusters"][0]["cluster_role_arn"]
    existing.data["clusters"][0]["node_role_arn"] = arn

    row, report = existing.row("roles", "clusters[batch].node_role_arn")

    assert (row.verdict.state, row.verdict.value) == (State.FAIL, "does not trust ec2.amazonaws.com")
    assert row.verdict.fix == f"let ec2.amazonaws.com assume {arn} (sts:AssumeRole in its trust policy)"
    assert (role_name(arn), report.exit_code) == ("eks-control-plane", 1)


def test_boundary_that_does_not_exist_fails(existing: Account) -> None:
    arn = "arn:aws:iam::123456789012:policy/Absent"
    existing.data["permissions"]["boundary_arn"] = arn

    row, report = existing.row("roles", "permissions.boundary_arn")

    assert (row.verdict.state, row.verdict.value, report.exit_code) == (State.FAIL, f"{arn}: no such policy", 1)


def test_access_role_of_another_account_warns_because_nobody_looked(account: Account) -> None:
    arn = "arn:aws:iam::210987654321:role/Auditor"
    account.data["clusters"][0]["access"][1]["role_arn"] = arn

    row, report = account.row("roles", "clusters[batch].access[1].role_arn")

    assert (row.verdict.state, row.verdict.value) == (State.WARN, f"{arn}: in account 210987654321, not looked at")
    assert (row.verdict.fix, report.exit_code) == ("look at it with credentials of account 210987654321", 0)
