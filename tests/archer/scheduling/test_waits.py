"""What somebody who asks for a waiting job reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from archer.backends.fleet import Fleet
from archer.model import Job
from archer.scheduling.waits import own_reason
from archer.service import Service
from testbed.archer_builders import make_job

if TYPE_CHECKING:
    from tests.archer.scheduling.conftest import MakeYard, Yard


def asked(yard: Yard, job: Job) -> str | None:
    service = Service(yard.store, Fleet(list(yard.clusters.values())), yard.clock, config=yard.config)
    return service.job(job.id).reason


@pytest.mark.parametrize(("reason", "own"), [(None, ""), ("waits for a slot", ""), ("too large", "too large")])
def test_to_wait_is_no_reason_of_its_own(reason: str | None, own: str) -> None:
    assert own_reason(make_job(reason=reason)) == own


def test_a_waiting_job_says_why_and_how_many_stand_before_it(make_yard: MakeYard) -> None:
    yard = make_yard(**{"root.ads.ctr": {"max_applications": 1}})
    first, second, third = (yard.submit() for _ in range(3))
    assert asked(yard, second) == "waits for its turn, 1 job waits before it"

    yard.admit()

    assert asked(yard, first) is None
    assert asked(yard, second) == "queue root.ads.ctr runs 1 of 1 jobs, no job waits before it"
    assert asked(yard, third) == "queue root.ads.ctr runs 1 of 1 jobs, 1 job waits before it"


def test_a_reason_of_its_own_comes_first(yard: Yard) -> None:
    job = yard.submit(submission={"cluster": "east"})
    yard.switch("cluster", "east")

    yard.admit()

    assert asked(yard, job) == "cluster east is paused by ada: month end, no job waits before it"
