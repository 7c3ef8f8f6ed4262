"""The VPC's tiers, from the outside in: public subnets, those for the load balancer, the control planes'; and what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moka.architecture.drawing.canvas import CHIP, LINE, Layer, chips, pill, sentence, titled
from moka.architecture.drawing.page import UNTOLD
from moka.architecture.drawing.style import icon
from moka.architecture.facts import Fact, counted
from moka.svg import Box, fitted, label, rect, text_width

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moka.architecture.clusters import Cluster
    from moka.architecture.drawing.page import Scene
    from moka.architecture.entrance import Database, LoadBalancer
    from moka.architecture.network import NatGateway, Network, Subnet

PAD: Final = 12
"""Within a tier's frame, and between the things in it."""
_SUBNET: Final = 28
_NAT: Final = 30
_TITLES: Final = {
    "public": "Public subnets",
    "load-balancer": "Private subnets",
    "control-plane": "Control planes",
    "nodes": "Nodes and pods",
    "other": "Other subnets",
}
_SUBTITLES: Final = {
    "public": "NAT gateways",
    "load-balancer": "entrance and database",
    "control-plane": "subnets of EKS",
    "nodes": "subnets of node groups",
    "other": "",
}


def tier_frame(scene: Scene, top: float, bottom: float, use: str) -> Box:
    """Draw the frame of a tier with its name; return the frame."""
    x, width = scene.page.tier
    left, room = scene.page.gutter
    frame = Box(x, top, width, bottom - top)
    scene.canvas.add(rect(frame, "tier", radius=8), layer=Layer.TIERS)
    scene.canvas.add(
        fitted(left - PAD, top + PAD + 12, _TITLES[use], "name", room=room + PAD),
        fitted(left - PAD, top + PAD + 27, _SUBTITLES[use], "small dim", room=room + PAD),
    )
    return frame


def subnet_rows(scene: Scene, y: float, subnets: Iterable[Subnet]) -> float:
    """Draw subnets in their zones' columns, and below them those whose zone is not told; return the bottom."""
    bottom, untold = y, []
    heights: dict[str | None, float] = {}
    for subnet in subnets:
        if subnet.zone is None and None not in scene.page.zones:
            untold.append(Fact(of=subnet.of, text=subnet.name, existing=subnet.existing))
            continue
        top = heights.get(subnet.zone, y)
        box = scene.page.column(subnet.zone, top, _SUBNET)
        _subnet(scene, box, subnet)
        heights[subnet.zone] = box.bottom + 4
        bottom = max(bottom, box.bottom)
    if untold:
        place = scene.page.across(bottom + (4 if heights else 0), 0)
        start, room = (place.x + 10, place.y + 18), place.width - text_width(UNTOLD, "small") - 32
        last = sentence(scene.canvas, untold, start, room, "code")
        box = place._replace(height=last - place.y + 10)
        scene.canvas.add(
            rect(box, "net existing" if untold[0].existing else "net", radius=5),
            label(box.right - 10, place.y + 18, UNTOLD, "small dim end"),
            layer=Layer.GROUPS,
        )
        bottom = box.bottom
    return bottom


def _subnet(scene: Scene, box: Box, subnet: Subnet) -> None:
    scene.canvas.add(
        rect(box, "net existing" if subnet.existing else "net", radius=5),
        fitted(box.x + 10, box.middle + 4, subnet.name, "code", room=box.width - 20),
        label(box.right - 10, box.middle + 4, "existing", "small dim end") if subnet.existing else "",
        of=subnet.of,
    )
    if subnet.way_out is not None:
        room = box.width - 30 - text_width(subnet.name, "code")
        scene.canvas.add(
            fitted(box.right - 10, box.middle + 4, subnet.way_out.text, "small dim end", room=room),
            of=subnet.way_out.of,
        )


def public_tier(scene: Scene, top: float, network: Network) -> float:
    """Draw the public subnets with their NAT gateways; return the bottom, `top` itself when there are none."""
    subnets = network.of_use("public")
    if not subnets and not network.nat_gateways:
        return top
    y = subnet_rows(scene, top + PAD, subnets)
    scene.boxes["public"] = scene.page.across(top + PAD, y - top - PAD)
    bottom = y
    for nat in network.nat_gateways:
        if nat.zone in scene.page.zones:
            box = scene.page.column(nat.zone, y + 6, _NAT)
            _nat(scene, box, nat)
            bottom = max(bottom, box.bottom)
            known = scene.boxes.get("nat")
            # where there are several, arrows end at the last one: the others are as that one
            scene.boxes["nat"] = box if known is None or box.x > known.x else known
    tier_frame(scene, top, bottom + PAD, "public")
    return bottom + PAD


def _nat(scene: Scene, box: Box, nat: NatGateway) -> None:
    detail = "Elastic IP" if nat.elastic_ip else ""
    scene.canvas.add(
        rect(box, "net", radius=5),
        *titled(box.x + 10, box.middle + 4, "nat", "NAT gateway", "net", room=box.width - 90),
        label(box.right - 10, box.middle + 4, detail, "small dim end") if detail else "",
        of=nat.of,
    )


def entrance_tier(
    scene: Scene,
    top: float,
    network: Network,
    balancers: Iterable[LoadBalancer],
    databases: Iterable[Database],
) -> float:
    """Draw the subnets of the load balancer with all that stands in them; return the bottom."""
    subnets = network.of_use("load-balancer")
    y = subnet_rows(scene, top + PAD, subnets)
    start = y
    for balancer in balancers:
        box = _balancer(scene, y + PAD, balancer)
        scene.boxes.setdefault("balancer", box)
        y = box.bottom
    if network.interface_endpoints:
        box = _endpoints(scene, y + PAD, network.interface_endpoints)
        scene.boxes["endpoints"] = box
        y = box.bottom
    for database in databases:
        box = _database(scene, y + PAD, database)
        scene.boxes.setdefault("database", box)
        y = box.bottom
    if not subnets and y == start:
        return top
    tier_frame(scene, top, y + PAD, "load-balancer")
    return y + PAD


def _balancer(scene: Scene, y: float, balancer: LoadBalancer) -> Box:
    place = scene.page.across(y, 0)
    name = f"{'Internal' if balancer.internal else 'Public'} load balancer {balancer.name}"
    left, room = place.x + PAD + 24, place.width - 2 * PAD - 24
    below = y + 32
    if balancer.hostnames:
        below = chips(scene.canvas, balancer.hostnames, Box(left, below, room, CHIP), "plain") + 8
    for route in balancer.routes:
        scene.canvas.add(
            fitted(left, below + 10, route.text, "small", room=room * 0.5 - 8),
            fitted(left + room * 0.5, below + 10, f"→ {route.detail}", "code", room=room * 0.5),
            of=route.of,
        )
        below += LINE + 2
    box = Box(place.x, y, place.width, below + 6 - y)
    scene.canvas.add(rect(box, "ctl", radius=6), of=balancer.of, layer=Layer.GROUPS)
    scene.canvas.add(*titled(box.x + PAD, y + 21, "balancer", name, "ctl", room=box.width - 24))
    return box


def _endpoints(scene: Scene, y: float, endpoints: tuple[Fact, ...]) -> Box:
    place = scene.page.across(y, 0)
    bottom = chips(scene.canvas, endpoints, Box(place.x + PAD, y + 32, place.width - 24, CHIP), "plain") + PAD
    box = Box(place.x, y, place.width, bottom - y)
    scene.canvas.add(rect(box, "net", radius=6), layer=Layer.GROUPS)
    title = f"{counted(len(endpoints), 'interface endpoint')} to AWS services"
    scene.canvas.add(*titled(box.x + PAD, y + 21, "endpoint", title, "net", room=box.width - 24))
    return box


def _database(scene: Scene, y: float, database: Database) -> Box:
    place = scene.page.across(y, 0)
    last = sentence(scene.canvas, database.facts, (place.x + PAD + 24, y + 39), place.width - 2 * PAD - 24)
    box = place._replace(height=last - y + 11)
    right = box.right - PAD
    for number, instance in reversed(list(enumerate(database.instances, start=1))):
        shape, left = pill(right, y + 17, f"{instance.text} {number}", "data")
        scene.canvas.add(shape, of=instance.of)
        right = left - 6
    name = f"{database.engine} {database.name}"
    scene.canvas.add(rect(box, "data", radius=6), of=database.of, layer=Layer.GROUPS)
    scene.canvas.add(
        *titled(box.x + PAD, y + 21, "database", name, "data", room=right - box.x - PAD - 8), of=database.of
    )
    return box


def control_tier(scene: Scene, top: float, network: Network, clusters: Iterable[Cluster]) -> float:
    """Draw the control planes' subnets with the clusters; return the bottom."""
    subnets = network.of_use("control-plane")
    y = start = subnet_rows(scene, top + PAD, subnets)
    for cluster in clusters:
        box = _cluster(scene, y + PAD, cluster)
        scene.boxes[cluster.key] = box
        y = box.bottom
    if not subnets and y == start:
        return top
    tier_frame(scene, top, y + PAD, "control-plane")
    return y + PAD


def _cluster(scene: Scene, y: float, cluster: Cluster) -> Box:
    place = scene.page.across(y, 0)
    last = sentence(scene.canvas, cluster.facts, (place.x + PAD + 24, y + 39), place.width - 2 * PAD - 24)
    box = place._replace(height=last - y + 11)
    scene.canvas.add(rect(box, "ctl", radius=6), of=cluster.of, layer=Layer.GROUPS)
    shape, left = pill(box.right - PAD, y + 17, f"Kubernetes {cluster.version}", "ctl")
    title = f"EKS cluster {cluster.name}"
    scene.canvas.add(
        *titled(box.x + PAD, y + 21, "cluster", title, "ctl", room=left - box.x - 24), shape, of=cluster.of
    )
    return box


def other_tier(scene: Scene, top: float, network: Network) -> float:
    """Draw the subnets of no purpose that is known; return the bottom, `top` itself when there are none."""
    subnets = network.of_use("other")
    if not subnets:
        return top
    y = subnet_rows(scene, top + PAD, subnets)
    tier_frame(scene, top, y + PAD, "other")
    return y + PAD


def gateway_badge(scene: Scene, box: Box, fact: Fact, picture: str) -> None:
    """Draw what stands on the VPC's border."""
    scene.canvas.add(
        rect(box, "net", radius=box.height / 2),
        icon(picture, box.x + 12, box.middle - 8, "net"),
        fitted(box.x + 36, box.middle + 4, fact.text, "name net-ink", room=box.width - 48),
        of=fact.of,
        tip=fact.tip,
    )
