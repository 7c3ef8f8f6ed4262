from __future__ import annotations

import pytest

from moka.plan.schedule import Slot, least_concurrency, scheduled, total, waves

NEEDS = {"net": (), "data": (), "c1": ("net",), "c2": ("net",), "p1": ("c1", "data"), "p2": ("c2", "data")}
SECONDS = {"net": 10, "data": 30, "c1": 100, "c2": 100, "p1": 5, "p2": 7}


@pytest.mark.parametrize(("concurrency", "seconds"), [(1, 252), (2, 137), (3, 117), (4, 117), (None, 117)])
def test_total_for_each_number_at_a_time(concurrency: int | None, seconds: int) -> None:
    assert total(scheduled(NEEDS, SECONDS, concurrency)) == seconds


def test_two_at_a_time_take_the_first_that_became_free() -> None:
    assert scheduled(NEEDS, SECONDS, 2) == (
        Slot(stack="net", start=0, finish=10),
        Slot(stack="data", start=0, finish=30),
        Slot(stack="c1", start=10, finish=110),
        Slot(stack="c2", start=30, finish=130),
        Slot(stack="p1", start=110, finish=115),
        Slot(stack="p2", start=130, finish=137),
    )


def test_nothing_starts_before_what_it_needs_is_done() -> None:
    for concurrency in (1, 2, 3, None):
        slots = {slot.stack: slot for slot in scheduled(NEEDS, SECONDS, concurrency)}

        assert set(slots) == set(NEEDS)
        assert all(slots[each].finish <= slots[name].start for name, wanted in NEEDS.items() for each in wanted)


def test_the_least_number_that_reaches_the_shortest_deploy() -> None:
    assert least_concurrency(NEEDS, SECONDS) == 3
    assert least_concurrency({"a": ()}, {"a": 5}) == 1
    assert least_concurrency({}, {}) == 1


def test_waves_put_each_as_early_as_its_needs_allow() -> None:
    assert waves(NEEDS) == (("net", "data"), ("c1", "c2"), ("p1", "p2"))
