"""What the pools of a cluster must be together, and what they owe to the region's table."""

from environments.checks.clusters import twice
from environments.clusters import Cluster
from environments.instances import instance_types, regions, table_date, zone_ids, zone_ids_without_eks
from environments.model import Environment
from environments.problems import Finding, Findings, Path, choose, listed


def unique_pools(_: Environment, at: Path, cluster: Cluster) -> Findings:
    """Pool names given twice, or one that continues another: the autoscaler tells groups apart by the prefix eks-<pool>-."""
    names = [pool.name for pool in cluster.pools]
    yield from twice((*at, "pools"), names, "pool of the cluster")
    for index, name in enumerate(names):
        for other in names:
            if name.startswith(f"{other}-"):
                allowed = f"no continuation of the pool name {other}: its node groups match eks-{other}-"
                yield Finding(
                    path=(*at, "pools", index, "name"),
                    value=name,
                    allowed=allowed,
                    fix=f"rename it, for example {name.replace('-', '')}",
                )


def roles(_: Environment, at: Path, cluster: Cluster) -> Findings:
    """Every cluster runs the platform, drivers and executors."""
    given = [pool.role for pool in cluster.pools]
    for role, reason in (
        ("system", "for DNS, the scheduler and the operator"),
        ("driver", "for Spark drivers"),
        ("executor", "for Spark executors"),
    ):
        if role not in given:
            allowed = f"with a pool of role {role}, {reason}"
            yield Finding(path=(*at, "pools"), value=given, allowed=allowed, fix=f"add a pool with role: {role}")


def room_for_addons(_: Environment, at: Path, cluster: Cluster) -> Findings:
    """EKS' add-ons tolerate no taint of ours: without one open system pool none of them ever becomes healthy."""
    system = [(index, pool) for index, pool in enumerate(cluster.pools) if pool.role == "system"]
    closed = [index for index, pool in system if any(taint.effect != "PreferNoSchedule" for taint in pool.taints)]
    if system and len(closed) == len(system):
        pool = cluster.pools[closed[0]]
        yield Finding(
            path=(*at, "pools", closed[0], "taints"),
            value=[taint.key for taint in pool.taints],
            allowed="no taint but PreferNoSchedule on one system pool at least: DNS and other add-ons run there",
            fix="remove it, or add a system pool without taints",
        )


def region_known(environment: Environment) -> Findings:
    """In a region that the table does not have, the file must say itself what is offered there."""
    region = environment.region
    if region in regions():
        return
    used = {name for cluster in environment.clusters for pool in cluster.pools for name in pool.instance_types}
    silent = sorted(used - set(environment.offered_beyond_table))
    if silent:
        allowed = f"a region of the table of {table_date()}: {listed(regions(), most=40)}"
        fix = f"check the name, or list {listed(silent)} under offered_beyond_table with their zones"
        yield Finding(path=("region",), value=region, allowed=allowed, fix=fix)


def offered_beyond_table(environment: Environment) -> Findings:
    """What the file says beyond the table must be about known types and this network's zones."""
    known_zones = environment.network.zones
    for name, zones in environment.offered_beyond_table.items():
        path: Path = ("offered_beyond_table", name)
        if name not in instance_types():
            allowed = f"an instance type of environments/instance_types.json ({table_date()}): its shape must be known"
            yield Finding(
                path=path, value=name, allowed=allowed, fix=choose(name, list(instance_types()), "add it to the table")
            )
        for index, zone in enumerate(zones):
            if zone not in known_zones:
                yield Finding(
                    path=(*path, index),
                    value=zone,
                    allowed=f"one of {listed(known_zones)}",
                    fix="write one of them, or add it to the network",
                )


def zone_count(environment: Environment) -> Findings:
    """A network cannot use more zones than the region has for EKS."""
    region, want = environment.region, set(environment.network.zones)
    have = [number for number in zone_ids(region) if number not in zone_ids_without_eks(region)]
    if have and len(want) > len(have):
        allowed = f"of at most {len(have)} zones: {region} has {listed(have)} for EKS"
        yield Finding(path=("network",), value=sorted(want), allowed=allowed, fix=f"remove {len(want) - len(have)}")
