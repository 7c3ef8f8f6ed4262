from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from moka.architecture.drawing.flows import draw_flows, hue_of
from moka.architecture.drawing.page import Page, Scene
from moka.architecture.flows import Flow, Route
from moka.svg import Box

BOXES = {
    "callers": Box(24, 0, 150, 50),
    "internet": Box(840, 0, 120, 36),
    "internet gateway": Box(820, 80, 150, 28),
    "public": Box(236, 150, 764, 28),
    "nat": Box(752, 184, 248, 30),
    "balancer": Box(236, 300, 764, 120),
    "endpoints": Box(236, 440, 764, 90),
    "database": Box(236, 550, 764, 50),
    "c/One": Box(236, 650, 764, 50),
    "c/Two": Box(236, 710, 764, 50),
    "nodes": Box(72, 800, 952, 400),
    "archer": Box(96, 860, 904, 32),
    "gateway endpoint": Box(72, 1230, 190, 28),
    "bucket": Box(40, 1300, 330, 200),
}
TARGET = {
    Route.CALL: "balancer",
    Route.SERVE: "archer",
    Route.STORE: "database",
    Route.OBJECTS: "bucket",
    Route.SERVICES: "endpoints",
}


def flow(route: Route, *targets: str) -> Flow:
    return Flow(route=route, of=(f"net/{route}",), text=f"a {route}", targets=targets)


def arrows(*flows: Flow, without: str = "") -> tuple[list[ET.Element], list[str]]:
    """Lines, and the numbers beside them."""
    scene = Scene(page=Page(zones=("a", "b", "c")))
    scene.boxes.update({name: box for name, box in BOXES.items() if name != without})
    draw_flows(scene, flows)
    root = ET.fromstring(f"<svg>{''.join(scene.canvas.parts())}</svg>")
    lines = [path for path in root.iter("path") if path.get("class", "").startswith("flow")]
    return lines, [text.text or "" for text in root.iter("text")]


def points(path: ET.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d", ""))]


@pytest.mark.parametrize("route", TARGET)
def test_an_arrow_ends_at_the_side_of_what_it_is_for(route: Route) -> None:
    (*_, last), numbers = arrows(flow(route))
    box = BOXES[TARGET[route]]
    x, y = points(last)[-1]

    assert numbers == ["1"]
    assert min(abs(x - box.x), abs(x - box.right), abs(y - box.y)) <= 7, "a head is 6 px from its end"
    assert box.x - 7 <= x <= box.right + 7
    assert box.y - 7 <= y <= box.bottom


def test_archer_has_an_arrow_to_each_cluster_under_one_number() -> None:
    lines, numbers = arrows(flow(Route.CALL), flow(Route.CONTROL, "c/One", "c/Two"))

    assert numbers == ["1", "2", "2"]
    assert [points(line)[-1][1] for line in lines[1:]] == [BOXES["c/One"].middle, BOXES["c/Two"].middle]


def test_the_way_to_the_internet_goes_by_nat_gateway_and_internet_gateway() -> None:
    lines, numbers = arrows(flow(Route.INTERNET))

    assert numbers == ["1"]
    assert [points(line)[-1][1] for line in lines] == [BOXES["nat"].middle, BOXES["internet gateway"].bottom + 6, 42]


@pytest.mark.parametrize("gone", ["archer", "database"])
def test_without_one_of_its_ends_there_is_no_arrow(gone: str) -> None:
    assert arrows(flow(Route.STORE), without=gone) == ([], [])


def test_flows_of_nodes_and_of_jobs_have_colours_of_their_own() -> None:
    assert {hue_of(flow(route)) for route in (Route.OBJECTS, Route.SERVICES, Route.INTERNET)} == {"net"}
    assert {hue_of(flow(route)) for route in (Route.CALL, Route.SERVE, Route.STORE, Route.CONTROL)} == {"ctl"}
