"""Moments keep their milliseconds on the way through the database."""

from datetime import UTC, datetime, timedelta, timezone

from archer.clock import SystemClock, from_ms, to_ms


def test_a_moment_that_was_written_is_the_moment_that_is_read() -> None:
    for microsecond in (0, 1000, 999_000, 123_000):
        moment = datetime(2026, 11, 23, 10, 59, 59, microsecond, tzinfo=UTC)
        assert from_ms(to_ms(moment)) == moment


def test_the_machines_clock_gives_whole_milliseconds_in_utc() -> None:
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0
    assert from_ms(to_ms(now)) == now


def test_other_time_zones_mean_the_same_moment() -> None:
    there = timezone(timedelta(hours=9))

    assert to_ms(datetime(2026, 1, 1, 9, tzinfo=there)) == to_ms(datetime(2026, 1, 1, tzinfo=UTC))
