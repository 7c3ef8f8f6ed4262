"""Whether existing subnets have the free addresses for what EKS, the load balancer and full pools take.

A node takes its interface's address and one /28 block per sixteen pods. What this environment's nodes hold already is theirs
and counts as free. Free addresses may lie scattered, and the CNI needs whole blocks: dedicated subnets or a CIDR reservation
keep them together (https://docs.aws.amazon.com/eks/latest/best-practices/prefix-mode-linux.html).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from environments import Environment
from environments.clusters import Pool
from environments.network import ExistingNetwork
from moka.preflight.calls import OF_EXISTING_NETWORK, Call
from moka.preflight.check import Check, Context, ask
from moka.preflight.failures import NotFoundError
from moka.preflight.growth import addresses_per_node, addresses_spent_on_node, group_sizes
from moka.preflight.rows import Verdict, failed, listed, passed, warned
from moka.preflight.usage import INSTANCES, Thing, addresses_of_own_nodes, fetch_instances

SUBNETS: Final = Call("ec2", "DescribeSubnets", OF_EXISTING_NETWORK)

CONTROL_PLANE_LEAST: Final = 6
CONTROL_PLANE_GOOD: Final = 16
"""EKS asks for 6 free addresses in each of its subnets and advises 16: an upgrade makes new interfaces first.

https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html"""
LOAD_BALANCER_LEAST: Final = 8
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html"""


def needed_by_zone(environment: Environment, per_node: Callable[[Pool], int]) -> Counter[str]:
    """Return the addresses that full pools take, by zone."""
    needed: Counter[str] = Counter()
    for group in group_sizes(environment):
        needed[group.zone] += group.nodes * per_node(group.pool)
    return needed


def judge_nodes(environment: Environment, network: ExistingNetwork, free: dict[str, int]) -> Iterator[Verdict]:
    """Yield, per zone, whether the subnets for nodes have room for full pools. `free` is {subnet id: addresses}."""
    needed = needed_by_zone(environment, addresses_per_node)
    scattered = needed_by_zone(environment, addresses_spent_on_node)
    for zone in network.zones:
        ids = [subnet.id for subnet in network.subnets if subnet.use == "nodes" and subnet.zone == zone]
        absent = [each for each in ids if each not in free]
        if absent:
            fix = f"write the ids of subnets that exist: moka preflight {environment.name} --only network"
            yield failed(f"nodes in {zone}", f"no such subnet: {listed(absent)}", needed="existing subnets", fix=fix)
            continue
        there = sum(free[each] for each in ids)
        subject, value = f"nodes in {zone}", f"{there:,} free in {listed(ids)}"
        demand = f"{needed[zone]:,} at the pools' maxima"
        if needed[zone] > there:
            fix = (
                f"add a subnet for nodes in {zone} with {needed[zone] - there:,} more addresses, "
                "or lower `max_nodes_per_zone` or `max_pods` of the zone's pools"
            )
            yield failed(subject, value, needed=demand, fix=fix)
        elif scattered[zone] > there:
            demand += f", {scattered[zone]:,} when nodes' own addresses lie scattered"
            fix = f"add a subnet for nodes in {zone}, or keep /28 blocks together: aws ec2 create-subnet-cidr-reservation --reservation-type prefix"
            yield warned(subject, value, needed=demand, fix=fix)
        else:
            yield passed(subject, value, demand)


def judge_small(network: ExistingNetwork, free: dict[str, int], clusters: int) -> Iterator[Verdict]:
    """Yield, per subnet of the control plane and of load balancers, whether the few addresses they take are free."""
    for subnet in network.subnets:
        if subnet.use == "nodes" or subnet.id not in free:
            continue
        there = free[subnet.id]
        least = LOAD_BALANCER_LEAST if subnet.use == "load_balancer" else CONTROL_PLANE_LEAST * clusters
        good = least if subnet.use == "load_balancer" else CONTROL_PLANE_GOOD * clusters
        subject, value = f"{subnet.id} ({subnet.use})", f"{there:,} free"
        fix = f"free addresses, or use a larger subnet in {subnet.zone}"
        if there < least:
            yield failed(subject, value, needed=f"at least {least}", fix=fix)
        elif there < good:
            yield warned(subject, value, needed=f"{good}, so that a cluster can be upgraded", fix=fix)
        else:
            yield passed(subject, value, f"at least {least}")


def free_addresses(environment: Environment, subnets: list[Thing], instances: list[Thing]) -> dict[str, int]:
    """Return {subnet id: addresses that are free or held by this environment's nodes}."""
    held = addresses_of_own_nodes(environment, instances)
    return {str(each["SubnetId"]): int(each["AvailableIpAddressCount"]) + held[each["SubnetId"]] for each in subnets}


def _fetch(context: Context, network: ExistingNetwork) -> dict[str, int]:
    subnets: list[Thing] = []
    for subnet in network.subnets:
        try:
            subnets += context.aws.get(SUBNETS, SubnetIds=[subnet.id]).get("Subnets", [])
        except NotFoundError:
            continue  # the network check says so
    return free_addresses(context.environment, subnets, fetch_instances(context.aws))


def _run(context: Context) -> Iterator[Verdict]:
    network = context.environment.network
    if not isinstance(network, ExistingNetwork):
        return

    def judge(free: dict[str, int]) -> Iterator[Verdict]:
        yield from judge_nodes(context.environment, network, free)
        yield from judge_small(network, free, len(context.environment.clusters))

    yield from ask("addresses", lambda: _fetch(context, network), judge)


CHECK: Final = Check(
    name="addresses",
    asks="Have existing subnets the free addresses that full pools take with prefix delegation?",
    calls=(SUBNETS, INSTANCES),
    run=_run,
)
