"""Lengths of time read and write the way people do."""

import pytest

from archer.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("15m", 900), ("2h", 7200), ("1d", 86400), (" 5 ", 5)]
)
def test_a_number_and_a_unit_are_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-5", "5 minutes", "1h30m", "1e3", "٣"])
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="a length of time must be a number and s, m, h or d, such as 90s"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (-0.2, "0.0s"),
        (0.44, "0.4s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.6, "1m 0s"),
        (83, "1m 23s"),
        (7500, "2h 5m"),
        (273_600, "3d 4h"),
    ],
)
def test_a_length_shows_two_units_at_most(seconds: float | None, text: str) -> None:
    assert format_duration(seconds) == text
