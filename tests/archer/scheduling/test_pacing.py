"""How fast a cluster is given new applications."""

from __future__ import annotations

from datetime import timedelta

from archer.scheduling.pacing import TokenBucket
from testbed.archer_builders import NOON


def _taken(bucket: TokenBucket, seconds: float) -> int:
    number = 0
    while bucket.take(NOON + timedelta(seconds=seconds)):
        number += 1
    return number


def test_an_idle_cluster_is_given_ten_seconds_worth_at_once_and_then_its_rate() -> None:
    bucket = TokenBucket(120)

    assert _taken(bucket, 0) == 20
    assert _taken(bucket, 1) == 2
    assert sum(_taken(bucket, 1 + tenth / 10) for tenth in range(1, 601)) == 120


def test_it_never_holds_more_than_its_burst() -> None:
    bucket = TokenBucket(60, burst=3)
    _taken(bucket, 0)

    assert bucket.available(NOON + timedelta(hours=1)) == 3


def test_a_slow_rate_still_gives_one() -> None:
    bucket = TokenBucket(1)

    assert _taken(bucket, 0) == 1
    assert _taken(bucket, 59) == 0
    assert _taken(bucket, 60) == 1


def test_a_clock_that_is_set_back_gives_nothing_and_blocks_nothing() -> None:
    bucket = TokenBucket(60, burst=1)
    _taken(bucket, 100)

    assert _taken(bucket, 0) == 0
    assert _taken(bucket, 1) == 1


def test_what_others_took_within_its_window_is_taken() -> None:
    bucket = TokenBucket(60, burst=5)

    bucket.others_took(3)
    assert bucket.window == timedelta(seconds=5)
    assert _taken(bucket, 0) == 2
    bucket.others_took(100)
    assert _taken(bucket, 1) == 1
