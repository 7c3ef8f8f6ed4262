"""Wakes sleeping loops: a submission on this server shouldn't wait for the dispatcher's next look at the queue.

Only a shortcut within one process. Other servers are found by looking, so a lost ring costs a pause and nothing else.
"""

from threading import Condition


class Bell:
    """Rung by anybody, heard once by each waiter."""

    def __init__(self) -> None:
        self._rung = 0
        self._condition = Condition()

    def ring(self) -> None:
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    @property
    def count(self) -> int:
        """How often it was rung; give it to `wait` to hear a ring that came meanwhile."""
        with self._condition:
            return self._rung

    def wait(self, seconds: float, *, since: int) -> None:
        """Until it is rung after `since`, or for `seconds`."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung != since, timeout=seconds)
