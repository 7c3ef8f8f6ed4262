"""Which cluster a job goes to: hard filters, then a score, then a choice that stays the same for the same name.

The result explains itself: for every cluster each filter that refuses, with its reason, and the parts of its score.
`archer route --explain` prints what admission decides by.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from archer.cluster_config import ClusterView, PoolView, TeamView
from archer.scheduling.amounts import NOTHING, Amount, Ledger
from archer.scheduling.ask import Ask, Pod
from archer.scheduling.breaker import Circuit
from archer.scheduling.limits import MAX_UNACKNOWLEDGED
from archer.scheduling.queue_tree import MIB_PER_GIB
from archer.spark_application.places import usable_mib
from archer.store.interface import Mode

WEIGHTS: Final = {
    "capacity": 0.5,
    # where there is room a job starts at once: this decides how long people wait
    "pending": 0.25,
    # what isn't up yet will take room that usage doesn't show, and shows an operator that falls behind
    "weight": 0.15,
    # what the environment prefers, among clusters that are about as free
    "latency": 0.1,
    # a slow API server is the first sign of trouble, but rarely trouble by itself
}
"""Parts of the score, each from 0 to 1; together 1."""

TIE: Final = 0.05
"""Scores that differ by less are equal: a job's runs then go to the same cluster, where its images and data are warm."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A cluster as routing sees it just now."""

    name: str
    view: ClusterView | None = None
    """Its part of the environment; None on a server that knows none."""
    capacity: int | None = None
    """Attempts that may exist at once; None: no bound of its own."""
    weight: float = 1.0
    """How much the environment prefers it, relative to the others."""
    images: Mapping[str, Collection[str]] | None = None
    """Architectures that the platform's image of a whole Spark version has; None: nobody has said."""
    queues: frozenset[str] | None = None
    """Leaves that it has; None: all."""
    mode: Mode = Mode.OPEN
    mode_reason: str = ""
    healthy: bool = True
    health_reason: str = ""
    circuit: Circuit = Circuit.CLOSED
    create_seconds: float | None = None
    """Median of the latest creates; None: not known."""
    tokens: int | None = None
    """Creates that its pace allows now; None: it has none."""
    per_minute: float = 0
    """That pace."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A filter that keeps the job out of a cluster."""

    filter: str
    reason: str
    passing: bool
    """Whether waiting may help."""
    common: bool = False
    """Whether it keeps every other job out as well."""


LimitCheck = Callable[[Target], Sequence[Refusal]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a score."""

    name: str
    value: float
    """0 to 1; more is better."""
    weight: float
    why: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What routing thinks of one cluster."""

    cluster: str
    refusals: Sequence[Refusal]
    """Empty: the job may go there."""
    parts: Sequence[Part]

    @property
    def score(self) -> float:
        return sum(part.value * part.weight for part in self.parts)


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where the job goes, and why."""

    choice: str | None
    """None: nowhere just now."""
    why: str
    """A sentence about the choice, or about what it waits for."""
    verdicts: Sequence[Verdict]
    passing: bool = True
    """Without a choice: whether waiting may help."""
    common: bool = False
    """Without a choice: whether no other job can start anywhere either."""


def route(
    ask: Ask, targets: Sequence[Target], ledger: Ledger, *, team: TeamView | None, refusals_of: LimitCheck
) -> Route:
    """Judge every cluster. `refusals_of` gives the limits that hold the job back in a cluster, one sentence each."""
    heaviest = max((target.weight for target in targets), default=1.0) or 1.0
    verdicts = [
        Verdict(
            cluster=target.name,
            refusals=[*_filters(ask, target, team), *refusals_of(target)],
            parts=_parts(target, ledger, ask, team, heaviest),
        )
        for target in targets
    ]
    able = [verdict for verdict in verdicts if not verdict.refusals]
    if able:
        return _chosen(ask, able, verdicts)
    return _nowhere(ask, verdicts, [target.name for target in targets])


def _filters(ask: Ask, target: Target, team: TeamView | None) -> list[Refusal]:
    return [*_for_good(ask, target, team), *_for_now(target)]


def _for_good(ask: Ask, target: Target, team: TeamView | None) -> Iterator[Refusal]:
    """What waiting doesn't change."""

    def refusal(kind: str, reason: str) -> Refusal:
        return Refusal(filter=kind, reason=reason, passing=False)

    name = f"cluster {target.name}"
    if ask.cluster not in {None, target.name}:
        yield refusal("named", f"the job asks for cluster {ask.cluster}")
    if target.weight == 0 and ask.cluster is None:
        yield refusal("weight", f"{name} takes only jobs that ask for it: its weight is 0")
    if team is not None and target.view is not None and target.name not in team.clusters:
        yield refusal("team", f"team {team.name} may not use {name}, but {', '.join(team.clusters)}")
    if target.queues is not None and ask.queue not in target.queues:
        yield refusal("queue", f"{name} has no queue {ask.queue}")
    if target.view is None:
        return
    if ask.celeborn and target.view.celeborn is None:
        yield refusal("shuffle", f"{name} has no Celeborn")
    architectures = _architectures(ask, target)
    if not architectures:
        what = f"Spark {ask.spark_version or 'of the platform'}"
        what = what if ask.architecture is None else f"{what} for {ask.architecture}"
        known = ", ".join(target.images or ()) or "none"
        yield refusal("spark-version", f"there is no image with {what}; there are images with {known}")
        return
    able = [architecture for architecture in architectures if _misfit(ask, target.view, architecture) is None]
    if not able:
        yield refusal("pool", str(_misfit(ask, target.view, architectures[0])))


def _for_now(target: Target) -> Iterator[Refusal]:
    """What may pass. What keeps all jobs out is common."""

    def refusal(kind: str, reason: str) -> Refusal:
        return Refusal(filter=kind, reason=reason, passing=True, common=True)

    if target.mode is not Mode.OPEN:
        yield refusal("switch", target.mode_reason)
    if target.circuit is Circuit.OPEN or not target.healthy:
        why = f": {target.health_reason}" if target.health_reason else ""
        yield refusal("health", f"cluster {target.name} doesn't answer{why}")
    if target.tokens is not None and target.tokens < 1:
        pace = f"{target.per_minute:g} a minute"
        yield refusal("pace", f"cluster {target.name} takes new applications at its pace, {pace}")


_ARCHITECTURES: Final = ("arm64", "amd64")
"""The cheaper nodes first."""


def _architectures(ask: Ask, target: Target) -> list[str]:
    """What the job can run on, as far as its Spark decides."""
    wanted = [name for name in _ARCHITECTURES if ask.architecture in {None, name}]
    if ask.own_image or not target.images:
        return wanted
    version = ask.spark_version
    for known, architectures in target.images.items():
        if version is None or known == version or known.startswith(f"{version}."):
            return [name for name in wanted if name in architectures]
    return []


def _misfit(ask: Ask, view: ClusterView, architecture: str) -> str | None:
    """Why the cluster's nodes of that architecture can't hold the job; None when they can."""
    return _unfit(view, "driver", ask.driver, architecture, None) or _unfit(
        view, "executor", ask.executor, architecture, ask.capacity
    )


def _unfit(view: ClusterView, role: str, pod: Pod, architecture: str, capacity: str | None) -> str | None:
    """Why no node for this role can hold the pod; None when one can."""
    pools = [
        pool
        for pool in view.pools
        if pool.role == role and pool.architecture == architecture and capacity in {None, pool.capacity}
    ]
    if not pools:
        kind = "" if capacity is None else f"{capacity.replace('_', '-')} "
        return f"cluster {view.name} has no {kind}{role} nodes of architecture {architecture}"
    if any(_holds(pool, pod) for pool in pools):
        return None
    largest = max(pools, key=lambda pool: (pool.node_memory_mib, pool.node_vcpu))
    return (
        f"no {role} node of cluster {view.name} holds {pod.cores} vcores and {pod.memory_mib / MIB_PER_GIB:.1f} GiB; "
        f"the largest has {largest.node_vcpu} and {largest.node_memory_mib / MIB_PER_GIB:.0f}, less what the system keeps"
    )


def _holds(pool: PoolView, pod: Pod) -> bool:
    # cores: the system takes a fraction of one, and Spark asks for whole ones
    return pod.cores < pool.node_vcpu and pod.memory_mib <= usable_mib(pool)


def _parts(target: Target, ledger: Ledger, ask: Ask, team: TeamView | None, heaviest: float) -> list[Part]:
    free, why_free = _free(target, ledger, ask, team)
    pending = ledger.unacknowledged.get(target.name, 0)
    seconds = target.create_seconds
    values = {
        "capacity": (free, why_free),
        "pending": (max(0.0, 1 - pending / MAX_UNACKNOWLEDGED), f"{pending} applications are not up yet"),
        "weight": (target.weight / heaviest, f"weight {target.weight:g}"),
        "latency": (
            (1.0, "no creates measured lately")
            if seconds is None
            else (1 / (1 + seconds), f"a create takes {seconds:.2f} s")
        ),
    }
    return [Part(name=name, value=value, weight=WEIGHTS[name], why=why) for name, (value, why) in values.items()]


def _free(target: Target, ledger: Ledger, ask: Ask, team: TeamView | None) -> tuple[float, str]:
    """The part that is free of what the job's team may hold there and of what the nodes can, whichever is less."""
    held = ledger.clusters.get(target.name, NOTHING)
    if target.capacity is not None:
        return _part(held.jobs, target.capacity), f"{held.jobs} of {target.capacity} slots are taken"
    if target.view is None:
        return 1.0, "no bound is known"
    nodes = Amount(
        vcores=sum(pool.node_vcpu * pool.max_nodes for pool in target.view.pools),
        memory_mib=sum(pool.node_memory_mib * pool.max_nodes for pool in target.view.pools),
    )
    free, why = _least(held, nodes), f"jobs hold {held.vcores} of {nodes.vcores} vcores of its nodes"
    if team is not None and ask.namespace is not None:
        own = ledger.namespaces.get((target.name, ask.namespace), NOTHING)
        quota = Amount(vcores=team.quota.vcores, memory_mib=team.quota.memory_gib * MIB_PER_GIB)
        if _least(own, quota) < free:
            free, why = _least(own, quota), f"team {team.name} holds {own.vcores} of {quota.vcores} vcores"
    return free, why


def _least(held: Amount, whole: Amount) -> float:
    return min(_part(held.vcores, whole.vcores), _part(held.memory_mib, whole.memory_mib))


def _part(held: int, whole: int) -> float:
    return max(0.0, 1 - held / whole) if whole else 0.0


def _chosen(ask: Ask, able: Sequence[Verdict], verdicts: Sequence[Verdict]) -> Route:
    best = max(verdict.score for verdict in able)
    near = [verdict for verdict in able if verdict.score > best - TIE]
    choice = max(near, key=lambda verdict: (_affinity(ask.name, verdict.cluster), verdict.cluster))
    if len(able) == 1:
        why = f"cluster {choice.cluster} alone may take it"
    elif len(near) == 1:
        why = f"cluster {choice.cluster} has the best score, {choice.score:.2f}"
    else:
        names = ", ".join(sorted(verdict.cluster for verdict in near))
        why = f"{names} are about equal, and jobs named {ask.name} go to {choice.cluster}"
    return Route(choice=choice.cluster, why=why, verdicts=verdicts)


def _affinity(name: str, cluster: str) -> bytes:
    """Highest wins (rendezvous hashing): a cluster that comes or goes moves no job between the others."""
    return hashlib.sha256(f"{name}\n{cluster}".encode()).digest()


def _nowhere(ask: Ask, verdicts: Sequence[Verdict], names: Sequence[str]) -> Route:
    if ask.cluster is not None and ask.cluster not in names:
        known = ", ".join(names)
        why = f"the job asks for cluster {ask.cluster}, which this server doesn't know; it knows {known}"
        return Route(choice=None, why=why, verdicts=verdicts, passing=False)
    # a cluster that is open to the job but for something that passes says most about what it waits for
    waits = [verdict for verdict in verdicts if all(refusal.passing for refusal in verdict.refusals)]
    told = waits or [verdict for verdict in verdicts if verdict.cluster == ask.cluster] or verdicts
    reasons = [next(r for r in verdict.refusals if r.passing is bool(waits)).reason for verdict in told]
    common = bool(waits) and all(any(refusal.common for refusal in verdict.refusals) for verdict in verdicts)
    return Route(
        choice=None,
        why="; ".join(dict.fromkeys(reasons)) or "there is no cluster",
        verdicts=verdicts,
        passing=bool(waits),
        common=common,
    )
