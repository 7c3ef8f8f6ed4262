"""Orders what waits for each other and tells when each is done at the earliest: the same for resources and for stacks."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from moka.errors import MokaError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class CircularError(MokaError):
    """Things wait for each other in a circle, so that none can be first."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When a thing is made when everything that can runs side by side. Seconds from the start."""

    start: int
    finish: int
    after: str | None
    """The last one that it waited for; None when it could start at once."""


def earliest(needs: Mapping[str, Collection[str]], seconds: Mapping[str, int], *, what: str) -> dict[str, Timing]:
    """Name -> earliest timing, in an order in which each comes after all that it needs.

    Raises CircularError with the circle; `what` says where it is, for the message. Of several that end last, the first in the
    order of `needs` counts, so that the answer is the same on every run.
    """
    timings: dict[str, Timing] = {}
    for name in ordered(needs, what=what):
        last = max(needs[name], key=lambda each: timings[each].finish, default=None)
        start = timings[last].finish if last is not None else 0
        timings[name] = Timing(start=start, finish=start + seconds[name], after=last)
    return timings


def ordered(needs: Mapping[str, Collection[str]], *, what: str) -> list[str]:
    """All names, each after those that it needs. Raises CircularError."""
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        # graphlib gives each before the one that needs it; people read "a needs b"
        circle = " -> ".join(reversed(error.args[1]))
        raise CircularError(
            f"{what} needs itself: {circle}; CloudFormation would refuse it, take one of these references out"
        ) from error


def critical_path(timings: Mapping[str, Timing]) -> tuple[str, ...]:
    """The chain that ends last, first link first; empty when there is nothing."""
    name: str | None = max(timings, key=lambda each: timings[each].finish, default=None)
    chain: list[str] = []
    while name is not None:
        chain.append(name)
        name = timings[name].after
    return tuple(reversed(chain))


def direct(needs: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
    """The edges that say something: what is needed through another one anyway is left out. `needs` has no circle."""
    reach: dict[str, set[str]] = {}
    for name in TopologicalSorter(needs).static_order():
        reach[name] = set(needs[name]).union(*(reach[each] for each in needs[name]))
    return {
        name: tuple(each for each in wanted if not any(each in reach[other] for other in wanted if other != each))
        for name, wanted in needs.items()
    }
