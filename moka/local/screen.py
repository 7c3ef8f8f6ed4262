"""Progress on stderr: one live line per step on a terminal, a line per change elsewhere, so that a build log stays short.

Every state is a word; colour only repeats it. stdout belongs to the results.
"""

from __future__ import annotations

import re
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_STYLES = {"done": "green", "SUCCEEDED": "green", "FAILED": "bold red", "CANCELLED": "yellow", "RUNNING": "cyan"}
_FINAL = frozenset({"done", "SUCCEEDED", "FAILED", "CANCELLED"})


class Screen(Protocol):
    """Shows how far each step is."""

    def show(self, step: str, state: str, note: str = "") -> None:
        """Takes note of a step's state; `note` is a short free text."""

    def say(self, message: str) -> None:
        """Says something that stays."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While it lasts, others may write to the terminal."""
        yield

    def close(self) -> None:
        """Leaves the last word on every step on the screen."""


@dataclass
class _Step:
    state: str
    note: str
    since: float
    ended: float | None = None


def open_screen(stream: TextIO = sys.stderr) -> Screen:
    """The screen that fits the stream."""
    return LiveScreen(stream) if stream.isatty() else PlainScreen(stream)


class PlainScreen:
    """A line for each change of state; notes alone change too often for a log."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._started = clock()
        self._states: dict[str, str] = {}

    def show(self, step: str, state: str, note: str = "") -> None:
        if self._states.get(step) == state:
            return
        self._states[step] = state
        elapsed = self._clock() - self._started
        self.say(f"{elapsed:5.1f} s  {step}: {state}" + (f" ({_CONTROL.sub(' ', note)})" if note else ""))

    def say(self, message: str) -> None:
        self._stream.write(f"moka: {message}\n")
        self._stream.flush()

    @contextmanager
    def paused(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        pass


class LiveScreen:
    """One line per step with a running clock, redrawn in place."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steps: dict[str, _Step] = {}
        self._spinner = Spinner("dots")
        self._console = Console(file=stream, force_terminal=True)
        # stdout is never redirected: it may be a file, and results belong there
        self._live = Live(
            get_renderable=self._rows,
            console=self._console,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def show(self, step: str, state: str, note: str = "") -> None:
        now = self._clock()
        seen = self._steps.setdefault(step, _Step(state=state, note=note, since=now))
        seen.state, seen.note = state, _CONTROL.sub(" ", note)
        if state not in _FINAL:
            seen.ended = None
        elif seen.ended is None:
            seen.ended = now

    def say(self, message: str) -> None:
        self._console.print(Text(f"moka: {message}"))

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def close(self) -> None:
        self._live.stop()

    def _rows(self) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False)
        for column in ("mark", "step", "state", "seconds", "note"):
            table.add_column(
                no_wrap=True,
                overflow="ellipsis",
                justify="right" if column == "seconds" else "left",
                ratio=1 if column == "note" else None,
            )
        for name, step in self._steps.items():
            mark = self._spinner if step.ended is None else Text("✓" if step.state in {"done", "SUCCEEDED"} else "✗")
            elapsed = (self._clock() if step.ended is None else step.ended) - step.since
            state = Text(step.state, style=_STYLES.get(step.state, ""))
            table.add_row(mark, Text(name), state, Text(f"{elapsed:.0f} s"), Text(step.note, style="dim"))
        return table
