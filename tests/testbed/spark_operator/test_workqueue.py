import threading

import pytest

from testbed.spark_operator.workqueue import WorkQueue

KEY = ("spark-ads", "daily")
OTHER = ("spark-ads", "hourly")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _queue(clock: Clock, **settings: float) -> WorkQueue:
    given = {"per_second": 1e6, "burst": 1e6, "longest_delay": 1000.0, **settings}
    return WorkQueue(
        per_second=given["per_second"],
        burst=int(given["burst"]),
        longest_delay=given["longest_delay"],
        clock=clock,
    )


def _delays(queue: WorkQueue, clock: Clock, events: int) -> list[float]:
    """How long each of so many events waits that nobody's success forgets, each once the one before was served."""
    found = []
    for _event in range(events):
        queue.add_rate_limited(KEY)
        start = clock.now
        clock.now = queue.next_due() or clock.now
        found.append(round(clock.now - start, 3))
        assert queue.get() == KEY
        queue.done(KEY)
    return found


def test_events_count_as_failures_and_double_the_delay_up_to_1000_seconds() -> None:
    """The figures that the real limiter gave: the 13th event 20 s, the 16th 164 s, from the 19th on 1000 s."""
    clock = Clock()
    delays = _delays(_queue(clock), clock, 20)
    assert delays[:4] == [0.005, 0.01, 0.02, 0.04]
    assert (delays[12], delays[15]) == (20.48, 163.84)
    assert delays[18:] == [1000.0, 1000.0]


def test_the_charts_maximum_delay_caps_it() -> None:
    clock = Clock()
    assert max(_delays(_queue(clock, longest_delay=30.0), clock, 20)) == 30.0


def test_a_success_starts_the_count_anew() -> None:
    clock = Clock()
    queue = _queue(clock)
    _delays(queue, clock, 10)
    queue.forget(KEY)
    assert _delays(queue, clock, 1) == [0.005]


def test_above_the_buckets_rate_keys_wait_for_their_turn() -> None:
    clock = Clock()
    queue = _queue(clock, per_second=10, burst=1)
    for number in range(3):
        queue.add_rate_limited(("spark-ads", str(number)))
    clock.now += 0.1
    assert queue.get() == ("spark-ads", "0")
    assert queue.get() == ("spark-ads", "1")
    assert queue.next_due() == pytest.approx(100.2)


def test_a_key_that_is_added_while_it_is_worked_on_comes_again_and_never_at_the_same_time() -> None:
    queue = _queue(Clock())
    queue.add(KEY)
    assert queue.get() == KEY
    queue.add(KEY)
    queue.add(KEY)
    queue.add(OTHER)
    assert queue.get() == OTHER
    queue.done(KEY)
    assert queue.get() == KEY
    queue.done(KEY)
    queue.add(OTHER)
    queue.done(OTHER)
    assert queue.get() == OTHER


def test_of_several_delays_the_shortest_counts_and_the_key_comes_once() -> None:
    clock = Clock()
    queue = _queue(clock)
    queue.add_after(KEY, 5)
    queue.add_after(KEY, 1)
    queue.add_after(KEY, 3)
    queue.add_after(OTHER, 4)
    clock.now += 1
    assert queue.get() == KEY
    queue.done(KEY)
    clock.now += 10
    assert queue.get() == OTHER


def test_a_closed_queue_lets_its_workers_go() -> None:
    queue = _queue(Clock())
    found: list[object] = []
    worker = threading.Thread(target=lambda: found.append(queue.get()))
    worker.start()
    queue.close()
    worker.join(10)
    assert found == [None]
