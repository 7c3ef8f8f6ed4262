"""Whether the nodes' subnets have room for every pool at its maximum, prefix delegation's /28 blocks included.

A subnet that runs full stops scale-up without a word in Kubernetes, so the file is refused before there is one.
"""

from environments.model import Environment
from environments.network import NewNetwork
from environments.problems import Finding, Findings, Path, Words
from environments.subnets import blocks_in, blocks_per_node, node_subnets


def room_for_pools(environment: Environment) -> Findings:
    """Each zone's subnets against the sum of what every pool of every cluster can grow to there."""
    subnets = node_subnets(environment.network)
    for zone in environment.network.zones:
        users = [
            (pool.max_nodes_per_zone * blocks_per_node(pool.max_pods), f"{cluster.name}/{pool.name}")
            for cluster in environment.clusters
            for pool in cluster.pools
            if zone in environment.pool_zones(pool)
        ]
        needed, room = sum(blocks for blocks, _ in users), blocks_in(subnets[zone])
        if needed <= room:
            continue
        largest = max(users)
        is_new = isinstance(environment.network, NewNetwork)
        path: Path = ("network", "pod_cidrs" if is_new else "subnets")
        yield Finding(
            path=path,
            value=Words(f"{room} blocks of 16 addresses for nodes in {zone}"),
            allowed=f"at least {needed}: each node takes one per 16 of its max_pods and one more",
            fix=f"{'add a range' if is_new else 'add a subnet for nodes'}, or lower max_nodes_per_zone or max_pods of {largest[1]}, which takes {largest[0]}",
        )
