"""Which failures are worth another attempt."""

import pytest

from archer.model import Attempt, Category, Diagnosis
from archer.retries import FREE, MAX_QUOTA, MEMORY, PLACE, Decision, decide, failures_before
from testbed.archer_builders import NOON, make_attempt

C = Category


def after(*failures: Category, max_attempts: int = 1, rung: float = 1.0) -> Decision:
    return decide(failures, max_attempts=max_attempts, memory_rung=rung, first_pause_seconds=5)


@pytest.mark.parametrize("category", sorted(set(Category) - FREE - MEMORY - PLACE))
def test_a_mistake_of_the_job_is_not_repeated(category: Category) -> None:
    assert not after(category, max_attempts=10).retry


@pytest.mark.parametrize("category", sorted(FREE - {C.QUOTA}))
def test_what_the_infrastructure_did_is_repeated_twice_for_free(category: Category) -> None:
    assert after(category).retry
    assert after(category, category).retry
    assert not after(category, category, category).retry


def test_a_quota_that_others_use_up_is_waited_for_as_long_as_a_job_may_run_and_not_for_ever() -> None:
    pauses = [after(*[C.QUOTA] * count).pause_seconds for count in range(1, MAX_QUOTA + 1)]

    assert sum(pauses) > 5000
    assert not after(*[C.QUOTA] * (MAX_QUOTA + 1)).retry
    # and it takes nothing of what others are granted
    assert after(C.QUOTA, C.QUOTA, C.QUOTA, C.LOST).retry
    assert after(*[C.QUOTA] * 5, C.OOM_HEAP, max_attempts=2).retry


def test_free_attempts_do_not_use_up_the_jobs_own() -> None:
    assert after(C.LOST, C.OOM_HEAP, C.LOST, max_attempts=2).retry
    assert not after(C.LOST, C.OOM_HEAP, C.LOST, C.OOM_HEAP, max_attempts=2).retry


@pytest.mark.parametrize("category", sorted(MEMORY))
def test_a_lack_of_memory_climbs_the_ladder(category: Category) -> None:
    rungs = []
    rung, failures = 1.0, [category]
    while (decision := after(*failures, max_attempts=10, rung=rung)).retry:
        rung = decision.memory_rung
        rungs.append(rung)
        failures.append(category)

    assert rungs == [2.0, 3.0, 4.0]
    assert "4 times the memory was not enough" in decision.why


def test_memory_is_not_raised_for_other_reasons() -> None:
    assert after(C.LOST, rung=2.0).memory_rung == 2.0
    assert after(C.QUOTA, max_attempts=2).memory_rung == 1.0


def test_one_attempt_allowed_means_one_attempt() -> None:
    assert not after(C.OOM_HEAP).retry
    assert "1 of 1 attempts made" in after(C.OOM_HEAP).why


def test_pauses_double_up_to_five_minutes() -> None:
    pauses = [after(*[C.QUOTA] * count, max_attempts=10).pause_seconds for count in range(1, 10)]

    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_an_attempt_that_no_cluster_took_is_no_try() -> None:
    def attempt(number: int, category: Category, *, ran: bool) -> Attempt:
        told = Diagnosis(category=category, summary="", detail="", resolution="")
        return make_attempt(number=number, diagnosis=told, started_at=NOON if ran else None)

    attempts = [
        attempt(1, C.LOST, ran=False),
        attempt(2, C.LOST, ran=True),
        attempt(3, C.QUOTA, ran=False),
        attempt(4, C.LOST, ran=True),
    ]

    assert failures_before(attempts, 4) == [C.LOST, C.QUOTA]
