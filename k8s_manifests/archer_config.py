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
from k8s_manifests.celeborn_addresses import CELEBORN_MASTER_PORT, master_host
from k8s_manifests.labels import NODE_POOL
from k8s_manifests.own_images import SPARK, spark_features
from k8s_manifests.placement import as_toleration, node_taints
from k8s_manifests.tiers import TIERS

Json = dict[str, Any]


def archer_config(environment: Environment) -> Json:
    """Return the content of `archer.yaml`. It holds no secret, and the account in addresses alone."""
    content: Json = {
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
        "spark_images": _spark_images(environment),
        "conf": dict(environment.spark.conf),
    }
    if environment.queues.user_limit is not None:
        limit = environment.queues.user_limit
        content["queues"]["user_limit"] = {
            "max_applications": limit.max_applications,
            "max": _resources(limit.max),
        }
        if limit.max_waiting is not None:
            content["queues"]["user_limit"]["max_waiting"] = limit.max_waiting
    if environment.catalog.kind != "none":
        content["catalog"] = environment.catalog.model_dump(mode="json", exclude_none=True, exclude={"cidrs"})
    return content


def _spark_images(environment: Environment) -> list[Json]:
    """The platform's own image first: it is the default."""
    own = {"spark_version": SPARK.version, "image": SPARK.in_registry(moka_names.registry(environment))}
    others = (
        {"spark_version": image.version, "image": image.image, "architectures": list(image.architectures)}
        for image in environment.spark.images
    )
    return [own, *others]


def _cluster(environment: Environment, cluster: Cluster) -> Json:
    entry: Json = {
        "name": cluster.name,
        "eks_name": moka_names.eks_cluster(environment, cluster),
        "kubernetes_version": cluster.kubernetes_version,
        "creates_per_minute": environment.archer.creates_per_minute,
        "pools": [_pool(environment, pool) for pool in cluster.pools if pool.role in {"driver", "executor"}],
    }
    service = environment.celeborn
    if service is not None and any(pool.role == "celeborn" for pool in cluster.pools):
        hosts = (master_host(number) for number in range(service.masters))
        entry["celeborn"] = {
            "endpoints": [f"{host}:{CELEBORN_MASTER_PORT}" for host in hosts],
            "replicate": service.replicate,
        }
    return entry


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
    for name, number in (
        ("max_applications", queue.max_applications),
        ("max_waiting", queue.max_waiting),
        ("weight", queue.weight),
    ):
        if number is not None:
            entry[name] = number
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
        "identity": environment.identity.overrides.get(moka_names.team_workload(team), environment.identity.mechanism),
        "conf": dict(team.conf),
    }


def _profile(profile: Profile) -> Json:
    dumped: Json = profile.model_dump(mode="json", exclude_none=True)
    return dumped


def _location(environment: Environment, use: BucketUse) -> str:
    return f"s3://{moka_names.bucket(environment, use)}"
