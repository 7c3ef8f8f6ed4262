import threading
import time

import pytest

from moka_constructs.manifest_set.handler.deadline import Deadline
from moka_constructs.manifest_set.handler.errors import OutOfTimeError


def test_what_is_left_gets_less_and_then_is_an_error() -> None:
    deadline = Deadline(0.05)

    assert 0 < deadline.remaining() <= 0.05
    with pytest.raises(OutOfTimeError, match=r"not finished within 0 s"):
        deadline.sleep(10)


def test_a_deadline_that_is_called_off_wakes_who_sleeps() -> None:
    deadline = Deadline(60)
    woken: list[float] = []

    def sleep() -> None:
        try:
            deadline.sleep(60)
        except OutOfTimeError:
            woken.append(time.monotonic())

    thread = threading.Thread(target=sleep)
    thread.start()
    deadline.call_off()
    thread.join(10)

    assert len(woken) == 1
    with pytest.raises(OutOfTimeError):
        deadline.remaining()
