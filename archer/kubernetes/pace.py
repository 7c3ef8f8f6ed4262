"""How a reflector treats a server that doesn't answer as it should: never faster than this, whatever happens."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Pauses between tries."""

    first_pause_seconds: float = 0.5
    """The pause after a failure is random, up to this; up to twice as much after each further one …"""
    longest_pause_seconds: float = 30.0
    """… and never more than this, beyond what the server asks for."""
    relist_gap_seconds: float = 5.0
    """Two LISTs begin at least so far apart."""
    stale_seconds: float = 15.0
    """So long without a standing watch, what is known no longer counts as known."""


class Pacer:
    """Counts failures in a row and LISTs. Used by one thread."""

    def __init__(self, pace: Pace, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace
        self._clock = clock
        self._in_a_row = 0
        self._last_list: float | None = None

    def pause(self, retry_after: float | None) -> float:
        """Return how long to pause after one more failure; random, so that many who failed together come back apart."""
        most = min(self._pace.longest_pause_seconds, self._pace.first_pause_seconds * 2 ** min(self._in_a_row, 30))
        self._in_a_row += 1
        return (retry_after or 0.0) + random.uniform(0, most)  # noqa: S311  # no secret

    def went_well(self) -> None:
        """The next failure is a first one."""
        self._in_a_row = 0

    def until_list(self) -> float:
        """Return how long to wait before the next LIST may begin."""
        if self._last_list is None:
            return 0.0
        return max(0.0, self._last_list + self._pace.relist_gap_seconds - self._clock())

    def lists(self) -> None:
        """A LIST begins."""
        self._last_list = self._clock()
