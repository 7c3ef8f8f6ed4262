"""Who calls whom, as far as the templates allow it: security group rules, listeners, access entries, routes, endpoints.

A flow is there only while all that lets it through is: without the rule, the route or the access entry there is no arrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from moka.architecture.clusters import cluster_named
from moka.architecture.entrance import security_groups
from moka.architecture.facts import counted
from moka.architecture.resources import keys, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from moka.architecture.clusters import Cluster, Workload
    from moka.architecture.entrance import Database, LoadBalancer
    from moka.architecture.network import Network
    from moka.architecture.resources import Resource, Resources

ARCHER: Final = "archer"
"""Name of the service account of Archer's pods."""


class Route(StrEnum):
    """The main ways through the platform, in the order in which a job takes them."""

    CALL = "call"
    SERVE = "serve"
    STORE = "store"
    CONTROL = "control"
    OBJECTS = "objects"
    SERVICES = "services"
    INTERNET = "internet"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One arrow, or several of the same meaning."""

    route: Route
    of: tuple[str, ...]
    text: str
    """Who calls whom, by which means."""
    targets: tuple[str, ...] = ()
    """Keys of what it ends at, where that differs: clusters."""


def read_flows(
    resources: Resources,
    network: Network,
    clusters: tuple[Cluster, ...],
    balancers: tuple[LoadBalancer, ...],
    databases: tuple[Database, ...],
) -> tuple[Flow, ...]:
    """The flows of these resources, in the order of Route."""
    archer = archer_of(clusters)
    found = [
        *(flow for balancer in balancers for flow in _calls(balancer)),
        *(flow for balancer in balancers if archer for flow in _serves(resources, balancer, archer[1])),
        *(flow for database in databases if archer for flow in _stores(resources, database, archer[1])),
        *(_controls(resources, archer[1]) if archer else ()),
        *(_leaves(resources, network) if clusters else ()),
    ]
    return tuple(sorted(found, key=lambda flow: list(Route).index(flow.route)))


def archer_of(clusters: Iterable[Cluster]) -> tuple[Cluster, Workload] | None:
    """The cluster that Archer's pods run on, and these pods."""
    for cluster in clusters:
        for workload in cluster.workloads:
            if workload.account == ARCHER:
                return cluster, workload
    return None


def _calls(balancer: LoadBalancer) -> Iterator[Flow]:
    if balancer.callers and balancer.routes:
        ports = sorted({route.text.split(" ")[1] for route in balancer.routes}, key=int)
        yield Flow(
            route=Route.CALL,
            of=tuple(key for caller in balancer.callers for key in caller.of),
            text=f"callers to the load balancer: {_listed('port', ports)}",
        )


def _serves(resources: Resources, balancer: LoadBalancer, archer: Workload) -> Iterator[Flow]:
    groups = security_groups(resources, balancer.resource, "SecurityGroups")
    outs = _rules(resources, "AWS::EC2::SecurityGroupEgress", "GroupId", groups)
    ins = _rules(resources, "AWS::EC2::SecurityGroupIngress", "SourceSecurityGroupId", groups)
    open_ports = {_ports(rule) for rule in outs} & {_ports(rule) for rule in ins}
    if open_ports:
        ports = sorted(open_ports, key=lambda each: (len(each), each))
        yield Flow(
            route=Route.SERVE,
            of=(*keys(outs, ins), *archer.of),
            text=f"load balancer to Archer's and the History Server's pods: {_listed('port', ports)}",
        )


def _stores(resources: Resources, database: Database, archer: Workload) -> Iterator[Flow]:
    groups = security_groups(resources, database.resource, "VpcSecurityGroupIds")
    rules = _rules(resources, "AWS::EC2::SecurityGroupIngress", "GroupId", groups)
    if rules:
        policies = [each for each in resources.of_kind("AWS::IAM::RolePolicy") if each.get("RoleName") == archer.role]
        by = ", by IAM authentication" if policies else ""
        yield Flow(
            route=Route.STORE,
            of=(*keys(groups, rules, policies), *archer.of),
            text=f"Archer to its database: {_listed('port', sorted({_ports(rule) for rule in rules}))}{by}"
            + (f"; {len(rules)} rules" if len(rules) > 1 else ""),
        )


def _controls(resources: Resources, archer: Workload) -> Iterator[Flow]:
    entries = [
        each
        for each in resources.of_kind("AWS::EKS::AccessEntry")
        if resources.role_name(each, each.get("PrincipalArn")) == archer.role
    ]
    reached = [(entry, cluster_named(resources, entry, entry.get("ClusterName"))) for entry in entries]
    targets = [cluster for _, cluster in reached if cluster is not None]
    rules = [
        rule
        for cluster in targets
        for rule in resources.referring(cluster, ["AWS::EC2::SecurityGroupIngress"], "GroupId")
        if _ports(rule) == "443" and _from_pods(resources, rule)
    ]
    if targets:
        groups = sorted({str(group) for entry in entries for group in entry.get("KubernetesGroups", default=())})
        yield Flow(
            route=Route.CONTROL,
            of=(*keys(entries, rules), *archer.of),
            text=f"Archer to the API server of {_joined([str(each.get('Name')) for each in targets])}"
            + (f", in {_listed('group', groups)}" if groups else "")
            + (f"; {counted(len(rules), 'rule')} for port 443" if rules else ""),
            targets=keys(targets),
        )


def _from_pods(resources: Resources, rule: Resource) -> bool:
    """Whether a rule lets pods in: those in a cluster's own group, or in a group that exists already."""
    source = resources.at(rule, rule.get("SourceSecurityGroupId"))
    return source is None or source.kind == "AWS::EKS::Cluster"


def _leaves(resources: Resources, network: Network) -> Iterator[Flow]:
    nodes = [subnet for subnet in network.of_use("nodes") if subnet.way_out is not None]
    tables = {key for subnet in nodes if subnet.way_out for key in subnet.way_out.of}
    gateways = [
        each
        for each in resources.of_kind("AWS::EC2::VPCEndpoint")
        if {table.key for table in resources.one_of(each, each.get("RouteTableIds"))} & tables
    ]
    if gateways:
        names = [endpoint.text for endpoint in network.gateway_endpoints]
        yield Flow(
            route=Route.OBJECTS, of=keys(gateways), text=f"nodes to {_joined(names)} through the gateway endpoint"
        )
    groups = {
        group.key: group
        for each in resources.of_kind("AWS::EC2::VPCEndpoint")
        for group in security_groups(resources, each, "SecurityGroupIds")
    }
    if groups and network.interface_endpoints:
        yield Flow(
            route=Route.SERVICES,
            of=tuple(groups),
            text=f"nodes to {counted(len(network.interface_endpoints), 'AWS service')} through interface endpoints: HTTPS",
        )
    nat = any(subnet.way_out and "NAT" in subnet.way_out.text for subnet in nodes)
    if network.nat_gateways and network.internet_gateway and nat:
        yield Flow(
            route=Route.INTERNET,
            of=tuple(key for subnet in nodes if subnet.way_out for key in subnet.way_out.of),
            text="nodes to the internet through NAT and internet gateway",
        )


def _rules(resources: Resources, kind: str, name: str, groups: list[Resource]) -> list[Resource]:
    return [rule for group in groups for rule in resources.referring(group, [kind], name)]


def _ports(rule: Resource) -> str:
    first, last = (written(rule.get(each)) or "all" for each in ("FromPort", "ToPort"))
    return first if first == last else f"{first} to {last}"


def _listed(what: str, values: list[str]) -> str:
    return f"{what}{'s' if len(values) > 1 else ''} {_joined(values)}"


def _joined(values: list[Any]) -> str:
    *most, last = values or [""]
    return f"{', '.join(most)} and {last}" if most else str(last)
