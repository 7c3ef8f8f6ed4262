"""The tier of nodes and pods: its subnets, and per cluster the pods with a role of their own and the node groups by pool and zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moka.architecture.drawing.canvas import BETWEEN, Layer, pill, sentence, titled
from moka.architecture.drawing.tiers import PAD, subnet_rows, tier_frame
from moka.architecture.facts import Fact, counted
from moka.architecture.flows import ARCHER
from moka.svg import Box, fitted, label, rect, text_width, wrapped

if TYPE_CHECKING:
    from moka.architecture.clusters import Cluster, NodeGroup, Workload
    from moka.architecture.drawing.page import Scene
    from moka.architecture.network import Network

_HEADER: Final = 34
_ARCHER: Final = 32
_LINE: Final = 15
"""Height of a line of instance types."""


def nodes_tier(scene: Scene, top: float, network: Network, clusters: tuple[Cluster, ...]) -> float:
    """Draw the tier; return the bottom, `top` itself when there is nothing in it."""
    subnets = network.of_use("nodes")
    y = subnet_rows(scene, top + PAD, subnets)
    if not subnets and not clusters:
        return top
    for cluster in clusters:
        y = _cluster(scene, max(y, top + 36) + PAD, cluster)
    scene.boxes["nodes"] = tier_frame(scene, top, y + PAD, "nodes")
    return y + PAD


def _cluster(scene: Scene, top: float, cluster: Cluster) -> float:
    x, width = scene.page.tier[0] + PAD, scene.page.tier[1] - 2 * PAD
    y = top + _HEADER
    archer = [workload for workload in cluster.workloads if workload.account == ARCHER]
    for workload in archer:
        box = Box(x + PAD, y, sum(scene.page.columns) - x - PAD, _ARCHER)
        _archer(scene, box, workload)
        scene.boxes.setdefault("archer", box)
        y = box.bottom + 8
    others = [_chip(workload) for workload in cluster.workloads if workload not in archer]
    if others:
        _named(scene, y, "Pods with roles", "service accounts")
        place = scene.page.across(y, 0)
        y = max(sentence(scene.canvas, others, (place.x + 10, y + 18), place.width - 20, "code"), y + 34) + 12
    for pool in cluster.pools:
        y = _pool(scene, y, [group for group in cluster.node_groups if group.pool == pool]) + 6
    frame = Box(x, top, width, y - 6 + PAD - top)
    scene.canvas.add(rect(frame, "run", radius=7), layer=Layer.GROUPS)
    most = sum(group.max_nodes for group in cluster.node_groups)
    total = f"{counted(len(cluster.node_groups), 'node group')}, up to {counted(most, 'node')}"
    room = frame.width - 24 - text_width(total, "small") - PAD
    scene.canvas.add(
        *titled(x + PAD, top + 22, "node", cluster.name, "run", room=room),
        label(frame.right - PAD, top + 21, total, "small dim end"),
        of=cluster.of,
    )
    return frame.bottom


def _named(scene: Scene, y: float, name: str, *details: str) -> None:
    left, room = scene.page.gutter
    scene.canvas.add(
        fitted(left, y + 18, name, "name", room=room),
        *(fitted(left, y + 34 + row * _LINE, detail, "small dim", room=room) for row, detail in enumerate(details)),
    )


def _archer(scene: Scene, box: Box, workload: Workload) -> None:
    detail = f"{workload.namespace}/{workload.account} as {workload.role}, by {workload.mechanism}"
    room = box.width - 120
    scene.canvas.add(
        rect(box, "ctl", radius=6),
        *titled(box.x + 10, box.middle + 4, "archer", "Archer", "ctl", room=100),
        fitted(box.right - PAD, box.middle + 4, detail, "small dim end", room=room),
        of=workload.of,
    )


def _chip(workload: Workload) -> Fact:
    return Fact(
        of=workload.of,
        text=f"{workload.namespace}/{workload.account}",
        tip=f"role {workload.role}, by {workload.mechanism}",
    )


def _pool(scene: Scene, y: float, groups: list[NodeGroup]) -> float:
    room = scene.page.column(scene.page.zones[0], 0, 0).width - 20
    first = groups[0]
    details = wrapped(filter(None, (_machine(first.ami), first.volume)), scene.page.gutter[1], "small", between=BETWEEN)
    lines = max(len(details), *(len(_types(group, room)) for group in groups))
    height = 24 + _LINE * lines + 3
    # the resources stand behind the groups' own boxes; the name is the pool's, which no resource is
    _named(scene, y, first.pool, *details)
    for group in groups:
        if group.zone in scene.page.zones:
            _group(scene, scene.page.column(group.zone, y, height), group)
    return y + height


def _group(scene: Scene, box: Box, group: NodeGroup) -> None:
    shape, left = pill(
        box.right - 8, box.y + 14, "spot" if group.spot else "on demand", "data" if group.spot else "run"
    )
    nodes = f"{group.min_nodes} to {group.max_nodes} nodes"
    tip = f"{', '.join(group.instance_types)}; {group.ami}; {group.volume or 'no launch template'}"
    scene.canvas.add(
        rect(box, "plain", radius=5),
        fitted(box.x + 10, box.y + 18, nodes, "name", room=left - box.x - 14),
        shape,
        *(
            fitted(box.x + 10, box.y + 34 + number * _LINE, line, "code", room=box.width - 20)
            for number, line in enumerate(_types(group, box.width - 20))
        ),
        of=group.of,
        tip=tip,
    )


def _types(group: NodeGroup, room: float) -> list[str]:
    """Return the instance types, in lines: `r8gd r7gd 4xlarge` when all are of one size."""
    parts = [each.partition(".") for each in group.instance_types]
    sizes = {size for _, _, size in parts}
    if len(parts) > 1 and len(sizes) == 1:
        return wrapped([*(family for family, _, _ in parts), *sizes], room, "code")
    return wrapped(group.instance_types, room, "code") or ["instance type by launch template"]


def _machine(ami: str) -> str:
    """Return `arm64` for AL2023_ARM_64_STANDARD."""
    known = {"ARM_64": "arm64", "x86_64": "x86-64"}
    processor = next((name for mark, name in known.items() if mark in ami), ami)
    return f"Bottlerocket {processor}" if ami.startswith("BOTTLEROCKET") else processor
