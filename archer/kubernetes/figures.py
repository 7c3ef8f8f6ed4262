"""What a reflector tells about itself, for whatever measures: plain numbers and callbacks."""

from collections.abc import Callable
from dataclasses import dataclass


def _nothing(_name: str, _what: str) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """Called in the reflector's thread, each with the reflector's name; they must be quick."""

    listed: Callable[[str, str], None] = _nothing
    """A LIST came to an end; why it was made: `start`, `expired`, `too-new`, `refused`."""
    event: Callable[[str, str], None] = _nothing
    """ADDED, MODIFIED, DELETED or BOOKMARK came."""
    failed: Callable[[str, str], None] = _nothing
    """An answer other than asked for, by its status (`429`), or none (`unreachable`), or a `defect` of ours."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Counters since the start, and gauges of this moment."""

    objects: int
    lists: int
    """LISTs that came to an end, the first one included."""
    events: int
    """ADDED, MODIFIED, DELETED."""
    bookmarks: int
    failures: int
    """Answers other than asked for, and none at all."""
    defects: int
    """Objects that could not be projected, and callbacks that failed."""
    lag_seconds: float
    """For how long changes may have been missed; 0 while a watch stands."""
    last_event_age_seconds: float
    """Since the last event or bookmark, or since the start."""
    synced: bool
