"""The architecture as a picture (SVG): the VPC with zones as columns and subnets as tiers, clusters, services, and who calls whom.

Everything has its place by plain rules, so that the same templates give the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from moka.architecture.drawing.canvas import LINE, Layer, sentence
from moka.architecture.drawing.cards import draw_cards
from moka.architecture.drawing.flows import draw_flows
from moka.architecture.drawing.foot import draw_flow_list, draw_rest, draw_signs
from moka.architecture.drawing.nodes import nodes_tier
from moka.architecture.drawing.page import MARGIN, UNTOLD, Page, Scene
from moka.architecture.drawing.style import STYLE, icon
from moka.architecture.drawing.tiers import control_tier, entrance_tier, gateway_badge, other_tier, public_tier
from moka.architecture.facts import Fact, counted
from moka.svg import Box, document, fitted, label, rect, span, spanned, text_width, wrapped

if TYPE_CHECKING:
    from moka.architecture.environment import Architecture

_TIER_GAP: Final = 14
_BADGE: Final = 28


def architecture_picture(architecture: Architecture) -> str:
    """Return the SVG."""
    scene = Scene(page=Page(zones=_zones(architecture)))
    title = f"Architecture of {architecture.name}"
    counts = f"{counted(len(architecture.resources), 'resource')} in {counted(architecture.stacks, 'stack')}, read from the templates"
    scene.canvas.add(label(MARGIN, 36, title, "title"), label(MARGIN, 58, counts, "dim"))
    y = _outside(scene, architecture)
    bottom = _account(scene, y + 34, architecture)
    bottom = draw_flow_list(scene, bottom + 28, architecture.flows)
    bottom = draw_signs(scene, bottom + 20)
    draw_flows(scene, architecture.flows)
    bottom = draw_rest(scene, bottom + 20, architecture.resources)
    return document(
        width=scene.page.width,
        height=bottom + MARGIN,
        title=title,
        told=told(architecture),
        style=STYLE,
        parts=scene.canvas.parts(),
        sized=True,
    )


def told(architecture: Architecture) -> str:
    """Return the picture in words, for those who do not see it."""
    network = architecture.network
    said = [f"AWS account {architecture.account}, region {architecture.region}"]
    if network.vpc is not None:
        ranges = [network.vpc.detail, *(each.text for each in network.ranges)]
        said.append(" ".join([network.vpc.text, *filter(None, ranges)]))
    if network.zones:
        said.append(f"zones {', '.join(network.zones)}")
    said += [
        f"EKS cluster {cluster.name}, Kubernetes {cluster.version}, node groups of pools {', '.join(cluster.pools)}"
        for cluster in architecture.clusters
    ]
    said += [f"load balancer {balancer.name}" for balancer in architecture.load_balancers]
    said += [f"database {database.name}" for database in architecture.databases]
    said += [f"{card.title}: {', '.join(fact.text for fact in card.facts)}" for card in architecture.cards]
    said += [f"{number}: {flow.text}" for number, flow in enumerate(architecture.flows, start=1)]
    return f"{'. '.join(said)}."


def _zones(architecture: Architecture) -> tuple[str | None, ...]:
    network = architecture.network
    untold = [
        *(group.zone is None for cluster in architecture.clusters for group in cluster.node_groups),
        *(nat.zone is None for nat in network.nat_gateways),
        *(subnet.zone is None and not subnet.existing for subnet in network.subnets),
    ]
    return (*network.zones, None) if any(untold) or not network.zones else network.zones


def _outside(scene: Scene, architecture: Architecture) -> float:
    """Draw who is outside of the account; return the bottom."""
    top, bottom = 78.0, 78.0
    callers = [caller for balancer in architecture.load_balancers for caller in balancer.callers]
    if callers:
        lines = wrapped([caller.text for caller in callers], 210, "code")
        width = max(150, *(text_width(each, "code") + 28 for each in lines))
        box = Box(MARGIN, top, width, 34 + 16 * len(lines))
        scene.canvas.add(
            rect(box, "plain", radius=8),
            icon("people", box.x + 14, box.y + 9),
            label(box.x + 38, box.y + 22, "Callers", "head"),
            *(
                fitted(box.x + 14, box.y + 40 + 16 * row, line, "code dim", room=box.width - 24)
                for row, line in enumerate(lines)
            ),
            of=[key for caller in callers for key in caller.of],
            tip="address ranges and prefix lists that may call the load balancer",
        )
        scene.boxes["callers"] = box
        bottom = box.bottom
    gateway = architecture.network.internet_gateway
    if gateway is not None:
        box = Box(_gateway_centre(scene.page, architecture) - 60, top, 120, 36)
        scene.canvas.add(
            rect(box, "plain", radius=8),
            icon("globe", box.x + 16, box.y + 10),
            label(box.x + 40, box.y + 23, "Internet", "head"),
            of=gateway.of,
        )
        scene.boxes["internet"] = box
        bottom = max(bottom, box.bottom)
    return bottom


def _gateway_centre(page: Page, architecture: Architecture) -> float:
    """Return where the internet gateway stands: above the last NAT gateway, or above the last zone."""
    zones = [nat.zone for nat in architecture.network.nat_gateways if nat.zone in page.zones]
    last = max(zones, key=page.zones.index, default=page.zones[-1])
    return page.column(last, 0, 0).right - 86


def _account(scene: Scene, top: float, architecture: Architecture) -> float:
    x, width = scene.page.account
    left = scene.page.tier[0]
    scene.canvas.add(
        spanned(
            left,
            top + 24,
            [span(f"AWS account {architecture.account} ", "head"), span(architecture.region, "code dim")],
        ),
    )
    vpc_top = top + 46
    y = _vpc(scene, vpc_top, architecture)
    gap = 50 if architecture.network.gateway_endpoints else 24
    y = draw_cards(scene, y + gap if y > vpc_top else y, architecture.cards)
    frame = Box(x, top, width, y + 16 - top)
    scene.canvas.add(rect(frame, "account", radius=12), layer=Layer.ACCOUNT)
    return frame.bottom


def _vpc(scene: Scene, top: float, architecture: Architecture) -> float:
    """Draw the VPC with all that stands in it; return the bottom, `top` itself when there is none."""
    network = architecture.network
    if network.vpc is None and not architecture.clusters:
        return top
    zones_top = _vpc_header(scene, top, architecture)
    y = zones_top + 26
    tiers_top = y
    y = _next(public_tier(scene, y, network), y)
    y = _next(entrance_tier(scene, y, network, architecture.load_balancers, architecture.databases), y)
    y = _next(control_tier(scene, y, network, architecture.clusters), y)
    y = _next(other_tier(scene, y, network), y)
    y = _next(nodes_tier(scene, y, network, architecture.clusters), y)
    if y > tiers_top:
        for zone in scene.page.zones:
            column = scene.page.column(zone, zones_top, y - _TIER_GAP - zones_top + 8)
            band = Box(column.x - 5, column.y, column.width + 10, column.height)
            scene.canvas.add(
                rect(band, "band", radius=8),
                fitted(column.x + 6, column.y + 18, zone or UNTOLD, "name dim", room=column.width - 12),
                layer=Layer.ZONES,
            )
    x, width = scene.page.vpc
    frame = Box(x, top, width, y + (30 if network.gateway_endpoints else 6) - top)
    scene.canvas.add(
        rect(frame, "vpc existing" if network.vpc is None or network.vpc.existing else "vpc", radius=10),
        of=network.vpc.of if network.vpc else (),
        layer=Layer.VPC,
    )
    _border(scene, frame, architecture)
    return frame.bottom


def _next(bottom: float, top: float) -> float:
    """Return where the next tier begins: below this one, or in its place when it is empty."""
    return bottom + _TIER_GAP if bottom > top else top


def _vpc_header(scene: Scene, top: float, architecture: Architecture) -> float:
    """Draw the VPC's name, ranges and flow logs; return where the zones begin."""
    network = architecture.network
    x, room = scene.page.tier
    if network.internet_gateway is not None:
        room = _gateway_centre(scene.page, architecture) - x - 16
    vpc = network.vpc
    name = "VPC" if vpc is None else vpc.text
    scene.canvas.add(fitted(x, top + 26, name, "head net-ink", room=room), of=vpc.of if vpc else ())
    facts = [Fact(of=vpc.of, text=vpc.detail)] if vpc is not None and vpc.detail else []
    facts += [*network.ranges, *network.flow_logs]
    if vpc is None or vpc.existing:
        facts.append(Fact(of=(), text="exists already: its ranges, routes and endpoints are not in the templates"))
    y = sentence(scene.canvas, facts, (x, top + 46), room) if facts else top + 26
    if network.existing_groups:
        first, *others = network.existing_groups
        groups = [replace(first, text=f"security groups that exist already: {first.text}"), *others]
        y = sentence(scene.canvas, groups, (x, y + LINE), room)
    return y + 12


def _border(scene: Scene, frame: Box, architecture: Architecture) -> None:
    """Draw what stands on the VPC's border: the internet gateway above, gateway endpoints below."""
    network = architecture.network
    if network.internet_gateway is not None:
        width = text_width(network.internet_gateway.text, "name") + 52
        box = Box(_gateway_centre(scene.page, architecture) - width / 2, frame.y - _BADGE / 2, width, _BADGE)
        gateway_badge(scene, box, network.internet_gateway, "globe")
        scene.boxes["internet gateway"] = box
    x = scene.page.tier[0]
    for endpoint in network.gateway_endpoints:
        text = f"Gateway endpoint {endpoint.text}"
        box = Box(x, frame.bottom - _BADGE / 2, text_width(text, "name") + 52, _BADGE)
        gateway_badge(scene, box, replace(endpoint, text=text), "endpoint")
        scene.boxes.setdefault("gateway endpoint", box)
        x = box.right + 12
