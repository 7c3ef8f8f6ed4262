"""Support dates of Kubernetes versions; the day is given, so the tests say the same in a year."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, get_args

import pytest

from environments.clusters import KubernetesVersion
from moka.preflight import State
from moka.preflight.kubernetes_support import SUPPORT

if TYPE_CHECKING:
    from tests.moka.preflight.conftest import Account

SUBJECT = "clusters[batch].kubernetes_version"


@pytest.mark.parametrize(
    ("version", "today", "state", "value"),
    [
        ("1.35", date(2026, 11, 1), State.PASS, "1.35: standard support until 2027-03-27"),
        ("1.34", date(2026, 11, 1), State.WARN, "1.34: standard support until 2026-12-02"),
        ("1.34", date(2026, 12, 3), State.WARN, "1.34: extended support until 2027-12-02, at a higher price"),
        ("1.34", date(2027, 12, 3), State.FAIL, "1.34: support ended 2027-12-02"),
    ],
)
def test_state_follows_the_support_dates(account: Account, version: str, today: date, state: State, value: str) -> None:
    account.data["clusters"][0]["kubernetes_version"] = version

    row, report = account.row("kubernetes", SUBJECT, today=today)

    assert (row.verdict.state, row.verdict.value) == (state, value)
    assert report.exit_code == (1 if state is State.FAIL else 0)


def test_fix_names_a_version_with_time_left(account: Account) -> None:
    account.data["clusters"][0]["kubernetes_version"] = "1.34"

    row, _ = account.row("kubernetes", SUBJECT)

    assert row.verdict.fix == 'write `kubernetes_version: "1.35"` in environments/dev.yaml'


def test_table_has_every_version_that_an_environment_may_choose() -> None:
    assert set(get_args(KubernetesVersion)) == set(SUPPORT)
