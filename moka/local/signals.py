"""Ctrl-C, SIGTERM and SIGHUP as a flag that the loop looks at between two steps.

An exception raised wherever the signal happened to arrive could lose a child that was just being started; a flag cannot.
A second signal means "now".
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(Exception):
    """Somebody asked us to stop; `exit_code` is what shells expect after that signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class StopSignals:
    """Takes note of the signals that ask for an end while the context lasts."""

    def __init__(self) -> None:
        self._received: list[int] = []
        self._previous: dict[int, signal.Handlers] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, self._note)  # type: ignore[assignment]  # handlers of ours only
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._received.append(number)

    @property
    def forced(self) -> bool:
        """True after a second signal: leave at once."""
        return len(self._received) > 1

    def check(self) -> None:
        """Raises StoppedError once a signal has come."""
        if self._received:
            raise StoppedError(self._received[0])
