"""How fast a cluster is given new applications: a token bucket (D17). Pure of clocks: every call is told the time.

Sources for the default of the environment file, 100 to 150 a minute and cluster: the operator was measured at about 130
(https://awslabs.github.io/data-on-eks/docs/benchmarks/spark-operator-benchmark), EMR on EKS advises at most 250.
"""

from datetime import datetime, timedelta
from typing import Final

BURST_SECONDS: Final = 10
"""Of the rate, that an idle cluster may be given at once: what its operator works off before anybody minds."""

_MINUTE: Final = 60.0


class TokenBucket:
    """Fills at `per_minute`, holds at most `burst`; begins full, but for what others took. Not for several threads."""

    def __init__(self, per_minute: float, *, burst: int | None = None) -> None:
        self.per_minute = per_minute
        self.burst = max(1, round(per_minute * BURST_SECONDS / _MINUTE)) if burst is None else burst
        self._tokens = float(self.burst)
        self._at: datetime | None = None

    @property
    def window(self) -> timedelta:
        """What was taken longer ago than this has come back."""
        return timedelta(seconds=self.burst * _MINUTE / self.per_minute)

    def others_took(self, number: int) -> None:
        """So many were taken within the window, by who had the pace in hand before."""
        self._tokens = max(0.0, self._tokens - number)

    def available(self, now: datetime) -> int:
        """Whole tokens that may be taken at once."""
        self._fill(now)
        # a hair more than it holds: ten times a tenth is a whole
        return int(self._tokens + 1e-9)

    def take(self, now: datetime) -> bool:
        """Take one; False, and nothing is taken, when there is none."""
        if self.available(now) < 1:
            return False
        self._tokens -= 1
        return True

    def _fill(self, now: datetime) -> None:
        if self._at is not None:
            # a clock that was set back gives nothing, and takes nothing away
            passed = max(0.0, (now - self._at).total_seconds())
            self._tokens = min(float(self.burst), self._tokens + passed * self.per_minute / _MINUTE)
        self._at = now
