"""What only shows when several environments are read at once: networks that would collide once they are connected."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from itertools import combinations

from environments.checks.network import POD_RANGES, ranges
from environments.model import Environment
from environments.problems import Finding, Path


def routable_ranges(environment: Environment) -> Iterator[tuple[Path, IPv4Network]]:
    """Yield the ranges that the company may route; pods' ranges are not among them, so they may repeat."""
    for path, cidr in ranges(environment):
        if not any(cidr.subnet_of(home) for home in POD_RANGES):
            yield path, cidr


def overlapping_networks(environments: Sequence[Environment]) -> Iterator[tuple[Environment, Finding]]:
    """Yield the routable ranges that overlap those of another environment, with the environment that came later.

    Two environments in one existing VPC share its ranges on purpose.
    """
    for first, second in combinations(environments, 2):
        if (
            first.network.mode == "existing"
            and second.network.mode == "existing"
            and first.network.vpc_id == second.network.vpc_id
        ):
            continue
        for path, cidr in routable_ranges(second):
            for _, other in routable_ranges(first):
                if cidr.overlaps(other):
                    allowed = f"apart from {other} of environment {first.name}, so that the two can be connected"
                    yield (
                        second,
                        Finding(path=path, value=str(cidr), allowed=allowed, fix="take a free range of the company"),
                    )


def same_names(environments: Sequence[Environment]) -> Iterator[tuple[Environment, Finding]]:
    """Yield environments of one name in one account and region: their roles and buckets would be the same."""
    seen: set[tuple[str, str, str]] = set()
    for environment in environments:
        key = (environment.name, environment.account, environment.region)
        if key in seen:
            finding = Finding(
                path=("name",),
                value=environment.name,
                allowed="a name that no other environment of the account and region has",
                fix="rename one",
            )
            yield environment, finding
        seen.add(key)
