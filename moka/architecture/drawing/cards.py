"""The cards below the VPC, in three columns, so that these end as evenly as can be."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from moka.architecture.drawing.canvas import BETWEEN, LINE, Layer
from moka.architecture.drawing.style import icon
from moka.svg import Box, fitted, rect, shortened, span, spanned, text_width, wrapped

if TYPE_CHECKING:
    from moka.architecture.cards import Card
    from moka.architecture.drawing.page import Scene
    from moka.architecture.facts import Fact

_COLUMNS: Final = 3
_GAP: Final = 14
_INSET: Final = 14
_HEADER: Final = 50
"""From the top of a card to the base line of its first fact."""
_HUES: Final = {"bucket": "data", "image": "run", "key": "ctl", "role": "ctl", "alarm": "net", "clock": "run"}


def draw_cards(scene: Scene, top: float, cards: tuple[Card, ...]) -> float:
    """Draw the cards; return the bottom."""
    x, width = scene.page.vpc
    each = (width - _GAP * (_COLUMNS - 1)) / _COLUMNS
    bottoms = [top] * _COLUMNS
    for card, column in zip(cards, _columns([_height(card, each) for card in cards]), strict=True):
        box = Box(x + column * (each + _GAP), bottoms[column], each, _height(card, each))
        _card(scene, box, card)
        scene.boxes[card.icon] = box
        bottoms[column] = box.bottom + _GAP
    return max(bottoms) - _GAP if cards else top


def _columns(heights: list[float]) -> tuple[int, ...]:
    """Return each card's column, so that the columns end as evenly as can be. The first card stays in the first column."""

    def unevenness(columns: tuple[int, ...]) -> tuple[float, float]:
        totals = [
            sum(h for h, column in zip(heights, columns, strict=True) if column == each) for each in range(_COLUMNS)
        ]
        return max(totals), sum(total * total for total in totals)

    ways = (columns for columns in product(range(_COLUMNS), repeat=len(heights)) if not columns or columns[0] == 0)
    return min(ways, key=unevenness)


def _card(scene: Scene, box: Box, card: Card) -> None:
    hue = _HUES.get(card.icon, "net")
    scene.canvas.add(rect(box, "card", radius=8), layer=Layer.TIERS)
    scene.canvas.add(
        icon(card.icon, box.x + _INSET, box.y + 11, hue),
        fitted(box.x + 38, box.y + 24, card.title, f"head {hue}-ink", room=box.width - 52),
    )
    y = box.y + _HEADER
    for fact in card.facts:
        y = _fact(scene, box, y, fact)


def _height(card: Card, width: float) -> float:
    return _HEADER + sum(_fact_height(fact, width - 2 * _INSET) for fact in card.facts) - 6


def _details(fact: Fact, room: float) -> list[str]:
    """Return the lines of a fact's detail that stand below its text; none when both have room in one line."""
    if not fact.detail or text_width(fact.text, "code") + 8 + text_width(fact.detail, "small") <= room:
        return []
    return wrapped(fact.detail.split(BETWEEN), room, "small", between=BETWEEN)


def _fact_height(fact: Fact, room: float) -> float:
    details = _details(fact, room)
    return LINE * (1 + len(details)) + (8 if details or fact.existing else 4) + (4 if fact.existing else 0)


def _fact(scene: Scene, place: Box, y: float, fact: Fact) -> float:
    """Write a fact whose base line is at y; return the base line of the next one."""
    x, room = place.x + _INSET, place.width - 2 * _INSET
    end = y + _fact_height(fact, room)
    y += 4 if fact.existing else 0
    details = _details(fact, room)
    beside = [span(fact.detail, "small dim")] if fact.detail and not details else []
    text = shortened(fact.text, room, "code")
    around = Box(x - 7, y - 14, room + 14, LINE * (1 + len(details)) + 5)
    scene.canvas.add(
        rect(around, "mark existing", radius=5) if fact.existing else "",
        spanned(x, y, [span(f"{text} " if beside else text, "code"), *beside]),
        *(fitted(x, y + LINE * row, line, "small dim", room=room) for row, line in enumerate(details, start=1)),
        of=fact.of,
        tip=fact.tip or (fact.text if text != fact.text else ""),
    )
    return end
