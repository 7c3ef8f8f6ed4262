"""Whether the nodes' subnets have room for every pool at its maximum, prefix delegation's /28 blocks included.

A subnet that runs full stops scale-up without a word in Kubernetes, so the file is refused before there is one.
"""

from environments.clusters import Cluster, Pool
from environments.model import Environment
from environments.network import NewNetwork
from environments.problems import Finding, Findings, Words, listed
from environments.subnets import blocks_in, blocks_spent_on_node, node_subnets


def room_for_pools(environment: Environment) -> Findings:
    """Each zone's subnets against the sum of what every pool of every cluster can grow to there."""
    subnets = node_subnets(environment.network)
    short: dict[str, tuple[int, int]] = {}
    for zone in environment.network.zones:
        needed, room = sum(blocks for blocks, _ in _users(environment, zone)), blocks_in(subnets[zone])
        if needed > room:
            short[zone] = needed, room
    if not short:
        return
    zone = max(short, key=lambda each: short[each][0] - short[each][1])
    needed, room = short[zone]
    blocks, pool = max(_users(environment, zone))
    is_new = isinstance(environment.network, NewNetwork)
    others = [each for each in short if each != zone]
    yield Finding(
        path=("network", "pod_cidrs") if is_new else ("network", "subnets"),
        value=Words(
            f"{room} blocks of 16 addresses for nodes in {zone}"
            + (f", too few in {listed(others)} too" if others else "")
        ),
        allowed=f"at least {needed} blocks in {zone}: each node takes one per 16 of its max_pods, one more, and breaks one by its own address",
        fix=f"{'add a range' if is_new else 'add a subnet for nodes'}, or lower max_nodes_per_zone or max_pods of {pool}, which takes {blocks}",
    )


def _users(environment: Environment, zone: str) -> list[tuple[int, str]]:
    """Return the blocks that each pool can take in `zone`, schedules' larger maxima included."""
    return [
        (_most_nodes(environment, cluster, pool) * blocks_spent_on_node(pool.max_pods), f"{cluster.name}/{pool.name}")
        for cluster in environment.clusters
        for pool in cluster.pools
        if zone in environment.pool_zones(pool)
    ]


def _most_nodes(environment: Environment, cluster: Cluster, pool: Pool) -> int:
    scheduled = [
        schedule.max_nodes_per_zone
        for schedule in environment.schedules
        if (schedule.cluster, schedule.pool) == (cluster.name, pool.name)
    ]
    return max(pool.max_nodes_per_zone, *scheduled) if scheduled else pool.max_nodes_per_zone
