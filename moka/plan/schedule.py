"""When each stack is deployed with so many at a time, as `cdk deploy --concurrency N` would do it.

The CLI keeps a queue: stacks enter it when all that they need is done, those of one moment in the assembly's order, and the
first of the queue starts as soon as a place is free (class WorkGraph of aws-cdk 2.1148).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One stack's place in a schedule. Seconds from the start."""

    stack: str
    start: int
    finish: int


def scheduled(
    needs: Mapping[str, Collection[str]], seconds: Mapping[str, int], concurrency: int | None = None
) -> tuple[Slot, ...]:
    """The slots in order of their start; None for `concurrency` is as many at a time as can. `needs` has no circle."""
    places = {name: place for place, name in enumerate(needs)}
    open_needs = {name: set(wanted) for name, wanted in needs.items()}
    queue = [name for name in needs if not open_needs[name]]
    running: list[tuple[int, int, str]] = []
    slots: list[Slot] = []
    now = 0
    while queue or running:
        while queue and (concurrency is None or len(running) < concurrency):
            name = queue.pop(0)
            slots.append(Slot(stack=name, start=now, finish=now + seconds[name]))
            heapq.heappush(running, (now + seconds[name], places[name], name))
        now = running[0][0]
        done = set()
        while running and running[0][0] == now:
            done.add(heapq.heappop(running)[2])
        for name, wanted in open_needs.items():
            if wanted & done:
                wanted.difference_update(done)
                if not wanted:
                    queue.append(name)
    return tuple(slots)


def total(slots: Collection[Slot]) -> int:
    """Seconds until the last one is done."""
    return max((slot.finish for slot in slots), default=0)


def waves(needs: Mapping[str, Collection[str]]) -> tuple[tuple[str, ...], ...]:
    """Stacks that can run side by side, wave after wave: each stands as early as what it needs allows."""
    depth: dict[str, int] = {}
    left = dict(needs)
    found: list[tuple[str, ...]] = []
    while left:
        wave = tuple(name for name, wanted in left.items() if all(each in depth for each in wanted))
        depth.update(dict.fromkeys(wave, len(found)))
        found.append(wave)
        left = {name: wanted for name, wanted in left.items() if name not in depth}
    return tuple(found)


def least_concurrency(needs: Mapping[str, Collection[str]], seconds: Mapping[str, int]) -> int:
    """The smallest number at a time with which the deploy is as short as it can be."""
    best = total(scheduled(needs, seconds))
    return next(number for number in range(1, len(needs) + 2) if total(scheduled(needs, seconds, number)) == best)
