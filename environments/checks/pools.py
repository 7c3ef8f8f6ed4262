"""One pool by itself: its types, its zones, its bounds, its image. What pools need together is in `capacity.py`."""

from typing import Final

from environments.clusters import Cluster, Pool
from environments.instances import (
    InstanceType,
    alike,
    instance_types,
    offered_in,
    regions,
    table_date,
    zone_ids,
    zone_ids_without_eks,
)
from environments.model import Environment
from environments.problems import Finding, Findings, Path, choose, listed

RESERVED_DOMAINS: Final = ("kubernetes.io", "k8s.io", "eks.amazonaws.com", "moka.dev")
"""Label and taint domains that Kubernetes, EKS and Moka write themselves; the API refuses most of them from a kubelet."""
NEWEST_BY_DEFAULT: Final = 8
"""Generation 9 is for files that name it: few zones have it yet, and its families are not complete."""
SPOT_TYPES: Final = 6
"""A spot pool of fewer types waits for one kind of machine; AWS advises as many as fit."""


def types_known(_: Environment, at: Path, __: Cluster, pool: Pool) -> Findings:
    """Each type is in the table, once."""
    seen: set[str] = set()
    for index, name in enumerate(pool.instance_types):
        path = (*at, "instance_types", index)
        if name not in instance_types():
            family = name.split(".")[0]
            near = [known for known in instance_types() if known.startswith(f"{family}.")] or list(instance_types())
            allowed = f"an instance type of environments/instance_types.json ({table_date()})"
            yield Finding(
                path=path,
                value=name,
                allowed=allowed,
                fix=choose(name, near, "take one of its families, for example r8gd.4xlarge"),
            )
        if name in seen:
            yield Finding(path=path, value=name, allowed="each type once", fix="remove it")
        seen.add(name)


def types_offered(environment: Environment, at: Path, _: Cluster, pool: Pool) -> Findings:
    """Each type is offered in every zone of the pool, as far as the table can know."""
    if environment.region not in regions():
        return
    for index, name in enumerate(pool.instance_types):
        if name in instance_types():
            yield from _offered(environment, (*at, "instance_types", index), pool, name)


def _offered(environment: Environment, at: Path, pool: Pool, name: str) -> Findings:
    region, told = environment.region, environment.offered_beyond_table.get(name, ())
    usable = offered_in(name, region) - set(zone_ids_without_eks(region))
    open_zones = [zone for zone in environment.pool_zones(pool) if zone not in told]
    missing = [zone for zone in open_zones if zone in environment.zone_ids and environment.zone_ids[zone] not in usable]
    without_id = len([zone for zone in open_zones if zone not in environment.zone_ids])
    taken = {environment.zone_ids[zone] for zone in open_zones if zone in environment.zone_ids}
    if missing:
        allowed = f"offered in {listed(missing)} ({listed(environment.zone_ids[zone] for zone in missing)}); it is in {listed(sorted(usable))}"
    elif without_id > len(usable - taken):
        allowed = f"offered in the pool's {len(open_zones)} zones; {region} has it in {listed(sorted(usable))}, {len(usable)} of {len(zone_ids(region))} zones"
    else:
        return
    fix = f"take {_replacement(environment, name, len(open_zones))}, narrow the pool's zones, or state offered_beyond_table: {{{name}: [{open_zones[0]}]}} when the account has it"
    yield Finding(path=at, value=name, allowed=allowed, fix=fix)


def _replacement(environment: Environment, name: str, zones: int) -> str:
    """Return the newest type of the same shape that the region has in enough zones, or words when there is none."""
    without = set(zone_ids_without_eks(environment.region))
    for same_nvme in (True, False):
        for other in alike(name, environment.region, same_nvme=same_nvme):
            if len(offered_in(other.name, environment.region) - without) >= zones and other.name != name:
                return other.name
    return "another type"


def types_equal(_: Environment, at: Path, __: Cluster, pool: Pool) -> Findings:
    """Types of one pool share vCPU, memory and architecture, with raid0 also the disks: the autoscaler simulates one."""
    known = [
        (index, instance_types()[name]) for index, name in enumerate(pool.instance_types) if name in instance_types()
    ]
    if not known:
        return
    model = known[0][1]
    for index, other in known[1:]:
        differs = other.shape != model.shape or (pool.nvme == "raid0" and other.nvme_gb != model.nvme_gb)
        if differs:
            allowed = f"as {model.name}: {_describe(model, pool)}; it has {_describe(other, pool)}"
            fix = f"move it to a pool of its own, or take one of {_names_alike(model, pool)}"
            yield Finding(path=(*at, "instance_types", index), value=other.name, allowed=allowed, fix=fix)


def _describe(model: InstanceType, pool: Pool) -> str:
    disks = f", {model.nvme_gb} GB NVMe" if pool.nvme == "raid0" else ""
    return f"{model.vcpu} vCPU, {model.memory_mib / 1024:g} GiB, {model.architecture}{disks}"


def _names_alike(model: InstanceType, pool: Pool) -> str:
    names = [
        other.name
        for other in sorted(instance_types().values(), key=lambda each: (-each.generation, each.price))
        if other.shape == model.shape and (pool.nvme == "ignore" or other.nvme_gb == model.nvme_gb)
    ]
    return listed(names, most=8)


def disks(_: Environment, at: Path, __: Cluster, pool: Pool) -> Findings:
    """raid0 needs disks; disks that are left out are paid for and not used."""
    known = [instance_types()[name] for name in pool.instance_types if name in instance_types()]
    for index, name in enumerate(pool.instance_types):
        if pool.nvme == "raid0" and name in instance_types() and instance_types()[name].nvme_gb == 0:
            family, size = name.split(".")
            fix = (
                f"take {family}d.{size}, or set nvme: ignore"
                if f"{family}d.{size}" in instance_types()
                else "set nvme: ignore"
            )
            yield Finding(
                path=(*at, "instance_types", index),
                value=name,
                allowed="a type with NVMe disks, because nvme is raid0",
                fix=fix,
            )
    if pool.nvme == "ignore" and known and all(each.nvme_gb > 0 for each in known):
        allowed = f"raid0 when every type has disks ({known[0].nvme_gb} GB NVMe on {known[0].name}), which are paid for"
        yield Finding(
            path=(*at, "nvme"),
            value=pool.nvme,
            allowed=allowed,
            fix="set nvme: raid0, or take types without disks",
            level="warning",
        )


def spot(environment: Environment, at: Path, _: Cluster, pool: Pool) -> Findings:
    """Spot is for executors, and for as many types as there are."""
    if pool.capacity != "spot":
        return
    if pool.role != "executor":
        allowed = f"on_demand in a {pool.role} pool: losing a driver loses the job, losing a system node the platform"
        yield Finding(path=(*at, "capacity"), value=pool.capacity, allowed=allowed, fix="set capacity: on_demand")
    first = pool.instance_types[0]
    if pool.role != "executor" or first not in instance_types() or len(pool.instance_types) >= SPOT_TYPES:
        return
    others = [
        each.name
        for each in alike(first, environment.region, same_nvme=True)
        if each.generation <= NEWEST_BY_DEFAULT
        and each.name not in pool.instance_types
        and not _is_short(environment, pool, each.name)
    ]
    if others:
        given = list(pool.instance_types)
        allowed = f"at least {SPOT_TYPES} types in a spot pool, or all that are equal to {first}"
        yield Finding(
            path=(*at, "instance_types"),
            value=given,
            allowed=allowed,
            fix=f"add {listed(others[: SPOT_TYPES - len(given)])}",
        )


def _is_short(environment: Environment, pool: Pool, name: str) -> bool:
    """Whether a type is missing in a zone of the pool, so that it is no advice."""
    return any(True for _ in _offered(environment, (), pool, name))


def bounds(_: Environment, at: Path, __: Cluster, pool: Pool) -> Findings:
    """Minimum and maximum; a system pool is never empty."""
    low, high = pool.min_nodes_per_zone, pool.max_nodes_per_zone
    if low > high:
        fix = f"raise max_nodes_per_zone to {low} or lower min_nodes_per_zone"
        yield Finding(
            path=(*at, "min_nodes_per_zone"), value=low, allowed=f"at most max_nodes_per_zone ({high})", fix=fix
        )
    if pool.role == "system" and low < 1:
        allowed = "at least 1 in a system pool: DNS, the scheduler and Archer run there"
        yield Finding(path=(*at, "min_nodes_per_zone"), value=low, allowed=allowed, fix="set min_nodes_per_zone: 1")


def zones(environment: Environment, at: Path, _: Cluster, pool: Pool) -> Findings:
    """A pool's zones are zones of the network."""
    if pool.zones is None:
        return
    known = environment.network.zones
    if not pool.zones:
        yield Finding(
            path=(*at, "zones"), value=[], allowed="at least one zone", fix="remove zones to use all of the network's"
        )
    for index, zone in enumerate(pool.zones):
        if zone not in known:
            yield Finding(
                path=(*at, "zones", index),
                value=zone,
                allowed=f"one of {listed(known)}",
                fix=choose(zone, known, "write one of them"),
            )
        elif zone in pool.zones[:index]:
            yield Finding(path=(*at, "zones", index), value=zone, allowed="each zone once", fix="remove it")


def image(_: Environment, at: Path, cluster: Cluster, pool: Pool) -> Findings:
    """An AL2023 release carries a kubelet of the cluster's minor version; Bottlerocket's version is its own."""
    release, version = pool.ami_release_version, cluster.kubernetes_version
    if pool.operating_system == "al2023" and not release.startswith(f"{version}."):
        allowed = f"a release for Kubernetes {version}, the cluster's version"
        fix = f"take the newest {version}.* release of awslabs/amazon-eks-ami"
        yield Finding(path=(*at, "ami_release_version"), value=release, allowed=allowed, fix=fix)
    if pool.operating_system == "bottlerocket" and release.startswith(f"{version}."):
        allowed = "a Bottlerocket version such as 1.64.0-a1b2c3d4, not a kubelet's"
        yield Finding(
            path=(*at, "ami_release_version"),
            value=release,
            allowed=allowed,
            fix="take a release of bottlerocket-os/bottlerocket, or set operating_system: al2023",
        )


def reserved_keys(_: Environment, at: Path, __: Cluster, pool: Pool) -> Findings:
    """Labels and taints that Kubernetes, EKS or Moka set themselves."""
    given: list[tuple[Path, str]] = [((*at, "labels", key), key) for key in pool.labels]
    given += [((*at, "taints", index, "key"), taint.key) for index, taint in enumerate(pool.taints)]
    for path, key in given:
        domain = key.split("/")[0] if "/" in key else ""
        if any(domain == reserved or domain.endswith(f".{reserved}") for reserved in RESERVED_DOMAINS):
            allowed = f"a key outside {listed(RESERVED_DOMAINS)}"
            yield Finding(
                path=path, value=key, allowed=allowed, fix="use a domain of your own, for example example.com/owner"
            )


def generation_notice(environment: Environment, at: Path, _: Cluster, pool: Pool) -> Findings:
    """A first type of an older generation where the region has a newer one of the same shape: not wrong, but dearer or slower."""
    first = pool.instance_types[0]
    if first not in instance_types():
        return
    needs_disks = pool.nvme == "raid0"
    newest = [
        other
        for other in alike(first, environment.region, same_nvme=needs_disks)
        if other.generation <= NEWEST_BY_DEFAULT and not _is_short(environment, pool, other.name)
    ]
    if newest and newest[0].generation > instance_types()[first].generation:
        allowed = f"led by the newest generation of its shape, {newest[0].name}"
        fix = f"put {newest[0].name} first, or keep it when you have a reason"
        yield Finding(path=(*at, "instance_types", 0), value=first, allowed=allowed, fix=fix, level="warning")
