from __future__ import annotations

import pytest

from moka.architecture.facts import counted


@pytest.mark.parametrize(
    ("number", "what", "said"),
    [
        (0, "alarm", "0 alarms"),
        (1, "alarm", "1 alarm"),
        (2, "day", "2 days"),
        (2, "access entry", "2 access entries"),
        (1, "access entry", "1 access entry"),
    ],
)
def test_a_number_has_its_word_in_the_right_form(number: int, what: str, said: str) -> None:
    assert counted(number, what) == said
