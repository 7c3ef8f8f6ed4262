"""Long lists in pieces: a statement takes so many parameters and no more (SQLite: 32,766)."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

MOST = 1000


def chunks(items: Sequence[T], most: int = MOST) -> Iterator[Sequence[T]]:
    """`items` in their order, at most `most` at a time."""
    for start in range(0, len(items), most):
        yield items[start : start + most]
