"""The picture is read back as XML: what a browser would draw, by its coordinates."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from moka.assembly import SynthesizedStack
from moka.cli import main
from moka.plan import make_plan
from moka.plan.picture import NAMES, WIDTH, plan_picture
from moka.svg import text_width

from .conftest import bucket, stack

SVG = "{http://www.w3.org/2000/svg}"


def drawn(stacks: list[SynthesizedStack], concurrency: int | None = None) -> ET.Element:
    return ET.fromstring(plan_picture(make_plan(stacks), concurrency))


def bars(picture: ET.Element) -> list[tuple[str, float, float]]:
    """[(class, x, width)] of the bars, without background and legend."""
    found = [
        (each.get("class", ""), float(each.get("x", "0")), float(each.get("width", "0")))
        for each in picture.iter(f"{SVG}rect")
    ]
    return [each for each in found if each[0] != "back" and each[2] != 14]


def words(picture: ET.Element) -> list[str]:
    return [each.text or "" for each in picture.iter(f"{SVG}text")]


def test_bars_are_as_long_as_stacks_take_and_begin_when_those_begin(demo: list[SynthesizedStack]) -> None:
    picture = drawn(demo)
    scale = (bars(picture)[-1][1] - NAMES) / 640  # archer begins after 640 seconds

    # network 80 s, data 20 s, the cluster 560 s after the network, Archer 450 s after all
    assert [kind for kind, _, _ in bars(picture)] == ["critical", "bar", "critical", "critical"]
    for (_, x, width), (start, takes) in zip(bars(picture), [(0, 80), (0, 20), (80, 560), (640, 450)], strict=True):
        assert x == pytest.approx(NAMES + start * scale, abs=0.2)
        assert width == pytest.approx(takes * scale, abs=0.2)


def test_one_at_a_time_is_drawn_one_after_another(demo: list[SynthesizedStack]) -> None:
    placed = bars(drawn(demo, concurrency=1))

    assert all(after[1] == pytest.approx(before[1] + before[2], abs=0.2) for before, after in pairwise(placed))


def test_every_stack_is_named_and_the_picture_is_told_in_words(demo: list[SynthesizedStack]) -> None:
    picture = drawn(demo)
    told = picture.findtext(f"{SVG}desc") or ""

    assert {"network", "data", "cluster-c", "archer"} <= set(words(picture))
    assert "18.2 minutes with as many stacks at a time as can, 18.5 one after another" in told
    assert "Everything waits for network, cluster-c, archer." in told


def test_no_text_leaves_the_picture_or_the_room_for_names() -> None:
    name = "platform-with-a-very-long-name-of-a-cluster"
    picture = drawn([stack(name, {"Bucket": bucket()})])

    for text in picture.iter(f"{SVG}text"):
        kind = text.get("class", "")
        x, width = float(text.get("x", "0")), text_width(text.text or "", kind)
        left = x - width if "end" in kind else x - width / 2 if "mid" in kind else x
        assert left >= 0
        assert left + width <= WIDTH or "title" in kind
    assert name in [each.text for each in picture.iter(f"{SVG}title")]


def test_names_with_xml_in_them_stay_text(demo: list[SynthesizedStack]) -> None:
    assert "a<b&c" in words(drawn([stack("a<b&c", {"Bucket": bucket()})]))


def test_the_same_plan_gives_the_same_bytes_without_day_or_folder(demo: list[SynthesizedStack]) -> None:
    first, second = plan_picture(make_plan(demo)), plan_picture(make_plan(demo))

    assert first == second
    assert re.findall(r"\d{4}-\d\d-\d\d|/tmp|/home", first) == []


def test_draw_writes_it_below_dist_and_says_where(
    demo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["plan", "demo", "--assembly", str(demo_folder), "--draw"])

    assert end.value.code == 0
    assert capsys.readouterr().err == "drawn: dist/demo/plan.svg\n"
    assert ET.parse(tmp_path / "dist/demo/plan.svg").getroot().tag == f"{SVG}svg"


def test_a_folder_that_cannot_be_written_to_is_told(
    demo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dist").write_text("a file")
    with pytest.raises(SystemExit) as end:
        main(["plan", "demo", "--assembly", str(demo_folder), "--draw"])

    assert end.value.code == 2
    assert "`--draw` cannot write dist/demo/plan.svg" in capsys.readouterr().err
