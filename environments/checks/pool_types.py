"""The instance types of one pool: known, offered where the pool is, equal where the autoscaler needs it, enough for spot."""

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
            family = [known for known in instance_types() if known.startswith(f"{name.split('.')[0]}.")]
            allowed = f"an instance type of environments/instance_types.json ({table_date()})"
            # inside a family any size may be meant; across families only a slip of the pen is
            near = choose(
                name,
                family or instance_types(),
                "take another family, for example r8gd.4xlarge",
                likeness=0.6 if family else 0.85,
            )
            yield Finding(path=path, value=name, allowed=allowed, fix=near)
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
    shortage = _shortage(environment, pool, name)
    if shortage is None:
        return
    allowed, zone = shortage
    other = _replacement(environment, pool, name)
    beyond = f"offered_beyond_table: {{{name}: [{zone}]}}"
    fix = f"take {other}, narrow the pool's zones, or state {beyond} when the account has it"
    yield Finding(path=at, value=name, allowed=allowed, fix=fix)


def _shortage(environment: Environment, pool: Pool, name: str) -> tuple[str, str] | None:
    """Return in words where a type should be offered and is not, with the first such zone; None when it is."""
    region, told = environment.region, environment.offered_beyond_table.get(name, ())
    usable = offered_in(name, region) - set(zone_ids_without_eks(region))
    zones = [zone for zone in environment.pool_zones(pool) if zone not in told]
    # a zone id that is wrong in itself is told by network.identified_zones, and its zone counts as unknown here
    possible = set(zone_ids(region)) - set(zone_ids_without_eks(region))
    ids = {zone: number for zone, number in environment.zone_ids.items() if zone in zones and number in possible}
    missing = [zone for zone, number in ids.items() if number not in usable]
    if missing:
        names = listed(f"{zone} ({ids[zone]})" for zone in missing)
        return f"offered in {names}; {region} has it in {listed(sorted(usable))}", missing[0]
    # a network of more zones than the region has is told by capacity.zone_count
    if min(len(zones) - len(ids), len(possible - set(ids.values()))) > len(usable - set(ids.values())):
        where = f"{listed(sorted(usable))}, {len(usable)} of {len(zone_ids(region))} zones"
        return f"offered in the pool's {len(zones)} zones; {region} has it in {where}", zones[0]
    return None


def _replacement(environment: Environment, pool: Pool, name: str) -> str:
    """Return the newest type of the same shape and disks that the pool's zones have, or words when there is none."""
    for other in alike(name, environment.region, same_nvme=pool.nvme == "raid0"):
        if other.generation <= NEWEST_BY_DEFAULT and not _is_short(environment, pool, other.name):
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
    first, given = pool.instance_types[0], list(pool.instance_types)
    # a misspelt type is told by types_known; counting the others would tell it twice
    if pool.role != "executor" or len(given) >= SPOT_TYPES or not set(given) <= set(instance_types()):
        return
    others = [
        each.name
        for each in alike(first, environment.region, same_nvme=True)
        if each.generation <= NEWEST_BY_DEFAULT
        and each.name not in pool.instance_types
        and not _is_short(environment, pool, each.name)
    ]
    if others:
        allowed = f"at least {SPOT_TYPES} types in a spot pool, or all that are equal to {first}"
        yield Finding(
            path=(*at, "instance_types"),
            value=given,
            allowed=allowed,
            fix=f"add {listed(others[: SPOT_TYPES - len(given)])}",
        )


def _is_short(environment: Environment, pool: Pool, name: str) -> bool:
    """Whether a type is missing in a zone of the pool, so that it is no advice."""
    return _shortage(environment, pool, name) is not None


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
