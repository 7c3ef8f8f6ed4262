"""Whether the region is enabled, and whether the account's zones are the ones that the file names."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from environments import Environment
from environments.instances import zone_ids_without_eks
from moka.preflight.calls import Call
from moka.preflight.check import Check, Context, ask
from moka.preflight.rows import Verdict, failed, listed, passed

REGIONS: Final = Call("ec2", "DescribeRegions")
ZONES: Final = Call("ec2", "DescribeAvailabilityZones")


def judge_region(region: str, file: str, regions: list[dict[str, Any]]) -> Iterator[Verdict]:
    """Yield whether `region` is enabled."""
    status = next(
        (str(each.get("OptInStatus")) for each in regions if each.get("RegionName") == region), "unknown to AWS"
    )
    if status in {"opted-in", "opt-in-not-required"}:
        yield passed(region, "enabled")
        return
    fix = f"aws account enable-region --region-name {region}, or write another `region` in {file}"
    yield failed(region, status, needed="enabled", fix=fix)


def judge_zones(environment: Environment, file: str, zones: Iterable[dict[str, Any]]) -> Iterator[Verdict]:
    """Yield a verdict per zone of the environment."""
    known = {str(zone["ZoneName"]): zone for zone in zones if zone.get("ZoneType") == "availability-zone"}
    without_eks = zone_ids_without_eks(environment.region)
    usable = [
        name for name, zone in known.items() if zone["State"] == "available" and zone["ZoneId"] not in without_eks
    ]
    other = f"choose among {listed(usable)} in {file}, network"
    for name in environment.network.zones:
        zone = known.get(name)
        if zone is None:
            yield failed(name, "no zone of this account", needed="a zone of the region", fix=other)
            continue
        zone_id, state = str(zone["ZoneId"]), str(zone["State"])
        written = environment.zone_ids.get(name, zone_id)
        if state != "available":
            yield failed(name, f"{zone_id}, {state}", needed="an available zone", fix=other)
        elif zone_id in without_eks:
            yield failed(name, f"{zone_id}, where EKS makes no control plane", needed="a zone with EKS", fix=other)
        elif written != zone_id:
            fix = f"write {name}: {zone_id} under `zone_ids` in {file}"
            yield failed(name, zone_id, needed=f"{written}, as `zone_ids` says", fix=fix)
        else:
            yield passed(name, f"{zone_id}, available")


def _run(context: Context) -> Iterator[Verdict]:
    region = context.environment.region
    yield from ask(
        region,
        lambda: context.aws.get(REGIONS, RegionNames=[region], AllRegions=True).get("Regions", []),
        lambda regions: judge_region(region, context.file, regions),
    )
    yield from ask(
        "zones",
        lambda: context.aws.get(ZONES).get("AvailabilityZones", []),
        lambda zones: judge_zones(context.environment, context.file, zones),
    )


CHECK: Final = Check(
    name="region",
    asks="Is the region enabled, and are the file's zones zones of this account in which EKS runs?",
    calls=(REGIONS, ZONES),
    run=_run,
)
