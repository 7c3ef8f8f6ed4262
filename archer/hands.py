"""Does many short calls of a round several at a time, and begins none once the round has had its time.

A call that waits for a slow answer holds up one hand. What was not begun is given back, for the next round.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Final

HANDS: Final = 8
"""Calls of one cluster at the same time: half of what its client may have under way."""
ROUND_SECONDS: Final = 5.0


class Hands:
    """The hands of one worker's rounds; the threads may be shared. Without threads the calls come one after the other."""

    def __init__(
        self,
        threads: Executor | None = None,
        *,
        seconds: float = ROUND_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threads = threads
        self._seconds = seconds
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """A round begins: calls may be begun for so many seconds."""
        self._until = self._clock() + self._seconds

    def each(self, things: Iterable[str], do: Callable[[str], None]) -> list[str]:
        """Do it with each, and wait for the last; those for which there was no time. Raises what `do` raises."""

        def in_time(thing: str) -> bool:
            if self._clock() >= self._until:
                return False
            do(thing)
            return True

        given = list(things)
        if self._threads is None or len(given) == 1:
            done = [in_time(thing) for thing in given]
        else:
            done = list(self._threads.map(in_time, given))
        return [thing for thing, was_done in zip(given, done, strict=True) if not was_done]
