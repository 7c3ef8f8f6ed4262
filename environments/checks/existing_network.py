"""A network that the account already has: its subnets must be inside it, apart, and enough for every zone."""

from ipaddress import IPv4Network
from itertools import combinations

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
