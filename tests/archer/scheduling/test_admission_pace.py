"""How fast clusters are given jobs, and how many at a time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.archer.scheduling.conftest import MakeYard


def test_a_cluster_is_given_jobs_at_its_pace(make_yard: MakeYard) -> None:
    yard = make_yard(east={"creates_per_minute": 60}, west={"creates_per_minute": 60})
    yard.switch("cluster", "west")
    jobs = [yard.submit() for _ in range(15)]

    for expected in (10, 11, 12):
        yard.admit()
        assert Counter(yard.states(*jobs))["SUBMITTING"] == expected
        yard.clock.advance(1)
    assert "cluster east takes new applications at its pace, 60 a minute" in (yard.reason(jobs[-1]) or "")


def test_a_setting_raises_the_pace(make_yard: MakeYard) -> None:
    yard = make_yard(east={"creates_per_minute": 1}, west={"creates_per_minute": 1})
    yard.admission = yard.admission_of("d", creates_per_minute=6000)
    jobs = [yard.submit() for _ in range(50)]

    yard.admit()

    assert set(yard.states(*jobs)) == {"SUBMITTING"}


def test_creates_that_spark_has_not_taken_up_are_bounded(make_yard: MakeYard) -> None:
    yard = make_yard()
    yard.admission = yard.admission_of("d", unacknowledged=3)
    jobs = [yard.submit() for _ in range(8)]

    yard.admit()

    assert Counter(yard.job(job).cluster for job in jobs if yard.job(job).cluster) == {"east": 3, "west": 3}
    assert "has 3 of 3 applications that Spark has not taken up yet" in (yard.reason(jobs[7]) or "")
