"""The arrows: each flow is a line in a lane beside the tiers, and carries the number under which the picture's foot explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moka.architecture.drawing.canvas import Layer, arrow, badge
from moka.architecture.flows import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from moka.architecture.drawing.page import Page, Scene
    from moka.architecture.flows import Flow
    from moka.svg import Box, Point

Drawn = tuple[list[list["Point"]], "Point"]
"""The lines of a flow, and where its number stands."""


def draw_flows(scene: Scene, flows: tuple[Flow, ...]) -> None:
    """Draw the flows between those boxes that are there."""
    for number, flow in enumerate(flows, start=1):
        for lines, at in _WAYS[flow.route](scene.page, flow, scene.boxes):
            hue = hue_of(flow)
            shapes = [arrow(line, hue) for line in lines]
            scene.canvas.add(*shapes, of=flow.of, tip=flow.text, layer=Layer.FLOWS)
            scene.canvas.add(badge(at, str(number), hue), tip=flow.text, layer=Layer.BADGES)


def hue_of(flow: Flow) -> str:
    """Return the colour of a flow."""
    return "net" if flow.route in _OF_NODES else "ctl"


def _call(page: Page, flow: Flow, boxes: Mapping[str, Box]) -> Iterator[Drawn]:
    del flow
    if "callers" in boxes and "balancer" in boxes:
        end = boxes["balancer"].x, boxes["balancer"].y + 17
        yield [[(page.left_lane, boxes["callers"].bottom), (page.left_lane, end[1]), end]], (end[0] - 24, end[1])


def _serve(page: Page, flow: Flow, boxes: Mapping[str, Box]) -> Iterator[Drawn]:
    del flow
    if "balancer" in boxes and "archer" in boxes:
        start, end = boxes["balancer"], boxes["archer"]
        y = start.bottom - 17
        line = [(start.x, y), (page.left_lane, y), (page.left_lane, end.middle), (end.x, end.middle)]
        yield [line], (end.x - 20, end.middle)


def _store(page: Page, flow: Flow, boxes: Mapping[str, Box]) -> Iterator[Drawn]:
    del flow
    if "archer" in boxes and "database" in boxes:
        yield _from_archer(page, boxes, boxes["database"])


def _control(page: Page, flow: Flow, boxes: Mapping[str, Box]) -> Iterator[Drawn]:
    for target in flow.targets:
        if "archer" in boxes and target in boxes:
            yield _from_archer(page, boxes, boxes[target])


def _from_archer(page: Page, boxes: Mapping[str, Box], end: Box) -> Drawn:
    lane, _ = page.right_lanes
    start = boxes["archer"]
    line = [(start.right, start.middle), (lane, start.middle), (lane, end.middle), (end.right, end.middle)]
    return [line], (end.right + 19, end.middle)


def _objects(page: Page, flow: Flow, boxes: Mapping[str, Box]) -> Iterator[Drawn]:
    del page, flow
    if "nodes" in boxes and "gateway endpoint" in boxes:
        badge_box = boxes["gateway endpoint"]
        lines: list[list[Point]] = [[(badge_box.centre, boxes["nodes"].bottom), (badge_box.centre, badge_box.y)]]
        at = badge_box.centre, boxes["nodes"].bottom + 11
        if "bucket" in boxes:
            lines.append([(badge_box.centre, badge_box.bottom), (badge_box.centre, boxes["bucket"].y)])
            at = badge_box.centre, badge_box.bottom + 14
        yield lines, at


def _services(page: Page, flow: Flow, boxes: Mapping[str, Box]) -> Iterator[Drawn]:
    del flow
    if "nodes" in boxes and "endpoints" in boxes:
        yield _from_nodes(page, boxes, boxes["endpoints"])


def _internet(page: Page, flow: Flow, boxes: Mapping[str, Box]) -> Iterator[Drawn]:
    del flow
    if "nodes" in boxes and "nat" in boxes:
        lines, at = _from_nodes(page, boxes, boxes["nat"])
        if "internet gateway" in boxes and "internet" in boxes:
            gateway, internet = boxes["internet gateway"], boxes["internet"]
            lines.append([(gateway.centre, boxes["public"].y), (gateway.centre, gateway.bottom)])
            lines.append([(gateway.centre, gateway.y), (gateway.centre, internet.bottom)])
        yield lines, at


def _from_nodes(page: Page, boxes: Mapping[str, Box], end: Box) -> Drawn:
    _, lane = page.right_lanes
    start = boxes["nodes"]
    # below Archer's own line, so that the two do not cross
    y = boxes["archer"].bottom + 26 if "archer" in boxes else start.y + 60
    return [[(start.right, y), (lane, y), (lane, end.middle), (end.right, end.middle)]], (end.right + 19, end.middle)


_OF_NODES: Final = frozenset({Route.OBJECTS, Route.SERVICES, Route.INTERNET})
_WAYS: Final[Mapping[Route, Callable[[Page, Flow, Mapping[str, Box]], Iterator[Drawn]]]] = {
    Route.CALL: _call,
    Route.SERVE: _serve,
    Route.STORE: _store,
    Route.CONTROL: _control,
    Route.OBJECTS: _objects,
    Route.SERVICES: _services,
    Route.INTERNET: _internet,
}
