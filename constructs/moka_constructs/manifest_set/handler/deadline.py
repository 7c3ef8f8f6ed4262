"""The time that a delivery has. When it is over, or called off, no request leaves any more, from whichever thread."""

import threading
import time

from .errors import OutOfTimeError


class Deadline:
    """Seconds from now; every request and every wait asks it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._over = threading.Event()

    def remaining(self) -> float:
        """Return the seconds that are left; raises OutOfTimeError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0 or self._over.is_set():
            raise OutOfTimeError(f"not finished within {self.seconds:.0f} s")
        return left

    def sleep(self, seconds: float) -> None:
        """Wait, at most as long as there is time; raises OutOfTimeError when it is called off meanwhile."""
        self._over.wait(min(seconds, self.remaining()))
        self.remaining()

    def call_off(self) -> None:
        """End it now. A Lambda function that has answered may be woken up again with its old threads in it."""
        self._over.set()
