from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from moka.architecture.cards import Card
from moka.architecture.drawing.cards import draw_cards
from moka.architecture.drawing.page import Page, Scene
from moka.architecture.facts import Fact


def card(icon: str, facts: int) -> Card:
    return Card(
        icon=icon, title=icon, facts=tuple(Fact(of=(f"data/{icon}{n}",), text=f"fact-{n}") for n in range(facts))
    )


@pytest.fixture
def scene() -> Scene:
    return Scene(page=Page(zones=("a",)))


def test_cards_do_not_overlap_and_end_as_evenly_as_can_be(scene: Scene) -> None:
    cards = tuple(
        card(icon, facts) for icon, facts in (("bucket", 9), ("image", 2), ("key", 2), ("role", 2), ("alarm", 2))
    )
    bottom = draw_cards(scene, 100, cards)
    boxes = list(scene.boxes.values())

    assert scene.boxes["bucket"].x == min(box.x for box in boxes), "the arrow to the buckets comes from the left"
    assert bottom == scene.boxes["bucket"].bottom, "the highest card is as high as all the columns"
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert one.x != other.x or one.bottom < other.y or other.bottom < one.y


def test_a_detail_without_room_beside_its_text_stands_below_it(scene: Scene) -> None:
    facts = (
        Fact(of=("a/A",), text="short", detail="beside"),
        Fact(
            of=("a/B",),
            text="moka-prod-archer-database",
            detail="kept 365 days · versioned · TLS only · key of its own",
        ),
    )
    draw_cards(scene, 0, (Card(icon="key", title="Keys", facts=facts),))
    root = ET.fromstring(f"<svg>{''.join(scene.canvas.parts())}</svg>")
    lines = ["".join(text.itertext()) for text in root.iter("text")]

    assert lines[:3] == ["Keys", "short beside", "moka-prod-archer-database"]
    assert " · ".join(lines[3:]) == facts[1].detail


def test_no_cards_take_no_room(scene: Scene) -> None:
    assert draw_cards(scene, 70, ()) == 70
