from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from moka.architecture.drawing.canvas import CHIP, LINE, Canvas, Layer, arrow, badge, chips, pill, sentence
from moka.architecture.facts import Fact
from moka.svg import Box, label, rect, text_width


def drawn(canvas: Canvas) -> ET.Element:
    return ET.fromstring(f"<svg>{''.join(canvas.parts())}</svg>")


def fact(text: str, tip: str = "") -> Fact:
    return Fact(of=(f"data/{text}",), text=text, tip=tip)


def test_layers_lie_over_each_other_in_their_order_however_they_were_drawn() -> None:
    canvas = Canvas()
    canvas.add(label(0, 0, "arrow"), layer=Layer.FLOWS)
    canvas.add(label(0, 0, "frame"), layer=Layer.ACCOUNT)
    canvas.add(label(0, 0, "thing"))

    assert [text.text for text in drawn(canvas).iter("text")] == ["frame", "thing", "arrow"]


def test_a_thing_carries_its_sources_once_and_its_tooltip() -> None:
    canvas = Canvas()
    canvas.add(rect(Box(0, 0, 1, 1), "net"), of=["a/B", "a/C", "a/B"], tip="all of it")
    thing = drawn(canvas)[0]

    assert (thing.get("data-of"), thing.findtext("title")) == ("a/B a/C", "all of it")
    assert canvas.drawn == {"a/B", "a/C"}


def test_what_stands_for_nothing_and_has_no_tooltip_is_no_group() -> None:
    canvas = Canvas()
    canvas.add(label(0, 0, "word"), "")

    assert [each.tag for each in drawn(canvas)] == ["text"]


def test_chips_go_on_in_the_next_line_and_never_leave_their_place() -> None:
    canvas = Canvas()
    place = Box(10, 20, 120, CHIP)
    bottom = chips(canvas, [fact("ec2"), fact("autoscaling"), fact("a-name-without-any-room-at-all")], place, "plain")
    boxes = [
        (float(each.get("x", "0")), float(each.get("y", "0")), float(each.get("width", "0")))
        for each in drawn(canvas).iter("rect")
    ]

    assert [y for _, y, _ in boxes] == [20, 20 + CHIP + 6, 20 + 2 * (CHIP + 6)]
    assert all(x >= place.x and x + width <= place.right + 0.1 for x, _, width in boxes)
    assert bottom == 20 + 3 * CHIP + 12
    assert [each.findtext("title") for each in drawn(canvas)] == [None, None, "a-name-without-any-room-at-all"]


def test_what_exists_already_is_a_dashed_chip() -> None:
    canvas = Canvas()
    chips(canvas, [Fact(of=(), text="sg-1", existing=True)], Box(0, 0, 90, CHIP), "net")

    assert next(drawn(canvas).iter("rect")).get("class") == "plain net existing"


def test_a_sentence_breaks_between_facts_and_each_part_keeps_its_sources() -> None:
    canvas = Canvas()
    room = text_width("one · two", "small") + 1
    last = sentence(canvas, [fact("one"), fact("two", tip="second"), fact("three")], (5, 30), room)
    lines = ["".join(span.text or "" for span in text) for text in drawn(canvas).iter("text")]

    assert lines == ["one · two", "three"]
    assert last == 30 + LINE
    assert canvas.drawn == {"data/one", "data/two", "data/three"}
    assert [span.findtext("title") for span in drawn(canvas).iter("tspan") if span.get("data-of") == "data/two"] == [
        "second"
    ]


def test_a_pill_ends_where_it_is_to_end() -> None:
    shapes, left = pill(200, 50, "spot", "data")
    box = ET.fromstring(f"<g>{shapes}</g>")[0]

    assert float(box.get("x", "0")) + float(box.get("width", "0")) == pytest.approx(200, abs=0.1)
    assert float(box.get("x", "0")) == pytest.approx(left, abs=0.1)


def test_an_arrow_turns_at_right_angles_and_its_head_touches_the_end() -> None:
    line, head = ET.fromstring(f"<g>{arrow([(0, 0), (0, 100), (50, 100)], 'net')}</g>")

    assert (line.get("class"), head.get("class")) == ("flow net-line", "net-ink")
    assert line.get("d") == "M0 0L0 94Q0 100 6 100L44 100"
    assert head.get("d") == "M50 100L43 104.2L43 95.8z"


def test_an_arrow_without_head_goes_all_the_way() -> None:
    (line,) = ET.fromstring(f"<g>{arrow([(0, 0), (30, 0)], 'ctl', head=False)}</g>")

    assert line.get("d") == "M0 0L30 0"


def test_a_badge_is_a_disc_around_its_place() -> None:
    disc, text = ET.fromstring(f"<g>{badge((40, 60), '3', 'ctl')}</g>")

    assert (disc.get("x"), disc.get("y"), disc.get("rx")) == ("32", "52", "8")
    assert (text.text, text.get("x")) == ("3", "40")
