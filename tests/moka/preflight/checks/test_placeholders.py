"""The placeholder account that is left in a file whose account was edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from environments import load
from moka.preflight import State
from moka.preflight.checks.placeholders import placeholder_paths

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account


def test_placeholder_in_a_role_fails_with_its_path(account: Account) -> None:
    account.data["clusters"][0]["access"][1]["role_arn"] = "arn:aws:iam::111111111111:role/Auditor"

    row, report = account.row("placeholders", "placeholders")

    assert (row.verdict.state, report.exit_code) == (State.FAIL, 1)
    assert row.verdict.value == "111111111111 in clusters[batch].access[1].role_arn"
    assert row.verdict.fix == "write the real values in environments/dev.yaml"


def test_shipped_files_are_all_placeholders_to_edit() -> None:
    paths = placeholder_paths(load("dev"))

    assert "account" in paths
    assert "archer.endpoint.certificate_arn" in paths
