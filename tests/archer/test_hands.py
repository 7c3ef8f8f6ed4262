"""Many calls at once, and none that is begun too late."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from archer.hands import Hands


def test_calls_are_under_way_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)

    def meet(_thing: str) -> None:
        # each waits for the two others: one after the other would break the barrier
        together.wait()

    with ThreadPoolExecutor(3) as threads:
        assert Hands(threads).each("abc", meet) == []


@pytest.mark.parametrize("threads", [None, 1])
def test_what_was_not_begun_in_time_is_given_back_and_done_in_the_next_round(threads: int | None) -> None:
    now, done = 0.0, []

    def slow(thing: str) -> None:
        nonlocal now
        now += 3
        done.append(thing)

    with ThreadPoolExecutor(1) as pool:
        hands = Hands(pool if threads else None, seconds=5, clock=lambda: now)
        left = hands.each("abcd", slow)
        assert (done, left) == (["a", "b"], ["c", "d"])
        assert hands.each("e", slow) == ["e"]

        hands.begin()
        assert hands.each(left, slow) == []


def test_a_defect_is_raised() -> None:
    def fail(thing: str) -> None:
        raise KeyError(thing)

    with ThreadPoolExecutor(2) as threads, pytest.raises(KeyError):
        Hands(threads).each("ab", fail)
