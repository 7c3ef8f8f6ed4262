"""A container's log as a kubelet gives it: last lines, lines since a time, each with its time before it, the first bytes.

The times are made up: ten lines in each second, from a moment on that is always the same.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

FIRST: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)

Times = Callable[[int], datetime]
"""When the line of that number was written."""


def ten_a_second(line: int) -> datetime:
    """Return when a line was written, where nobody says otherwise."""
    return FIRST + timedelta(milliseconds=100 * line)


def answer(text: bytes, query: Mapping[str, Any], times: Times = ten_a_second) -> bytes:
    """What `tailLines`, `sinceTime`, `timestamps` and `limitBytes` leave of it, in that order."""
    lines = list(enumerate(text.split(b"\n")))
    last = len(lines) - 1
    lines = [(number, line + (b"" if number == last else b"\n")) for number, line in lines]
    lines = [(number, line) for number, line in lines if line]
    if "tailLines" in query:
        count = int(query["tailLines"])
        lines = lines[-count:] if count else []
    if "sinceTime" in query:
        since = datetime.fromisoformat(query["sinceTime"])
        lines = [(number, line) for number, line in lines if times(number) >= since]
    stamped = str(query.get("timestamps", "false")).lower() == "true"
    said = b"".join((_stamp(times(number)) if stamped else b"") + line for number, line in lines)
    return said[: int(query["limitBytes"])] if "limitBytes" in query else said


def _stamp(at: datetime) -> bytes:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond * 1000:09d}Z ".encode()
