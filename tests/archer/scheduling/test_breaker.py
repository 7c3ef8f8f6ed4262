"""When a cluster is left alone, and how it comes back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from archer.scheduling.breaker import Breaker, Circuit
from testbed.archer_builders import NOON


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _opened(at: float = 0, chance: float = 0.0) -> Breaker:
    breaker = Breaker(chance=lambda: chance)
    for _ in range(5):
        breaker.failed(_at(at))
    return breaker


def test_five_failures_in_a_row_open_it_and_four_do_not() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(_at(0))
    assert breaker.allow(_at(0))
    breaker.succeeded()
    for _ in range(4):
        breaker.failed(_at(0))
    assert breaker.state(_at(0)) is Circuit.CLOSED

    breaker.failed(_at(0))

    assert breaker.state(_at(0)) is Circuit.OPEN
    assert not breaker.allow(_at(9))


@pytest.mark.parametrize(("chance", "half_open_after"), [(0.0, 10.0), (1.0, 12.5)])
def test_the_pause_is_jittered(chance: float, half_open_after: float) -> None:
    breaker = _opened(chance=chance)

    assert breaker.state(_at(half_open_after - 0.1)) is Circuit.OPEN
    assert breaker.state(_at(half_open_after)) is Circuit.HALF_OPEN


def test_half_open_it_lets_one_try_and_a_success_closes_it() -> None:
    breaker = _opened()

    assert breaker.allow(_at(10))
    assert not breaker.allow(_at(11))
    breaker.succeeded()
    assert breaker.state(_at(11)) is Circuit.CLOSED


def test_each_trial_that_fails_doubles_the_pause_up_to_five_minutes() -> None:
    breaker = _opened()
    now, pauses = 0.0, []
    for _ in range(7):
        pause = 0.0
        while breaker.state(_at(now + pause)) is Circuit.OPEN:
            pause += 1
        pauses.append(pause)
        now += pause
        assert breaker.allow(_at(now))
        breaker.failed(_at(now))

    assert pauses == [10, 20, 40, 80, 160, 300, 300]


def test_failures_of_what_was_sent_before_it_opened_make_the_pause_no_longer() -> None:
    breaker = _opened()

    for _ in range(20):
        breaker.failed(_at(1))

    assert breaker.state(_at(10)) is Circuit.HALF_OPEN


def test_a_trial_whose_end_nobody_told_is_given_again() -> None:
    breaker = _opened()
    assert breaker.allow(_at(10))

    assert not breaker.allow(_at(69))
    assert breaker.allow(_at(70))
