"""Celeborn and the pools that carry it: both or neither, and a node for every worker."""

from environments.clusters import Cluster, Pool
from environments.model import Environment
from environments.problems import Finding, Findings, Path, Words

Place = tuple[Path, Cluster, Pool]


def both_or_neither(environment: Environment) -> Findings:
    """A celeborn section needs pools of role celeborn, and such a pool needs the section."""
    pools = _pools(environment)
    if environment.celeborn is None:
        allowed = "another role while the file has no celeborn section"
        fix = "add celeborn: {workers: 3}, or give the pool another role"
        for path, _, _ in pools:
            yield Finding(path=(*path, "role"), value="celeborn", allowed=allowed, fix=fix)
    elif not pools:
        allowed = "absent while no cluster has a pool of role celeborn"
        fix = "add a pool with role: celeborn, or remove celeborn"
        yield Finding(
            path=("celeborn",), value=Words(f"{environment.celeborn.workers} workers"), allowed=allowed, fix=fix
        )


def workers(environment: Environment) -> Findings:
    """One worker per node, and two workers at least where every block is written twice."""
    service, path = environment.celeborn, ("celeborn", "workers")
    if service is None:
        return
    if service.replicate and service.workers < 2:
        allowed = "at least 2 with replicate: true, one for each copy"
        yield Finding(path=path, value=service.workers, allowed=allowed, fix="set workers: 2 or replicate: false")
    nodes: dict[str, int] = {}
    for _, cluster, pool in _pools(environment):
        most = pool.max_nodes_per_zone * len(environment.pool_zones(pool))
        nodes[cluster.name] = nodes.get(cluster.name, 0) + most
    for name, most in nodes.items():
        if most < service.workers:
            allowed = f"at most {most}, the nodes that celeborn pools of cluster {name} can have: one worker per node"
            fix = f"set workers: {most}, or raise max_nodes_per_zone"
            yield Finding(path=path, value=service.workers, allowed=allowed, fix=fix)


def _pools(environment: Environment) -> list[Place]:
    """Return the pools of role celeborn with their places."""
    return [
        (("clusters", number, "pools", index), cluster, pool)
        for number, cluster in enumerate(environment.clusters)
        for index, pool in enumerate(cluster.pools)
        if pool.role == "celeborn"
    ]
