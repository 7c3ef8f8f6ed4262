"""The list's address says what was asked, and nothing that was not."""

import pytest

from archer.errors import InvalidQueryError
from archer.model import JobState
from archer.web.listing import Listing


def test_an_empty_form_asks_for_everything() -> None:
    empty = Listing()

    assert (empty.url(), empty.filtered) == ("/", False)
    assert empty.as_filter().states == []


def test_the_address_repeats_the_question_and_adds_the_cursor() -> None:
    asked = Listing(states=["FAILED", "LOST"], name="a&b=c", queue="root.x")

    assert asked.url("c1") == "/?state=FAILED&state=LOST&name=a%26b%3Dc&queue=root.x&cursor=c1"
    assert asked.as_filter().states == [JobState.FAILED, JobState.LOST]


def test_every_unknown_state_is_told() -> None:
    with pytest.raises(InvalidQueryError) as caught:
        Listing(states=["DONE", "FAILED", "done"]).as_filter()

    assert [problem.value for problem in caught.value.problems] == ['"DONE"', '"done"']
