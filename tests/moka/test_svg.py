"""The pieces are read back as XML: what a browser would draw."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from moka.svg import (
    FACES,
    Box,
    document,
    face_of,
    fitted,
    group,
    label,
    line,
    number,
    rect,
    shortened,
    span,
    spanned,
    text_width,
    wrapped,
)

SVG = "{http://www.w3.org/2000/svg}"

DEJAVU_SANS = {
    "a": 0.613,
    "i": 0.278,
    "m": 0.974,
    "w": 0.818,
    "0": 0.636,
    "A": 0.684,
    "D": 0.77,
    "W": 0.989,
    " ": 0.318,
}
"""Widths of the widest of the common system fonts, in sizes of the font."""


def drawn(*parts: str, **more: bool) -> ET.Element:
    return ET.fromstring(document(width=200, height=100, title="T", told="words", style="", parts=parts, **more))


@pytest.mark.parametrize("character", DEJAVU_SANS)
def test_no_character_is_wider_than_it_is_taken_for(character: str) -> None:
    assert text_width(character) >= DEJAVU_SANS[character] * 12
    assert text_width(character) <= DEJAVU_SANS[character] * 12 * 1.4


def test_bold_and_larger_text_is_wider_and_monospaced_text_is_as_wide_as_it_is_long() -> None:
    assert text_width("archer", "title") > text_width("archer", "name") > text_width("archer") > text_width("a")
    assert text_width("iiii", "code") == text_width("MMMM", "code")


@pytest.mark.parametrize(("room", "said"), [(80, "Nodegroup"), (54, "Nodeg…"), (20, "")])
def test_text_without_room_is_shortened_or_left_out(room: float, said: str) -> None:
    assert shortened("Nodegroup", room) == said
    assert text_width(said) <= room


def test_shortened_text_keeps_the_whole_as_its_tooltip() -> None:
    parent = drawn(fitted(0, 10, "Nodegroup", room=54), fitted(0, 30, "Node", room=52), fitted(0, 50, "Node", room=5))

    assert [(text.text, text.findtext(f"{SVG}title")) for text in parent.iter(f"{SVG}text")] == [
        ("Nodeg…", "Nodegroup"),
        ("Node", None),
    ]


def test_words_are_wrapped_whole_and_a_word_without_room_stands_alone() -> None:
    words = ["ec2", "sts", "elasticloadbalancing", "kms", "logs"]
    lines = wrapped(words, 60, "code")

    assert lines == ["ec2 sts", "elasticloadbalancing", "kms logs"]
    assert wrapped([], 60) == []


def test_the_style_sheet_sets_each_face_as_its_width_is_estimated() -> None:
    style = drawn().findtext(f"{SVG}style") or ""

    for kind, face in FACES.items():
        assert f".{kind}{{font:{600 if face.bold else 400} {face.size}px " in style
        assert face_of(f"dim {kind} end") is face


def test_a_document_tells_its_title_and_its_words_and_follows_light_and_dark() -> None:
    text = document(width=200, height=100, title="a<b", told='say "c"&d', style=".x{fill:red}", parts=[])
    root = ET.fromstring(text)

    assert (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")) == ("a<b", 'say "c"&d')
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "t d")
    assert "prefers-color-scheme:dark" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_only_a_sized_document_keeps_its_size() -> None:
    assert (drawn(sized=True).get("width"), drawn().get("width")) == ("200", None)
    assert drawn(sized=True).get("viewBox") == drawn().get("viewBox") == "0 0 200 100"


def test_shapes_carry_place_class_and_tooltip() -> None:
    box, stroke, text = drawn(
        rect(Box(1, 2.25, 30, 4), "bar", radius=3, tip="a & b"),
        line((1, 2), (3, 4), "grid"),
        label(5, 6, "x<y", "dim", tip="whole"),
    )[-3:]

    assert box.attrib == {"class": "bar", "x": "1", "y": "2.2", "width": "30", "height": "4", "rx": "3"}
    assert box.findtext(f"{SVG}title") == "a & b"
    assert stroke.attrib == {"class": "grid", "x1": "1", "x2": "3", "y1": "2", "y2": "4"}
    assert (text.text, text.get("class"), text.findtext(f"{SVG}title")) == ("x<y", "dim", "whole")


def test_a_line_of_spans_keeps_their_classes_attributes_and_tooltips() -> None:
    (text,) = drawn(
        spanned(5, 6, [span("a<b", "code", {"data-of": "net/Vpc"}, tip="more"), " · ", span("plain")], "small dim")
    ).findall(f"{SVG}text")
    first, second = text

    assert (text.get("class"), text.get("x"), text.get("y")) == ("small dim", "5", "6")
    assert (first.attrib, first.text) == ({"class": "code", "data-of": "net/Vpc"}, "a<b")
    assert first.findtext(f"{SVG}title") == "more"
    assert (first.tail, second.attrib, second.text) == (" · ", {}, "plain")


def test_a_group_has_attributes_and_one_tooltip_for_all_that_is_in_it() -> None:
    parent = drawn(group([label(0, 0, "a"), label(0, 9, "b")], {"data-of": 'net/"Vpc"'}, tip="both"))[-1]

    assert parent.get("data-of") == 'net/"Vpc"'
    assert [child.tag.removeprefix(SVG) for child in parent] == ["title", "text", "text"]


@pytest.mark.parametrize(("value", "said"), [(12, "12"), (12.0, "12"), (12.04, "12"), (12.36, "12.4"), (-0.5, "-0.5")])
def test_coordinates_have_one_decimal_at_most(value: float, said: str) -> None:
    assert number(value) == said


def test_a_box_knows_its_sides_and_middles() -> None:
    box = Box(10, 20, 30, 40)

    assert (box.right, box.bottom, box.centre, box.middle) == (40, 60, 25, 40)
