from __future__ import annotations

from itertools import pairwise

import pytest

from moka.plan.graph import CircularError, critical_path, direct, earliest

DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ()}
SECONDS = {"a": 10, "b": 5, "c": 20, "d": 1, "e": 30}


def test_each_starts_when_the_last_one_that_it_needs_is_done() -> None:
    timings = earliest(DIAMOND, SECONDS, what="a thing")

    assert {name: (timing.start, timing.finish) for name, timing in timings.items()} == {
        "a": (0, 10),
        "b": (10, 15),
        "c": (10, 30),
        "d": (30, 31),
        "e": (0, 30),
    }


def test_the_critical_path_is_the_chain_that_ends_last() -> None:
    assert critical_path(earliest(DIAMOND, SECONDS, what="a thing")) == ("a", "c", "d")


def test_of_two_chains_of_one_length_the_first_named_counts() -> None:
    timings = earliest({"a": (), "b": (), "c": ("b", "a")}, {"a": 5, "b": 5, "c": 1}, what="a thing")

    assert critical_path(timings) == ("b", "c")


def test_nothing_has_no_critical_path() -> None:
    assert critical_path({}) == ()


def test_a_circle_is_refused_and_printed() -> None:
    with pytest.raises(CircularError) as refused:
        earliest({"a": ("c",), "b": ("a",), "c": ("b",)}, dict.fromkeys("abc", 1), what="a resource of stack demo/x")

    message = str(refused.value)
    assert message.startswith("a resource of stack demo/x needs itself: ")
    circle = message.split(": ", 1)[1].split(";", maxsplit=1)[0].split(" -> ")
    assert (len(circle), circle[0]) == (4, circle[-1])
    needs = {"a": "c", "b": "a", "c": "b"}
    assert all(needs[this] == that for this, that in pairwise(circle))


def test_an_edge_that_another_way_implies_is_left_out() -> None:
    assert direct({"a": (), "b": ("a",), "c": ("a", "b"), "d": ("a", "c")}) == {
        "a": (),
        "b": ("a",),
        "c": ("b",),
        "d": ("c",),
    }
