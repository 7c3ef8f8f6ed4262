"""Where a pod may run: a node selector and tolerations made from the pools that the cluster has.

A selector typed by hand can name a pool that somebody renames later, and the pod then waits for ever; one made here
cannot. Only the labels and taints that Moka itself puts on nodes are used, plus the pools' own extra taints.
"""

from dataclasses import dataclass, field
from typing import Any

from environments.clusters import Cluster, Pool, PoolRole
from k8s_manifests.errors import ChartError
from k8s_manifests.labels import NODE_CAPACITY, NODE_POOL, NODE_ROLE


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What goes into a pod's spec so that it lands on a pool."""

    node_selector: dict[str, str]
    tolerations: tuple[dict[str, str], ...] = field(default=())
    roles: tuple[PoolRole, ...] = ()
    """Roles of the pools, where a selector cannot name them all."""


def node_labels(pool: Pool) -> dict[str, str]:
    """Return the labels that every node of `pool` carries, the pool's extra ones included."""
    return {NODE_POOL: pool.name, NODE_ROLE: pool.role, NODE_CAPACITY: pool.capacity, **pool.labels}


def node_taints(pool: Pool) -> tuple[dict[str, str], ...]:
    """Return the taints that every node of `pool` carries, as {"key", "value", "effect"}."""
    own = () if pool.role == "system" else ({"key": NODE_ROLE, "value": pool.role, "effect": "NoSchedule"},)
    return own + tuple({"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in pool.taints)


def on_role(cluster: Cluster, role: PoolRole) -> Placement:
    """Return the placement on any pool of `role`, with every taint of those pools tolerated.

    Raises ChartError when the cluster has no such pool: the pods would never be scheduled.
    """
    pools = [pool for pool in cluster.pools if pool.role == role]
    if not pools:
        allowed = ", ".join(sorted({pool.role for pool in cluster.pools}))
        raise ChartError(
            f"cluster {cluster.name}", f"has no pool of role {role!r} (it has {allowed}); add one to `pools`"
        )
    return Placement(node_selector={NODE_ROLE: role}, tolerations=_tolerations(pools))


def on_every_node_of(cluster: Cluster, *roles: PoolRole) -> Placement:
    """Return the placement of one pod per node of all pools of `roles`, with every taint of those pools tolerated."""
    pools = [pool for pool in cluster.pools if pool.role in roles]
    return Placement(node_selector={}, tolerations=_tolerations(pools), roles=roles)


def _tolerations(pools: list[Pool]) -> tuple[dict[str, str], ...]:
    """Return the tolerations of these pools' taints, each once."""
    taints = {tuple(taint.values()): taint for pool in pools for taint in node_taints(pool)}
    return tuple(map(as_toleration, taints.values()))


def as_toleration(taint: dict[str, str]) -> dict[str, str]:
    """Return the toleration of exactly that taint."""
    return {"key": taint["key"], "operator": "Equal", "value": taint["value"], "effect": taint["effect"]}


def as_pod_fields(placement: Placement) -> dict[str, Any]:
    """Return the fields of a pod's spec."""
    fields: dict[str, Any] = {}
    if placement.node_selector:
        fields["nodeSelector"] = dict(placement.node_selector)
    if placement.roles:
        expression = {"key": NODE_ROLE, "operator": "In", "values": list(placement.roles)}
        terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
        fields["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    if placement.tolerations:
        fields["tolerations"] = [dict(toleration) for toleration in placement.tolerations]
    return fields
