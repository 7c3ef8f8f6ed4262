"""The plan as a picture (SVG): a bar per stack on a line of minutes, and in each bar the links of its critical path.

Colours follow the reader's light or dark setting. Every text has a width that is estimated on the safe side, and is shortened where
it has no room; the whole text is then its tooltip. The same plan gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moka.plan.schedule import scheduled, total
from moka.plan.text import minutes, readable_id
from moka.svg import Box, document, fitted, label, line, rect, shortened

if TYPE_CHECKING:
    from moka.plan.environment import EnvironmentPlan, PlannedStack
    from moka.plan.schedule import Slot

WIDTH: Final = 1120
NAMES: Final = 170
"""Room for names of stacks, left of the line of minutes."""
RIGHT: Final = 90
TOP: Final = 104
ROW: Final = 54
BAR: Final = 34
LEGEND: Final = 56

_STYLE: Final = """\
:root{--bar:#c9d6e8;--critical:#f2a65a;--link:#b8651b;--on:#1b1f24}
@media (prefers-color-scheme:dark){:root{--bar:#3a4a61;--critical:#a8611d;--link:#f0b27a;--on:#fff}}
.on{fill:var(--on)}.grid{stroke:var(--line)}.bar{fill:var(--bar)}.critical{fill:var(--critical)}.link{stroke:var(--link);stroke-width:1.5}"""


def plan_picture(plan: EnvironmentPlan, concurrency: int | None = None) -> str:
    """Return the SVG; `concurrency` None is as many stacks at a time as can."""
    slots = scheduled(plan.needs, plan.seconds, concurrency)
    seconds = max(total(slots), 60)
    scale = (WIDTH - NAMES - RIGHT) / seconds
    height = TOP + ROW * len(slots) + LEGEND
    at_a_time = "as many stacks at a time as can" if concurrency is None else f"{concurrency} at a time"
    title = f"First deploy of {plan.name}"
    told = f"{minutes(total(slots))} minutes with {at_a_time}, {minutes(sum(plan.seconds.values()))} one after another"
    parts = [
        label(24, 36, title, "title"),
        label(24, 58, told, "dim"),
        *_axis(seconds, scale, TOP + ROW * len(slots)),
    ]
    for row, slot in enumerate(slots):
        parts += _bar(plan.stacks[slot.stack], slot, scale, TOP + ROW * row, critical=slot.stack in plan.critical_path)
    return document(
        width=WIDTH,
        height=height,
        title=title,
        told=f"{told}. {_described(plan, slots)}",
        style=_STYLE,
        parts=[*parts, *_legend(height)],
    )


def _described(plan: EnvironmentPlan, slots: tuple[Slot, ...]) -> str:
    """Return the picture in words, for those who do not see it."""
    words = [f"{slot.stack} from minute {minutes(slot.start)} to {minutes(slot.finish)}" for slot in slots]
    return f"{'; '.join(words)}. Everything waits for {', '.join(plan.critical_path)}."


def _axis(seconds: int, scale: float, bottom: int) -> list[str]:
    step = next(each for each in (1, 2, 5, 10, 15, 30, 60, 120) if seconds / 60 / each <= 12)
    parts = [label(NAMES - 16, TOP - 14, "minutes", "dim end")]
    for minute in range(0, seconds // 60 + 1, step):
        x = NAMES + minute * 60 * scale
        parts += [line((x, TOP - 6), (x, bottom), "grid"), label(x, TOP - 14, str(minute), "dim mid")]
    return parts


def _bar(stack: PlannedStack, slot: Slot, scale: float, top: int, *, critical: bool) -> list[str]:
    left, width = NAMES + slot.start * scale, max((slot.finish - slot.start) * scale, 2)
    middle = top + BAR / 2 + 4
    parts = [
        fitted(NAMES - 16, middle, stack.name, "name end", room=NAMES - 40),
        rect(Box(left, top, width, BAR), "critical" if critical else "bar", radius=3),
        label(left + width + 8, middle, f"{minutes(slot.finish - slot.start)} min"),
    ]
    for logical_id in stack.critical_path if critical else ():
        resource = stack.resources[logical_id]
        end = left + resource.timing.finish * scale
        room = resource.time.seconds * scale - 12
        kind = shortened(resource.kind.rsplit("::", 1)[-1], room)
        tip = f"{readable_id(logical_id)} ({resource.kind}), {resource.time.seconds} s, {resource.time.basis}"
        if end < left + width - 1:
            parts.append(line((end, top), (end, top + BAR), "link", tip=tip))
        if kind:
            parts.append(label(end - room - 6, middle, kind, "on", tip=tip))
    return parts


def _legend(height: int) -> list[str]:
    y = height - 24
    return [
        rect(Box(24, y - 11, 14, 14), "critical", radius=3),
        label(46, y, "on the critical path, with the resources that it waits for"),
        rect(Box(560, y - 11, 14, 14), "bar", radius=3),
        label(582, y, "ready before it is needed"),
        label(WIDTH - 24, y, "typical times, not promises", "dim end"),
    ]
