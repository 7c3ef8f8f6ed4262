"""What a picture says is a list of facts: each has words, and the keys of the resources that it was read from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing to be drawn."""

    of: tuple[str, ...]
    """Keys of the resources that it was read from, `network/Vpc8378EB38`; none for what exists already."""
    text: str
    detail: str = ""
    """More about it, in dimmer words."""
    tip: str = ""
    """Its tooltip: what has no room in the picture."""
    existing: bool = False
    """Made by somebody else before; the templates only name it."""


def counted(number: int, what: str) -> str:
    """`1 alarm`, `2 alarms`, `2 days`, `2 access entries`"""
    several = f"{what.removesuffix('y')}ies" if what.endswith("ry") else f"{what}s"
    return f"{number} {what if number == 1 else several}"
