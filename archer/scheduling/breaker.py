"""Circuit breaker of one cluster: when its API server doesn't answer, nothing new is sent there for a while.

Pure of clocks and of chance: both are given. `closed`: all goes. After a number of failures in a row `open`: nothing
goes, for a pause that doubles with each trial that fails and is jittered, so that several servers don't come back at
once. Then `half-open`: one trial, whose result closes or opens it again. A refusal is an answer: it doesn't count.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from random import random
from typing import Final

FAILURES: Final = 5
"""In a row, until it opens: one broken connection is an everyday event, five are not."""
FIRST_PAUSE_SECONDS: Final = 10.0
LONGEST_PAUSE_SECONDS: Final = 300.0
_JITTER: Final = 0.25
"""The pause is that part longer at most."""
_TRIAL_SECONDS: Final = 60.0
"""A trial that nobody told the end of is forgotten after this time."""


class Circuit(StrEnum):
    """Whether creates go to the cluster."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


class Breaker:
    """One cluster's. Not for several threads."""

    def __init__(self, *, failures: int = FAILURES, chance: Callable[[], float] = random) -> None:
        self._limit = failures
        self._chance = chance
        self._failures = 0
        self._openings = 0
        self._until: datetime | None = None
        self._trial_at: datetime | None = None

    def state(self, now: datetime) -> Circuit:
        if self._until is None:
            return Circuit.CLOSED
        return Circuit.OPEN if now < self._until else Circuit.HALF_OPEN

    def allow(self, now: datetime) -> bool:
        """Whether one create may be sent now; in `half-open` the one who asks first has the trial."""
        state = self.state(now)
        if state is not Circuit.HALF_OPEN:
            return state is Circuit.CLOSED
        if self._trial_at is not None and now - self._trial_at < timedelta(seconds=_TRIAL_SECONDS):
            return False
        self._trial_at = now
        return True

    def succeeded(self) -> None:
        """The cluster answered, a refusal included."""
        self._failures = self._openings = 0
        self._until = self._trial_at = None

    def failed(self, now: datetime) -> None:
        """The cluster didn't answer."""
        self._failures += 1
        state = self.state(now)
        if state is Circuit.OPEN:
            # sent before it opened
            return
        if state is Circuit.HALF_OPEN or self._failures >= self._limit:
            pause = min(FIRST_PAUSE_SECONDS * 2**self._openings, LONGEST_PAUSE_SECONDS)
            self._openings = min(self._openings + 1, 16)
            self._until = now + timedelta(seconds=pause * (1 + _JITTER * self._chance()))
            self._trial_at = None
