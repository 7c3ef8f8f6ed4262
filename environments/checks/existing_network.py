"""A network that the account already has: its subnets must be inside it, apart, and enough for every zone."""

from ipaddress import IPv4Network
from itertools import combinations
from typing import Final

from environments.model import Environment
from environments.network import ExistingNetwork
from environments.problems import Finding, Findings, Path, listed

MOST_NODE_SECURITY_GROUPS = 4
"""AWS allows five per interface and Moka adds its own."""


def subnets(environment: Environment) -> Findings:
    """Ids given twice, ranges outside the VPC or over each other, subnets that are too small."""
    network = environment.network
    if not isinstance(network, ExistingNetwork):
        return
    homes = [IPv4Network(cidr) for cidr in network.vpc_cidrs]
    first_at: dict[str, int] = {}
    for index, subnet in enumerate(network.subnets):
        at: Path = ("network", "subnets", index)
        if subnet.id in first_at:
            fix = f"remove it, or copy the right id; subnet {first_at[subnet.id]} has this one"
            yield Finding(path=(*at, "id"), value=subnet.id, allowed="each subnet once", fix=fix)
        first_at.setdefault(subnet.id, index)
        cidr = IPv4Network(subnet.cidr)
        if not any(cidr.subnet_of(home) for home in homes):
            allowed = f"inside {listed(homes)} (network.vpc_cidrs)"
            yield Finding(
                path=(*at, "cidr"),
                value=subnet.cidr,
                allowed=allowed,
                fix="copy the subnet's range, or add the VPC's missing range to vpc_cidrs",
            )
        if cidr.prefixlen > 28:
            yield Finding(
                path=(*at, "cidr"),
                value=subnet.cidr,
                allowed="a /28 or larger, as every AWS subnet",
                fix="copy the subnet's range",
            )
    for (_, first), (number, second) in combinations(enumerate(network.subnets), 2):
        if first.id != second.id and IPv4Network(first.cidr).overlaps(IPv4Network(second.cidr)):
            allowed = f"apart from {first.cidr} of {first.id}"
            yield Finding(
                path=("network", "subnets", number, "cidr"),
                value=second.cidr,
                allowed=allowed,
                fix="copy the ranges of both from the account",
            )


def subnets_per_zone(environment: Environment) -> Findings:
    """Two zones at least, each with a subnet for nodes and one for the control plane; two for load balancers."""
    network = environment.network
    if not isinstance(network, ExistingNetwork):
        return
    at: Path = ("network", "subnets")
    by_use = {
        use: sorted({each.zone for each in network.subnets if each.use == use})
        for use in ("nodes", "control_plane", "load_balancer")
    }
    if len(by_use["nodes"]) < 2:
        allowed = "subnets for nodes in at least two zones"
        yield Finding(
            path=at, value=by_use["nodes"], allowed=allowed, fix="add a subnet with use: nodes in another zone"
        )
    for zone in by_use["nodes"]:
        if zone not in by_use["control_plane"]:
            allowed = f"with a control_plane subnet in {zone}, where nodes are"
            yield Finding(
                path=at,
                value=by_use["control_plane"],
                allowed=allowed,
                fix=f"add a subnet with zone: {zone}, use: control_plane (a /28 is enough)",
            )
    if len(by_use["load_balancer"]) < 2:
        allowed = "subnets for the load balancer in at least two zones"
        yield Finding(
            path=at,
            value=by_use["load_balancer"],
            allowed=allowed,
            fix="add a subnet with use: load_balancer in another zone",
        )


def security_groups(environment: Environment) -> Findings:
    """At most four security groups of the company's own on a node."""
    network = environment.network
    if isinstance(network, ExistingNetwork) and len(network.node_security_group_ids) > MOST_NODE_SECURITY_GROUPS:
        given = list(network.node_security_group_ids)
        allowed = (
            f"at most {MOST_NODE_SECURITY_GROUPS} security groups: AWS allows five per interface and Moka adds one"
        )
        fix = f"remove {len(given) - MOST_NODE_SECURITY_GROUPS}, or join their rules in one group"
        yield Finding(path=("network", "node_security_group_ids"), value=given, allowed=allowed, fix=fix)


SMALLEST_LOAD_BALANCER_PREFIX: Final = 27
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer"""


def load_balancer_subnets(environment: Environment) -> Findings:
    """A load balancer takes one subnet per zone, /27 or larger, and reaches pods only in zones where it has one."""
    network = environment.network
    if not isinstance(network, ExistingNetwork):
        return
    given = [(index, each) for index, each in enumerate(network.subnets) if each.use == "load_balancer"]
    seen: set[str] = set()
    for index, subnet in given:
        if subnet.zone in seen:
            yield Finding(
                path=("network", "subnets", index, "zone"),
                value=subnet.zone,
                allowed="one subnet with use: load_balancer per zone",
                fix="remove one of the two",
            )
        seen.add(subnet.zone)
        if IPv4Network(subnet.cidr).prefixlen > SMALLEST_LOAD_BALANCER_PREFIX:
            yield Finding(
                path=("network", "subnets", index, "cidr"),
                value=subnet.cidr,
                allowed=f"/{SMALLEST_LOAD_BALANCER_PREFIX} or larger: a load balancer takes eight addresses at once",
                fix="name a larger subnet",
            )
    host = environment.cluster(environment.archer.cluster) if _hosted(environment) else None
    used = (
        {zone for pool in host.pools if pool.role == "system" for zone in environment.pool_zones(pool)}
        if host
        else set()
    )
    for zone in sorted(used - seen) if len(seen) > 1 else ():
        yield Finding(
            path=("network", "subnets"),
            value=sorted(seen),
            allowed=f"with a load_balancer subnet in {zone}, where Archer's pods may run",
            fix=f"add a subnet with zone: {zone}, use: load_balancer",
        )


def _hosted(environment: Environment) -> bool:
    return any(cluster.name == environment.archer.cluster for cluster in environment.clusters)
