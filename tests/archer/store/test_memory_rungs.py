"""The rung of the memory ladder that worked last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archer.model import JobState

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit

S = JobState


def succeed(kit: StoreKit, *, rung: float, team: str | None, name: str = "report") -> None:
    job = kit.move(kit.submit(team=team, name=name), S.SUBMITTING, rung=rung)
    kit.move(job, S.SUBMITTED, S.SUCCEEDED, remember_rung=True)


def test_the_rung_that_worked_last_is_remembered_for_the_teams_job_of_this_name(kit: StoreKit) -> None:
    succeed(kit, rung=3.0, team="growth")
    succeed(kit, rung=2.0, team=None)

    asked = [("growth", "report"), (None, "report"), ("growth", "other"), ("other", "report")]
    assert kit.store.rungs(asked) == {("growth", "report"): 3.0, (None, "report"): 2.0}

    succeed(kit, rung=1.0, team="growth")
    assert kit.store.rungs([("growth", "report")]) == {("growth", "report"): 1.0}


def test_an_end_that_asks_for_nothing_leaves_the_rung_as_it_is(kit: StoreKit) -> None:
    succeed(kit, rung=2.0, team="growth")

    kit.move(kit.submit(team="growth"), S.SUBMITTING, S.SUBMITTED, S.SUCCEEDED)

    assert kit.store.rungs([("growth", "report")]) == {("growth", "report"): 2.0}
