"""Ranges and zones of the network: sizes, overlaps, what a private network needs, what an existing one must have.

No check asks AWS: what the account really has is for `moka preflight`.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from itertools import combinations
from typing import Final

from environments.instances import zone_ids, zone_ids_without_eks
from environments.model import Environment
from environments.network import NewNetwork
from environments.problems import Finding, Findings, Path, listed

POD_RANGES: Final = (IPv4Network("100.64.0.0/10"),)
"""Shared address space: nobody routes it, so every VPC may use it again. AWS adds 198.19.0.0/16, which is used likewise
elsewhere, to no VPC whose first range is a private one:
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html#add-cidr-block-restrictions"""
PRIVATE_RANGES: Final = (IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
SERVICE_RANGES: Final = (IPv4Network("172.20.0.0/16"), IPv4Network("10.100.0.0/16"))
"""EKS takes cluster IPs of services from one of these; a VPC inside it makes services unreachable."""
NEEDED_ENDPOINTS: Final = (
    "autoscaling",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "elasticloadbalancing",
    "logs",
    "secretsmanager",
    "sts",
)
"""What nodes, autoscaler, load balancer controller and Archer call; without NAT there is no other way out."""


def new_ranges(environment: Environment) -> Findings:
    """Sizes and homes of a new network's ranges."""
    network = environment.network
    if not isinstance(network, NewNetwork):
        return
    at: Path = ("network", "cidr")
    primary = IPv4Network(network.cidr)
    smallest = 24 if len(network.zones) <= 4 else 23
    if not 16 <= primary.prefixlen <= smallest:
        allowed = f"a range from /16 to /{smallest} ({len(network.zones)} zones)"
        yield Finding(path=at, value=network.cidr, allowed=allowed, fix=f"write {primary.network_address}/20")
    if not any(primary.subnet_of(home) for home in PRIVATE_RANGES):
        allowed = f"inside {listed(PRIVATE_RANGES)}"
        yield Finding(
            path=at,
            value=network.cidr,
            allowed=allowed,
            fix="take a free range of the company, for example 10.40.0.0/20",
        )
    for index, cidr in enumerate(network.pod_cidrs):
        yield from _pod_range(("network", "pod_cidrs", index), IPv4Network(cidr))


def _pod_range(at: Path, cidr: IPv4Network) -> Findings:
    if not 16 <= cidr.prefixlen <= 20:
        yield Finding(path=at, value=str(cidr), allowed="a range from /16 to /20", fix="write 100.64.0.0/16")
    if not any(cidr.subnet_of(home) for home in POD_RANGES):
        allowed = f"inside {listed(POD_RANGES)}, which no company routes"
        yield Finding(
            path=at, value=str(cidr), allowed=allowed, fix="write 100.64.0.0/16; other environments may use the same"
        )


def ranges(environment: Environment) -> Iterator[tuple[Path, IPv4Network]]:
    """Yield the ranges of the VPC with their paths."""
    network = environment.network
    if isinstance(network, NewNetwork):
        yield ("network", "cidr"), IPv4Network(network.cidr)
        yield from (
            (("network", "pod_cidrs", number), IPv4Network(cidr)) for number, cidr in enumerate(network.pod_cidrs)
        )
    else:
        yield from (
            (("network", "vpc_cidrs", number), IPv4Network(cidr)) for number, cidr in enumerate(network.vpc_cidrs)
        )


def overlaps(environment: Environment) -> Findings:
    """Ranges of one VPC that overlap each other, or the ranges that EKS takes services from."""
    found = list(ranges(environment))
    for (_, first), (at, second) in combinations(found, 2):
        if first.overlaps(second):
            yield Finding(
                path=at,
                value=str(second),
                allowed=f"apart from {first}, another range of this network",
                fix="take a free range",
            )
    for at, cidr in found:
        for service in SERVICE_RANGES:
            if cidr.overlaps(service):
                allowed = f"apart from {service}, from which EKS takes the addresses of services"
                yield Finding(path=at, value=str(cidr), allowed=allowed, fix="take a range outside it")


def zones(environment: Environment) -> Findings:
    """Zones of another region, zones given twice, and what `zone_ids` says about them."""
    network, region = environment.network, environment.region
    given: list[tuple[Path, str]]
    if isinstance(network, NewNetwork):
        given = [(("network", "zones", index), zone) for index, zone in enumerate(network.zones)]
        for path, zone in _twice(given):
            yield Finding(path=path, value=zone, allowed="each zone once", fix="remove it, or name another zone")
    else:
        given = [(("network", "subnets", index, "zone"), subnet.zone) for index, subnet in enumerate(network.subnets)]
    for path, zone in [*given, *((("zone_ids", zone), zone) for zone in environment.zone_ids)]:
        if zone[:-1] != region:
            yield Finding(
                path=path, value=zone, allowed=f"a zone of {region}", fix=f"write {region}{zone[-1]}, or change region"
            )


def identified_zones(environment: Environment) -> Findings:
    """Zone ids that the region does not have, that are given twice, or where EKS cannot run."""
    region = environment.region
    known, without = zone_ids(region), zone_ids_without_eks(region)
    given: list[tuple[Path, str]] = [(("zone_ids", zone), number) for zone, number in environment.zone_ids.items()]
    for path, number in given:
        if known and number not in {*known, *without}:
            yield Finding(
                path=path,
                value=number,
                allowed=f"one of {listed(known)}",
                fix="copy it from `aws ec2 describe-availability-zones`",
            )
        elif number in without and path[-1] in environment.network.zones:
            allowed = f"a zone where EKS runs: {listed(sorted(set(known) - set(without)))}"
            yield Finding(path=path, value=number, allowed=allowed, fix=f"take {path[-1]} out of the network")
    for path, number in _twice(given):
        yield Finding(path=path, value=number, allowed="each zone id once", fix="copy the ids from the account again")


def _twice(given: Sequence[tuple[Path, str]]) -> Iterator[tuple[Path, str]]:
    """Yield what is in the list for the second time."""
    seen: set[str] = set()
    for path, word in given:
        if word in seen:
            yield path, word
        seen.add(word)


def private_network(environment: Environment) -> Findings:
    """A network without NAT: every service that the platform calls needs its endpoint, and images a registry inside."""
    network = environment.network
    if not isinstance(network, NewNetwork) or network.nat != "none":
        return
    needed = list(NEEDED_ENDPOINTS)
    if environment.catalog.kind == "glue":
        needed.append("glue")
    if "pod_identity" in {environment.identity.mechanism, *environment.identity.overrides.values()}:
        needed.append("eks-auth")
    missing = sorted(set(needed) - set(network.interface_endpoints))
    if missing:
        path: Path = ("network", "interface_endpoints")
        allowed = f"all of {listed(sorted(needed), most=20)}, because nat is none"
        yield Finding(
            path=path,
            value=list(network.interface_endpoints),
            allowed=allowed,
            fix=f"add {listed(missing, most=20)}, or set nat: single",
        )


def endpoints_once(environment: Environment) -> Findings:
    """Interface endpoints given twice: AWS refuses a second one with private DNS."""
    network = environment.network
    if isinstance(network, NewNetwork):
        given: list[tuple[Path, str]] = [
            (("network", "interface_endpoints", index), name) for index, name in enumerate(network.interface_endpoints)
        ]
        for path, name in _twice(given):
            yield Finding(path=path, value=name, allowed="each endpoint once", fix="remove it")
