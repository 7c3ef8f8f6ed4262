"""Archer's view of an environment (`archer.yaml`): clusters, pools, queues, teams, profiles, storage.

Written once in the environment file, read by Archer's admission and dispatcher. The file's shape belongs to Archer
(`archer/cluster_config.py`); this module only fills it, and `moka render` has Archer check the result.
"""

from collections.abc import Iterator
from typing import Any

from environments import Environment
from environments import names as moka_names
from environments.clusters import Cluster, Pool
from environments.instances import instance_types
from environments.names import BucketUse
from environments.service import Profile
from environments.tenancy import Queue, Resources, Team
from k8s_manifests.labels import NODE_POOL
from k8s_manifests.own_images import spark_features
from k8s_manifests.placement import as_toleration, node_taints
from k8s_manifests.tiers import TIERS

Json = dict[str, Any]


def archer_config(environment: Environment) -> Json:
    """Return the content of `archer.yaml`. It holds no secret and no account id."""
    return {
        "schema_version": 1,
        "environment": environment.name,
        "region": environment.region,
        "job_retention_days": environment.archer.job_retention_days,
        "clusters": [_cluster(environment, cluster) for cluster in environment.clusters],
        "queues": {
            "default": environment.queues.default,
            "tree": [entry for queue in environment.queues.tree for entry in _queues(queue, "root")],
        },
        "teams": [_team(environment, team) for team in environment.teams],
        "profiles": [_profile(profile) for profile in environment.profiles],
        "storage": {
            "event_logs": _location(environment, "event-logs"),
            "container_logs": _location(environment, "container-logs"),
            "artifacts": _location(environment, "artifacts"),
            "staging": _location(environment, "staging"),
        },
        "spark_features": [feature.name for feature in spark_features() if feature.built],
    }


def _cluster(environment: Environment, cluster: Cluster) -> Json:
    return {
        "name": cluster.name,
        "eks_name": moka_names.eks_cluster(environment, cluster),
        "kubernetes_version": cluster.kubernetes_version,
        "creates_per_minute": environment.archer.creates_per_minute,
        "pools": [_pool(environment, pool) for pool in cluster.pools if pool.role in {"driver", "executor"}],
    }


def _pool(environment: Environment, pool: Pool) -> Json:
    # the types of one pool share vCPU, memory and architecture
    node = instance_types()[pool.instance_types[0]]
    return {
        "name": pool.name,
        "role": pool.role,
        "capacity": pool.capacity,
        "architecture": node.architecture,
        "node_vcpu": node.vcpu,
        "node_memory_mib": node.memory_mib,
        "max_nodes": pool.max_nodes_per_zone * len(environment.pool_zones(pool)),
        "local_disk": pool.nvme == "raid0",
        "node_selector": {NODE_POOL: pool.name},
        "tolerations": [as_toleration(taint) for taint in node_taints(pool)],
    }


def _queues(queue: Queue, parent: str) -> Iterator[Json]:
    """Yield the queue and everything below it, a parent before its children."""
    path = f"{parent}.{queue.name}"
    leaf = not queue.queues
    entry: Json = {"path": path, "leaf": leaf}
    if leaf and queue.name in TIERS:
        entry["tier"] = queue.name
    if queue.max_applications is not None:
        entry["max_applications"] = queue.max_applications
    for key, amount in (("guaranteed", queue.guaranteed), ("max", queue.max)):
        if amount is not None:
            entry[key] = _resources(amount)
    yield entry
    for child in queue.queues:
        yield from _queues(child, path)


def _resources(amount: Resources) -> Json:
    return {"vcores": amount.vcores, "memory_gib": amount.memory_gib}


def _team(environment: Environment, team: Team) -> Json:
    return {
        "name": team.name,
        "namespace": moka_names.namespace(team),
        "service_account": moka_names.SPARK_SERVICE_ACCOUNT,
        "clusters": [cluster.name for cluster in environment.clusters if team in environment.teams_on(cluster)],
        "queues": list(team.queues),
        "submitters": list(team.submitters),
        "quota": {"vcores": team.quota.vcores, "memory_gib": team.quota.memory_gib},
        "pods": team.quota.pods,
    }


def _profile(profile: Profile) -> Json:
    dumped: Json = profile.model_dump(mode="json", exclude_none=True)
    return dumped


def _location(environment: Environment, use: BucketUse) -> str:
    return f"s3://{moka_names.bucket(environment, use)}"
