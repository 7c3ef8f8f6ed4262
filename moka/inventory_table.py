"""The inventory as three tables for people: stacks, node groups, manifests.

Kinds that everything shares (`AWS::`) and zones that differ only in their last letter are written shorter; nothing is left out.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from moka.inventory import EnvironmentInventory, NodeGroup


def inventory_tables(environments: Sequence[EnvironmentInventory]) -> RenderableType:
    """What the environments would deploy."""
    parts: list[RenderableType] = [_stacks(environments), Text(), _node_groups(environments)]
    if any(environment.manifests for environment in environments):
        parts += [Text(), _manifests(environments)]
    return Group(*parts)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        numeric = column in {"resources", "groups", "nodes", "files", "objects"}
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    return table


def _stacks(environments: Sequence[EnvironmentInventory]) -> Table:
    table = _table("Stacks", "environment", "stack", "resources", "by kind")
    for environment in environments:
        target = f"{environment.name} ({environment.account}, {environment.region})"
        for position, stack in enumerate(environment.stacks):
            kinds = {kind.removeprefix("AWS::"): count for kind, count in stack.kinds.items()}
            table.add_row(target if position == 0 else "", stack.name, str(stack.resources), _counts(kinds))
        total = sum(stack.resources for stack in environment.stacks)
        table.add_row("", f"{len(environment.stacks)} stacks", str(total), "", style="bold", end_section=True)
    return table


def _node_groups(environments: Sequence[EnvironmentInventory]) -> Table:
    table = _table(
        "Node groups",
        "environment",
        "cluster",
        "pool",
        "role",
        "capacity",
        "instance types",
        "groups",
        "zones",
        "nodes",
    )
    for environment in environments:
        name = environment.name
        for pool in _pools(environment.node_groups):
            first = pool[0]
            table.add_row(
                name,
                first.stack.removeprefix("cluster-"),
                first.pool,
                first.role,
                first.capacity.lower().replace("_", "-"),
                ", ".join(first.instance_types),
                str(len(pool)),
                _zones([group.zone for group in pool]),
                f"{sum(group.min_nodes for group in pool)} to {sum(group.max_nodes for group in pool)}",
            )
            name = ""
    return table


def _manifests(environments: Sequence[EnvironmentInventory]) -> Table:
    table = _table("Kubernetes manifests", "environment", "cluster", "files", "objects", "by kind")
    for environment in environments:
        name = environment.name
        for cluster in environment.manifests:
            table.add_row(name, cluster.cluster, str(cluster.files), str(cluster.objects), _counts(cluster.kinds))
            name = ""
    return table


def _pools(groups: Sequence[NodeGroup]) -> list[list[NodeGroup]]:
    """Groups that differ only in zone, together."""

    def shared(group: NodeGroup) -> tuple[str, str, str, str, tuple[str, ...]]:
        return group.stack, group.pool, group.role, group.capacity, group.instance_types

    return [list(pool) for _, pool in groupby(sorted(groups, key=shared), key=shared)]


def _zones(zones: Sequence[str]) -> str:
    """`us-east-1a, us-east-1b` -> `us-east-1a, b`."""
    names = sorted(zones)
    return ", ".join([names[0], *(zone[-1] if zone[:-1] == names[0][:-1] else zone for zone in names[1:])])


def _counts(kinds: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())
