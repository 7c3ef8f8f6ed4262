"""The pictures of the shipped environments: nothing lost, nothing made up, nothing on top of something else, and the committed ones fresh."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest

from environments import environment_names
from moka.architecture.docs import COMMAND, PICTURED, picture_of
from moka.architecture.drawing.foot import NOT_DRAWN
from moka.architecture.environment import make_architecture
from moka.architecture.picture import architecture_picture
from moka.assembly import SynthesizedStack
from moka.svg import Box, face_of, text_width

Stacks = dict[str, SynthesizedStack]
SVG = "{http://www.w3.org/2000/svg}"


def of_environment(stacks: Stacks, name: str) -> list[SynthesizedStack]:
    return [stack for stack in stacks.values() if stack.environment == name]


def drawn(stacks: list[SynthesizedStack]) -> str:
    return architecture_picture(make_architecture(stacks))


@pytest.fixture(scope="module")
def pictures(stacks: Stacks) -> dict[str, ET.Element]:
    """Each environment's picture, read back."""
    return {name: ET.fromstring(drawn(of_environment(stacks, name))) for name in environment_names()}


def line_of(text: ET.Element) -> Iterator[tuple[str, str]]:
    """The parts of a line with their classes, without tooltips."""
    kind = text.get("class", "")
    yield text.text or "", kind
    for span in text:
        if span.tag != f"{SVG}title":
            yield span.text or "", span.get("class", "") or kind
            yield span.tail or "", kind


def words(picture: ET.Element) -> list[str]:
    return ["".join(part for part, _ in line_of(text)).strip() for text in picture.iter(f"{SVG}text")]


def boxes_of_texts(picture: ET.Element) -> list[tuple[str, Box]]:
    """Every line with the room that it takes at most."""
    found = []
    for text in picture.iter(f"{SVG}text"):
        parts = list(line_of(text))
        width = sum(text_width(part, kind) for part, kind in parts)
        size = max(face_of(kind).size for part, kind in parts if part)
        kind = text.get("class", "").split()
        x, y = float(text.get("x", "0")), float(text.get("y", "0"))
        left = x - width if "end" in kind else x - width / 2 if "mid" in kind else x
        found.append(("".join(part for part, _ in parts), Box(left, y - 0.75 * size, width, 0.95 * size)))
    return found


def boxes_of_shapes(picture: ET.Element) -> list[Box]:
    """All shapes that things stand in; zones' bands lie behind these."""
    return [
        Box(*(float(rect.get(side, "0")) for side in ("x", "y", "width", "height")))
        for rect in picture.iter(f"{SVG}rect")
        if rect.get("class") != "band"
    ]


def overlap(one: Box, other: Box) -> bool:
    return (
        min(one.right, other.right) - max(one.x, other.x) > 0.5
        and min(one.bottom, other.bottom) - max(one.y, other.y) > 0.5
    )


@pytest.mark.parametrize("name", environment_names())
def test_every_resource_is_drawn_or_counted_by_its_type(
    name: str, stacks: Stacks, pictures: dict[str, ET.Element]
) -> None:
    kinds = {
        f"{stack.name}/{logical_id}": resource["Type"].removeprefix("AWS::")
        for stack in of_environment(stacks, name)
        for logical_id, resource in stack.resources.items()
        if resource["Type"] != "AWS::CDK::Metadata"
    }
    sources = {key for element in pictures[name].iter() for key in element.get("data-of", "").split()}
    seen = words(pictures[name])
    foot = ", ".join(seen[seen.index(NOT_DRAWN) + 1 :])
    counted = {kind: int(number) for number, kind in re.findall(r"(\d+) ([\w:]+)", foot)}

    assert sources <= set(kinds)
    assert counted == dict(Counter(kind for key, kind in kinds.items() if key not in sources))


@pytest.mark.parametrize("name", ["prod", "staging"])
def test_one_resource_less_of_any_type_is_seen(name: str, stacks: Stacks) -> None:
    """Without the attributes that say what a thing stands for, and without the total."""

    def visible(picture: str) -> str:
        return re.sub(
            r' data-of="[^"]*"|<desc.*?</desc>|<title>.*?</title>|\d+ resources in', "", picture, flags=re.DOTALL
        )

    every = of_environment(stacks, name)
    whole = visible(drawn(every))
    tried = set()
    for place, stack in enumerate(every):
        for logical_id, resource in stack.resources.items():
            if resource["Type"] in tried:
                continue
            tried.add(resource["Type"])
            rest = {key: value for key, value in stack.resources.items() if key != logical_id}
            less = dataclasses.replace(stack, template={**stack.template, "Resources": rest})
            picture = drawn([*every[:place], less, *every[place + 1 :]])

            assert visible(picture) != whole, f"{resource['Type']} {stack.name}/{logical_id} is not seen"
            assert f"{stack.name}/{logical_id}" not in re.findall(r"[^\s\"]+", picture)
    assert len(tried) > 30


@pytest.mark.parametrize("name", environment_names())
def test_no_two_texts_overlap(name: str, pictures: dict[str, ET.Element]) -> None:
    texts = boxes_of_texts(pictures[name])

    assert len(texts) > 100
    assert [(one[0], other[0]) for one, other in combinations(texts, 2) if overlap(one[1], other[1])] == []


@pytest.mark.parametrize("name", environment_names())
def test_every_text_stays_within_the_shape_that_it_begins_in(name: str, pictures: dict[str, ET.Element]) -> None:
    shapes = boxes_of_shapes(pictures[name])
    for text, box in boxes_of_texts(pictures[name]):
        around = [each for each in shapes if each.x <= box.centre <= each.right and each.y <= box.middle <= each.bottom]
        least = min(around, key=lambda each: each.width * each.height)

        assert least.x <= box.x + 0.5, text
        assert box.right <= least.right + 0.5, text


@pytest.mark.parametrize("name", environment_names())
def test_no_arrow_crosses_a_text(name: str, pictures: dict[str, ET.Element]) -> None:
    texts = [(text, box) for text, box in boxes_of_texts(pictures[name]) if not text.isdigit()]
    arrows = [
        path.get("d", "") for path in pictures[name].iter(f"{SVG}path") if path.get("class", "").startswith("flow")
    ]
    for arrow in arrows:
        points = [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", arrow)]
        for (x1, y1), (x2, y2) in pairwise(points):
            segment = Box(min(x1, x2) - 1, min(y1, y2) - 1, abs(x2 - x1) + 2, abs(y2 - y1) + 2)
            assert [text for text, box in texts if overlap(segment, box)] == []
    assert len(arrows) >= 4


def test_prod_shows_both_clusters_and_archer_reaching_each(pictures: dict[str, ET.Element]) -> None:
    picture = pictures["prod"]
    reaching = [
        group
        for group in picture.iter(f"{SVG}g")
        if "archer/ReachEntryAdhoc" in group.get("data-of", "") and group.find(f"{SVG}path") is not None
    ]

    assert {"EKS cluster moka-prod-batch", "EKS cluster moka-prod-adhoc"} <= set(words(picture))
    assert words(picture).count("Archer") == 1
    assert len(reaching) == 2


def test_prod_shows_each_node_group_in_its_zone(stacks: Stacks, pictures: dict[str, ET.Element]) -> None:
    heads = {text: box.x for text, box in boxes_of_texts(pictures["prod"]) if re.fullmatch(r"us-east-1[abc]", text)}
    groups = {
        f"{stack.name}/{logical_id}": resource["Properties"]
        for stack in of_environment(stacks, "prod")
        for logical_id, resource in stack.resources.items()
        if resource["Type"] == "AWS::EKS::Nodegroup"
    }
    for key, group in groups.items():
        (cell,) = (each for each in pictures["prod"].iter(f"{SVG}g") if key in each.get("data-of", "").split())
        text = next(cell.iter(f"{SVG}text"))
        zone = max((zone for zone, x in heads.items() if x <= float(text.get("x", "0")) + 12), key=heads.__getitem__)
        scaling = group["ScalingConfig"]

        assert zone in group["NodegroupName"]
        assert text.text == f"{scaling['MinSize']} to {scaling['MaxSize']} nodes"
    assert len(groups) == 28


def test_of_stagings_network_only_what_the_templates_name_is_shown(
    stacks: Stacks, pictures: dict[str, ET.Element]
) -> None:
    templates = json.dumps([stack.template for stack in of_environment(stacks, "staging")])
    seen = " ".join(words(pictures["staging"]))

    for known in (
        "vpc-0a1b2c3d4e5f60718",
        "subnet-0a1b2c3d4e5f6a001",
        "sg-0a1b2c3d4e5f60001",
        "zones not in the templates",
    ):
        assert known in seen
    for text in re.findall(r"\d+\.\d+\.\d+\.\d+/\d+|(?:vpc|subnet|sg|pl)-[0-9a-f]+", seen):
        assert text in templates, f"{text} is not from the templates"
    assert "10.60." not in seen, "the file's address ranges are not in the templates"
    assert "NAT" not in seen


@pytest.mark.parametrize("name", PICTURED)
def test_the_committed_picture_is_what_the_templates_give(name: str, stacks: Stacks) -> None:
    assert picture_of(name).read_text(encoding="utf-8") == drawn(of_environment(stacks, name)), f"stale: run {COMMAND}"
