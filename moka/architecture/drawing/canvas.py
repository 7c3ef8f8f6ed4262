"""Where drawn things are collected: in layers, so that frames lie under what is in them, each with the resources that it stands for."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from moka.architecture.drawing.style import ICON, icon
from moka.svg import Box, fitted, group, label, number, rect, shortened, span, spanned, text_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from moka.architecture.facts import Fact
    from moka.svg import Point

SOURCES: Final = "data-of"
"""Attribute with the keys of the resources that a thing stands for."""
CHIP: Final = 22
"""Height of a chip."""
LINE: Final = 16
"""From one base line to the next."""
BETWEEN: Final = " · "
"""Between two facts of a line."""
_CORNER: Final = 6
"""Radius where an arrow turns."""
_HEAD: Final = 7


class Layer(IntEnum):
    """What lies over what."""

    ACCOUNT = 0
    VPC = 1
    ZONES = 2
    TIERS = 3
    GROUPS = 4
    THINGS = 5
    FLOWS = 6
    BADGES = 7


class Canvas:
    """The picture while it is being made."""

    def __init__(self) -> None:
        self._layers: dict[Layer, list[str]] = {layer: [] for layer in Layer}
        self.drawn: set[str] = set()
        """Keys of the resources that something in the picture stands for."""

    def add(self, *parts: str, of: Iterable[str] = (), tip: str = "", layer: Layer = Layer.THINGS) -> None:
        """Draw shapes that stand for the resources `of`."""
        sources = tuple(dict.fromkeys(of))
        self.drawn.update(sources)
        shapes = [part for part in parts if part]
        if sources or tip:
            shapes = [group(shapes, {SOURCES: " ".join(sources)} if sources else {}, tip)]
        self._layers[layer] += shapes

    def span(self, text: str, kind: str = "", *, of: Iterable[str] = (), tip: str = "") -> str:
        """Return a part of a line that stands for the resources `of`; the line is still to be added."""
        sources = tuple(dict.fromkeys(of))
        self.drawn.update(sources)
        return span(text, kind, {SOURCES: " ".join(sources)} if sources else {}, tip=tip)

    def parts(self) -> Iterator[str]:
        """All shapes, the lowest first."""
        for layer in Layer:
            yield from self._layers[layer]


def titled(x: float, y: float, picture: str, title: str, hue: str, *, room: float, kind: str = "name") -> list[str]:
    """Return an icon with a title beside it; the title's base line is at y."""
    return [
        icon(picture, x, y - ICON + 4, hue),
        fitted(x + ICON + 8, y, title, f"{kind} {hue}-ink" if hue else kind, room=room - ICON - 8),
    ]


def chips(canvas: Canvas, facts: Iterable[Fact], place: Box, kind: str) -> float:
    """Draw facts as chips, line after line within the place's width; return the bottom of the last line."""
    x, y = place.x, place.y
    for fact in facts:
        text = shortened(fact.text, place.width - 16, "code")
        width = text_width(text, "code") + 16
        if x > place.x and x + width > place.right:
            x, y = place.x, y + CHIP + 6
        box = Box(x, y, width, CHIP)
        look = f"plain {kind} existing" if fact.existing else kind
        canvas.add(
            rect(box, look, radius=CHIP / 2),
            label(box.x + 8, box.middle + 4, text, "code"),
            of=fact.of,
            tip=fact.tip or (fact.text if text != fact.text else ""),
        )
        x += width + 6
    return y + CHIP


def sentence(canvas: Canvas, facts: Iterable[Fact], start: Point, room: float, kind: str = "small dim") -> float:
    """Write facts one after the other, in as many lines as it takes; return the base line of the last one."""
    lines: list[list[Fact]] = []
    for fact in facts:
        longer = BETWEEN.join(each.text for each in [*(lines[-1] if lines else []), fact])
        if lines and text_width(longer, kind) <= room:
            lines[-1].append(fact)
        else:
            lines.append([fact])
    x, y = start
    for row, line in enumerate(lines):
        spans = [canvas.span(fact.text, of=fact.of, tip=fact.tip) for fact in line]
        dots = [*(span(BETWEEN) for _ in spans[1:]), ""]
        y = start[1] + LINE * row
        canvas.add(spanned(x, y, [part for pair in zip(spans, dots, strict=True) for part in pair], kind))
    return y


def pill(right: float, middle: float, text: str, kind: str) -> tuple[str, float]:
    """Return a small label that ends at `right`, and its left side."""
    width = text_width(text, "tag") + 12
    box = Box(right - width, middle - 8, width, 16)
    shapes = rect(box, kind, radius=8) + label(box.centre, middle + 3.5, text, f"tag mid {kind}-ink")
    return shapes, box.x


def arrow(points: list[Point], hue: str, *, head: bool = True) -> str:
    """Return a line along right angles with rounded corners, and a head at its end."""
    start, *between, end = points
    steps = [f"M{_at(start)}"]
    for before, corner, after in zip([start, *between], between, [*between[1:], end], strict=False):
        steps.append(f"L{_at(_towards(corner, before))}Q{_at(corner)} {_at(_towards(corner, after))}")
    last = _towards(end, between[-1] if between else start, _HEAD - 1) if head else end
    steps.append(f"L{_at(last)}")
    path = f'<path class="flow {hue}-line" d="{"".join(steps)}"/>'
    return path + (_head(end, between[-1] if between else start, hue) if head else "")


def badge(at: Point, text: str, hue: str) -> str:
    """Return a disc with a number in it."""
    disc = Box(at[0] - 8, at[1] - 8, 16, 16)
    return rect(disc, f"{hue}-ink", radius=8) + label(at[0], at[1] + 3.5, text, "tag mid onfull")


def _head(end: Point, before: Point, hue: str) -> str:
    base = _towards(end, before, _HEAD)
    across = (base[1] - end[1]) * 0.6, (end[0] - base[0]) * 0.6
    corners = [end, (base[0] + across[0], base[1] + across[1]), (base[0] - across[0], base[1] - across[1])]
    return f'<path class="{hue}-ink" d="M{"L".join(_at(corner) for corner in corners)}z"/>'


def _towards(point: Point, other: Point, distance: float = _CORNER) -> Point:
    """Return the point that lies on the way to the other one, half way at most."""
    across, down = other[0] - point[0], other[1] - point[1]
    length = abs(across) + abs(down)
    part = min(distance / length, 0.5) if length else 0
    return point[0] + across * part, point[1] + down * part


def _at(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"
