"""Lengths of time as people write and read them: `90`, `15m`, `2h` in; `1m 23s` out.

One module, so that the command line and the page say the same thing in the same words.
"""

import re

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_WRITTEN = re.compile(r"(?P<count>\d+(?:\.\d+)?)(?P<unit>[smhd]?)", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds in `90`, `90s`, `15m`, `2h` or `1d`. Raises ValueError for anything else."""
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise ValueError(f"a length of time must be a number and s, m, h or d, such as 90s, 15m or 2h, got {text!r}")
    return float(written["count"]) * _UNITS[written["unit"]]


def format_duration(seconds: float | None) -> str:
    """`0.4s`, `12s`, `1m 23s`, `2h 5m`, `3d 4h`: two units at most; a dash when there is none."""
    if seconds is None:
        return "-"
    if seconds < 9.95:
        # short jobs differ by tenths
        return f"{max(seconds, 0):.1f}s"
    whole = round(seconds)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour}h"
    if hours:
        return f"{hours}h {minute}m"
    return f"{minutes}m {second}s" if minutes else f"{second}s"
