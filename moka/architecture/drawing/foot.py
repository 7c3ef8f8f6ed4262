"""The foot of the picture: what the numbers on the arrows mean, what the signs mean, and what is deployed without being drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moka.architecture.cards import counted_kinds
from moka.architecture.drawing.canvas import badge, pill
from moka.architecture.drawing.flows import hue_of
from moka.architecture.drawing.page import MARGIN
from moka.svg import Box, fitted, label, rect, text_width, wrapped

if TYPE_CHECKING:
    from moka.architecture.drawing.page import Scene
    from moka.architecture.flows import Flow
    from moka.architecture.resources import Resources

NOT_DRAWN: Final = "Deployed as well, not drawn:"
_ROW: Final = 22


def draw_flow_list(scene: Scene, top: float, flows: tuple[Flow, ...]) -> float:
    """Explain the numbers on the arrows; return the bottom."""
    if not flows:
        return top
    scene.canvas.add(
        label(MARGIN, top + 12, "Who calls whom, as far as rules, routes and access entries allow it", "head")
    )
    y = top + 36
    for number, flow in enumerate(flows, start=1):
        text = flow.text[0].upper() + flow.text[1:]
        scene.canvas.add(
            badge((MARGIN + 8, y - 4), str(number), hue_of(flow)),
            fitted(MARGIN + 26, y, text, room=scene.page.width - 2 * MARGIN - 26),
            of=flow.of,
        )
        y += _ROW
    return y - _ROW + 8


def draw_signs(scene: Scene, top: float) -> float:
    """Explain the signs; return the bottom."""
    y = top + 12
    x: float = MARGIN
    for text, kind, meaning in (
        ("on demand", "run", "node groups of instances that stay"),
        ("spot", "data", "node groups of instances that AWS may take back"),
    ):
        width = text_width(text, "tag") + 12
        shape, _ = pill(x + width, y - 4, text, kind)
        scene.canvas.add(shape, label(x + width + 8, y, meaning, "small dim"))
        x += width + 8 + text_width(meaning, "small") + 24
    scene.canvas.add(
        rect(Box(x, y - 11, 22, 14), "plain existing", radius=4),
        label(x + 30, y, "exists already: the templates only name it", "small dim"),
    )
    return y + 4


def draw_rest(scene: Scene, top: float, resources: Resources) -> float:
    """Count what nothing in the picture stands for, by type; return the bottom."""
    rest = counted_kinds(each for each in resources if each.key not in scene.canvas.drawn)
    if not rest:
        return top
    room = scene.page.width - 2 * MARGIN
    *most, last = (f"{number} {kind.removeprefix('AWS::')}" for kind, number in rest.items())
    words = [*(f"{each}," for each in most), last]
    scene.canvas.add(label(MARGIN, top + 12, NOT_DRAWN, "small dim"))
    y = top + 30
    for row in wrapped(words, room, "code"):
        scene.canvas.add(label(MARGIN, y, row, "code dim"))
        y += 16
    return y - 16 + 4
