"""The plan as a picture (SVG): a bar per stack on a line of minutes, and in each bar the links of its critical path.

Colours follow the reader's light or dark setting. Every text has a width that is estimated on the safe side, and is shortened where
it has no room; the whole text is then its tooltip. The same plan gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from moka.plan.schedule import scheduled, total
from moka.plan.text import minutes, readable_id

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
CHARACTER: Final = 7.4
"""Width of a character at 12 px on the safe side: the widest common letters of system fonts take less on average."""
LEGEND: Final = 56

_STYLE: Final = """\
:root{--back:#fff;--ink:#1b1f24;--dim:#5b6570;--line:#dfe3e8;--bar:#c9d6e8;--critical:#f2a65a;--link:#b8651b;--on:#1b1f24}
@media (prefers-color-scheme:dark){:root{--back:#14181d;--ink:#e8ecf1;--dim:#9aa5b1;--line:#2b323a;--bar:#3a4a61;--critical:#a8611d;--link:#f0b27a;--on:#fff}}
text{font:12px system-ui,sans-serif;fill:var(--ink)}
.title{font-size:18px;font-weight:600}.dim{fill:var(--dim)}.end{text-anchor:end}.mid{text-anchor:middle}.name{font-weight:600}.on{fill:var(--on)}
.back{fill:var(--back)}.grid{stroke:var(--line)}.bar{fill:var(--bar)}.critical{fill:var(--critical)}.link{stroke:var(--link);stroke-width:1.5}"""


def text_width(text: str) -> float:
    """Return the pixels that `text` takes at most at 12 px."""
    return len(text) * CHARACTER


def shortened(text: str, room: float) -> str:
    """Return `text`, or as much of it as has room, with an ellipsis; empty when not even three characters have."""
    if text_width(text) <= room:
        return text
    fits = int(room / CHARACTER) - 1
    return f"{text[:fits]}…" if fits >= 3 else ""


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
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t d">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(told)}. {escape(_described(plan, slots))}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="24" y="36">{escape(title)}</text>',
        f'<text class="dim" x="24" y="58">{escape(told)}</text>',
        *_axis(seconds, scale, TOP + ROW * len(slots)),
    ]
    for row, slot in enumerate(slots):
        parts += _bar(plan.stacks[slot.stack], slot, scale, TOP + ROW * row, critical=slot.stack in plan.critical_path)
    parts += [*_legend(height), "</svg>", ""]
    return "\n".join(parts)


def _described(plan: EnvironmentPlan, slots: tuple[Slot, ...]) -> str:
    """Return the picture in words, for those who do not see it."""
    words = [f"{slot.stack} from minute {minutes(slot.start)} to {minutes(slot.finish)}" for slot in slots]
    return f"{'; '.join(words)}. Everything waits for {', '.join(plan.critical_path)}."


def _axis(seconds: int, scale: float, bottom: int) -> list[str]:
    step = next(each for each in (1, 2, 5, 10, 15, 30, 60, 120) if seconds / 60 / each <= 12)
    parts = [f'<text class="dim end" x="{NAMES - 16}" y="{TOP - 14}">minutes</text>']
    for minute in range(0, seconds // 60 + 1, step):
        x = NAMES + minute * 60 * scale
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}"/>')
        parts.append(f'<text class="dim mid" x="{x:.1f}" y="{TOP - 14}">{minute}</text>')
    return parts


def _bar(stack: PlannedStack, slot: Slot, scale: float, top: int, *, critical: bool) -> list[str]:
    left, width = NAMES + slot.start * scale, max((slot.finish - slot.start) * scale, 2)
    middle = top + BAR / 2 + 4
    name = shortened(stack.name, NAMES - 40)
    parts = [
        f'<text class="name end" x="{NAMES - 16}" y="{middle:.1f}">{escape(name)}<title>{escape(stack.name)}</title></text>',
        f'<rect class="{"critical" if critical else "bar"}" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR}" rx="3"/>',
        f'<text x="{left + width + 8:.1f}" y="{middle:.1f}">{minutes(slot.finish - slot.start)} min</text>',
    ]
    for logical_id in stack.critical_path if critical else ():
        resource = stack.resources[logical_id]
        end = left + resource.timing.finish * scale
        room = resource.time.seconds * scale - 12
        label = shortened(resource.kind.rsplit("::", 1)[-1], room)
        tooltip = escape(
            f"{readable_id(logical_id)} ({resource.kind}), {resource.time.seconds} s, {resource.time.basis}"
        )
        if end < left + width - 1:
            parts.append(
                f'<line class="link" x1="{end:.1f}" x2="{end:.1f}" y1="{top}" y2="{top + BAR}"><title>{tooltip}</title></line>'
            )
        if label:
            x = end - room - 6
            parts.append(
                f'<text class="on" x="{x:.1f}" y="{middle:.1f}">{escape(label)}<title>{tooltip}</title></text>'
            )
    return parts


def _legend(height: int) -> list[str]:
    y = height - 24
    return [
        f'<rect class="critical" x="24" y="{y - 11}" width="14" height="14" rx="3"/>',
        f'<text x="46" y="{y}">on the critical path, with the resources that it waits for</text>',
        f'<rect class="bar" x="560" y="{y - 11}" width="14" height="14" rx="3"/>',
        f'<text x="582" y="{y}">ready before it is needed</text>',
        f'<text class="dim end" x="{WIDTH - 24}" y="{y}">typical times, not promises</text>',
    ]
