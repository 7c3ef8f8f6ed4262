"""Profiles against the nodes and teams that exist: a profile that nothing can run would be refused job by job, at Archer's door.

Whoever names the profile would hear of it then; whoever writes the file hears of it here.
"""

from collections.abc import Callable, Sequence
from typing import Final

from environments.checks.places import (
    JOB_ROLES,
    OVERHEAD,
    USABLE,
    Place,
    image_architectures,
    nodes_of,
    places_of,
    pod_size,
)
from environments.clusters import Cluster, PoolRole
from environments.instances import InstanceType, instance_types
from environments.model import Environment
from environments.names import team_workload
from environments.problems import MISSING, Finding, Findings, Path, Words, listed
from environments.service import Profile
from environments.tenancy import Team


def fits_a_node(environment: Environment, at: Path, profile: Profile) -> Findings:
    """A driver or executor that no node can hold would wait forever."""
    for role in JOB_ROLES:
        size = profile.driver if role == "driver" else profile.executor
        nodes = [node for cluster in environment.clusters for node in nodes_of(cluster, role)]
        if size is not None and nodes and not any(pod_size(size).fits(node) for node in nodes):
            yield _too_large(at, profile, role, nodes)


def runs_somewhere(environment: Environment, at: Path, profile: Profile) -> Findings:
    """One cluster and one of its teams with everything that the profile's jobs need."""
    if _others_report(environment) or any(fits_a_node(environment, at, profile)):
        return
    left = list(places_of(environment, profile))
    for suits, told in STEPS:
        kept = [place for place in left if suits(place)]
        if not kept:
            yield from told(at, profile, left)
            return
        left = kept


def runs_on(environment: Environment, profile: Profile, cluster: Cluster, team: Team) -> bool:
    """Whether the team's jobs of the profile can run on the cluster."""
    return any(
        all(suits(place) for suits, _ in STEPS)
        for place in places_of(environment, profile)
        if place.cluster is cluster and place.team is team
    )


def _others_report(environment: Environment) -> bool:
    """Whether other checks refuse what would make this one's answer a consequence: pools and teams must be sound first."""
    pools = [pool for cluster in environment.clusters for pool in cluster.pools if pool.role in JOB_ROLES]
    known = {cluster.name for cluster in environment.clusters}
    return (
        any(pool.instance_types[0] not in instance_types() for pool in pools)
        or any(not nodes_of(cluster, role) for cluster in environment.clusters for role in JOB_ROLES)
        or any(name not in known for team in environment.teams for name in team.clusters or ())
    )


def _has_nodes(place: Place) -> bool:
    """Driver and executors share one architecture, which must be the image's."""
    built = image_architectures(place.environment, place.profile)
    return place.architecture in built and all(place.nodes(role) for role in JOB_ROLES)


def _no_nodes(at: Path, profile: Profile, places: Sequence[Place]) -> Findings:
    environment = places[0].environment
    built = image_architectures(environment, profile)
    has = {
        cluster.name: [listed(node.architecture for node in nodes_of(cluster, role)) for role in JOB_ROLES]
        for cluster in environment.clusters
    }
    pools = "; ".join(
        f"{name} has drivers on {driver}, executors on {executor}" for name, (driver, executor) in has.items()
    )
    # the nearest: what has the most of the image's nodes already
    near = max(
        places, key=lambda place: (place.architecture in built, sum(bool(place.nodes(role)) for role in JOB_ROLES))
    )
    wanted = near.architecture if near.architecture in built else built[0]
    lacking = [role for role in JOB_ROLES if wanted not in {node.architecture for node in nodes_of(near.cluster, role)}]
    otherwise = ", or take another version" if any(all(map(place.nodes, JOB_ROLES)) for place in places) else ""
    yield Finding(
        path=(*at, "spark_version"),
        value=profile.spark_version or MISSING,
        allowed=f"a version whose image ({listed(built)}) one cluster has nodes for, drivers and executors alike: {pools}",
        fix=f"add a pool of role {' and one of role '.join(lacking)} with {wanted} types to cluster {near.cluster.name}{otherwise}",
    )


def _has_room(place: Place) -> bool:
    return all(place.holds(role) for role in JOB_ROLES)


def _no_room(at: Path, profile: Profile, places: Sequence[Place]) -> Findings:
    small = [role for role in JOB_ROLES if not any(place.holds(role) for place in places)]
    for role in small:
        nodes = [node for place in places for node in place.nodes(role)]
        where = f" of {listed(place.architecture for place in places)}"
        yield _too_large(at, profile, role, nodes, where=where, off_heap_mib=_off_heap_mib(places, role))
    if not small:
        fits = {role: listed(_named(place) for place in places if place.holds(role)) for role in JOB_ROLES}
        yield Finding(
            path=(*at, "executor"),
            value=_words(profile, "executor"),
            allowed=f"a size that the driver's cluster and architecture have nodes for: the driver fits "
            f"{fits['driver']}, the executors {fits['executor']}",
            fix="lower one of the two, or add a pool with larger types",
        )


def _named(place: Place) -> str:
    return f"{place.cluster.name} ({place.architecture})"


def _has_team(place: Place) -> bool:
    return place.team is not None


def _no_team(at: Path, profile: Profile, places: Sequence[Place]) -> Findings:
    clusters = list(dict.fromkeys(place.cluster.name for place in places))
    yield Finding(
        path=(*at, "name"),
        value=profile.name,
        allowed=f"a profile that some team can use: its nodes are on {listed(clusters)}, where no team may run jobs",
        fix=f"add {clusters[0]} to the clusters of a team, or give another cluster such pools",
    )


def _has_credentials(place: Place) -> bool:
    """The AWS SDK of Spark 3 knows no Pod Identity."""
    version = place.profile.spark_version
    return place.identity() != "pod_identity" or version is None or int(version.split(".")[0]) >= 4


def _no_credentials(at: Path, profile: Profile, places: Sequence[Place]) -> Findings:
    teams = [place.team for place in places if place.team is not None]
    yield Finding(
        path=(*at, "spark_version"),
        value=profile.spark_version,
        allowed=f"4.0.0 or newer: {listed(team.name for team in teams)} have EKS Pod Identity, which the AWS SDK of 3.x lacks",
        fix=f"use Spark 4, or give a team IRSA: identity.overrides: {{{team_workload(teams[0])}: irsa}}",
    )


def _within_quota(place: Place) -> bool:
    if place.team is None:
        return False
    quota = place.team.quota
    return place.vcores <= quota.vcores and place.memory_mib <= quota.memory_gib * 1024


def _no_quota(at: Path, profile: Profile, places: Sequence[Place]) -> Findings:
    place = max(places, key=_most_executors)
    assert place.team is not None
    quota, most = place.team.quota, _most_executors(place)
    gib = -(-place.memory_mib // 1024)
    counted = profile.executor is not None and profile.executor.instances is not None
    yield Finding(
        path=(*at, "executor", "instances") if counted else (*at, "executor"),
        value=Words(
            f"{place.vcores} vCPU and {gib} GiB for the driver and {place.executors} executor{'s' if place.executors > 1 else ''}"
        ),
        allowed=f"within the quota of a team that has nodes for it, {place.team.name} the nearest: "
        f"{quota.vcores} vcores and {quota.memory_gib} GiB",
        fix=f"lower executor.instances to {most}, or raise that quota"
        if most > 0
        else "lower the sizes, or raise that quota",
    )


def _most_executors(place: Place) -> int:
    assert place.team is not None
    quota = place.team.quota
    return min(
        (quota.vcores - place.driver.cores) // place.executor.cores,
        (quota.memory_gib * 1024 - place.driver.memory_mib) // place.executor.memory_mib,
    )


def _off_heap_mib(places: Sequence[Place], role: PoolRole) -> int:
    """The least that any of the places adds to the executors' own memory."""
    if role == "driver":
        return 0
    return min(place.executor.memory_mib - pod_size(place.profile.executor).memory_mib for place in places)


def _too_large(
    at: Path, profile: Profile, role: PoolRole, nodes: Sequence[InstanceType], *, where: str = "", off_heap_mib: int = 0
) -> Finding:
    largest = max(nodes, key=lambda node: (node.memory_mib, node.vcpu))
    room = int((largest.memory_mib * USABLE - off_heap_mib) / (1 + OVERHEAD) / 1024)
    beside = f" beside {off_heap_mib} MiB off the heap" if off_heap_mib else ""
    return Finding(
        path=(*at, role),
        value=_words(profile, role),
        allowed=f"at most {largest.vcpu - 1} cores and about {max(room, 0)}g{beside}, so that it fits the largest {role} node{where}, "
        f"{largest.name}",
        fix=f"lower it, or add a pool of role {role} with larger types{where}",
    )


def _words(profile: Profile, role: PoolRole) -> object:
    size = profile.driver if role == "driver" else profile.executor
    return MISSING if size is None else Words(f"{size.cores} cores, {size.memory}")


Step = tuple[Callable[[Place], bool], Callable[[Path, Profile, Sequence[Place]], Findings]]
STEPS: Final[tuple[Step, ...]] = (
    (_has_nodes, _no_nodes),
    (_has_room, _no_room),
    (_has_team, _no_team),
    (_has_credentials, _no_credentials),
    (_within_quota, _no_quota),
)
"""What a place must have, and what is told when no place is left that has it."""
