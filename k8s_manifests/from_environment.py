"""From an environment and one of its clusters to the props of charts: what `assembly.py` needs, one function per chart.

Beside `assembly.py` and `autoscaler_settings.py`, the only module here that reads an `Environment`.
"""

from typing import Final

from environments import Environment
from environments import names as moka_names
from environments.clusters import Cluster, PoolRole
from environments.data import HiveCatalog
from environments.instances import instance_types
from environments.network import ExistingNetwork, NewNetwork
from environments.service import Celeborn
from environments.subnets import routed_subnets
from environments.tenancy import Team
from k8s_manifests.archer import Account, ArcherProps
from k8s_manifests.archer_config import archer_config
from k8s_manifests.autoscaler_settings import autoscaler_flags, priority_config_map
from k8s_manifests.celeborn import CelebornProps, WorkerSize
from k8s_manifests.cluster_autoscaler import ClusterAutoscalerProps
from k8s_manifests.history_server import HistoryServerProps
from k8s_manifests.images import (
    CELEBORN,
    CLUSTER_AUTOSCALER,
    FLUENT_BIT,
    LOAD_BALANCER_CONTROLLER,
    PAUSE,
    SPARK_OPERATOR,
    WEBHOOK_CERTIFICATES,
    YUNIKORN_ADMISSION,
    YUNIKORN_SCHEDULER,
)
from k8s_manifests.load_balancer_controller import LoadBalancerControllerProps
from k8s_manifests.log_shipper import LogShipperProps
from k8s_manifests.namespaces import TeamNamespace
from k8s_manifests.network_policies import ClusterNetwork, JobNetwork
from k8s_manifests.own_images import ARCHER, SPARK
from k8s_manifests.placement import on_every_node_of, on_role
from k8s_manifests.spark_operator import SparkOperatorProps
from k8s_manifests.text import to_yaml
from k8s_manifests.yunikorn import YuniKornProps

PODS_OF_A_NODE: Final = 10
"""DaemonSets' pods and the platform's, beside jobs'."""
EVENT_LOG_PREFIX: Final = "spark-events/"
"""Below the bucket of event logs; as in `infra/workload.py`, which grants rights below it."""


def team_namespace(environment: Environment, cluster: Cluster, team: Team) -> TeamNamespace:
    """Return a team's namespace on `cluster`."""
    workload = moka_names.team_workload(team)
    role_arn = irsa_role(environment, cluster, workload)
    return TeamNamespace(
        team=team.name,
        namespace=moka_names.namespace(team),
        vcores=team.quota.vcores,
        memory_gib=team.quota.memory_gib,
        pods=team.quota.pods,
        role_arn=role_arn,
        network=_job_network(environment, cluster, pod_identity=role_arn is None),
    )


def spark_operator(environment: Environment, cluster: Cluster) -> SparkOperatorProps:
    """Return the operator for the namespaces of the teams on `cluster`."""
    return SparkOperatorProps(
        environment=environment.name,
        image=SPARK_OPERATOR.in_registry(moka_names.registry(environment)),
        job_namespaces=tuple(moka_names.namespace(team) for team in environment.teams_on(cluster)),
        workers=_operator_workers(environment.archer.creates_per_minute),
        # a quarter of the smallest system node: the largest part that surely fits beside the rest of the platform
        cpu_millis=max(1000, _smallest_node_vcpu(cluster, "system") * 250),
        placement=on_role(cluster, "system"),
        network=cluster_network(environment),
    )


def yunikorn(environment: Environment, cluster: Cluster) -> YuniKornProps:
    """Return YuniKorn with the environment's queues, sized for `cluster`."""
    registry = moka_names.registry(environment)
    return YuniKornProps(
        environment=environment.name,
        cluster=moka_names.eks_cluster(environment, cluster),
        scheduler_image=YUNIKORN_SCHEDULER.in_registry(registry),
        admission_image=YUNIKORN_ADMISSION.in_registry(registry),
        placeholder_image=PAUSE.in_registry(registry),
        queues=environment.queues,
        pods=_most_pods(environment, cluster),
        nodes=_most_nodes(environment, cluster),
        placement=on_role(cluster, "system"),
        network=cluster_network(environment),
    )


def cluster_autoscaler(environment: Environment, cluster: Cluster) -> ClusterAutoscalerProps:
    """Return the autoscaler of the cluster's own minor, with the flags for Spark."""
    image = CLUSTER_AUTOSCALER[cluster.kubernetes_version]
    namespace, account = moka_names.SERVICE_ACCOUNTS["cluster-autoscaler"]
    return ClusterAutoscalerProps(
        environment=environment.name,
        version=image.version,
        image=image.in_registry(moka_names.registry(environment)),
        region=environment.region,
        namespace=namespace,
        account=account,
        role_arn=irsa_role(environment, cluster, "cluster-autoscaler"),
        flags=autoscaler_flags(environment, cluster),
        priorities=priority_config_map(environment, cluster)["data"],
        reads_devices=cluster.kubernetes_version != "1.34",
        pods=_most_pods(environment, cluster),
        nodes=_most_nodes(environment, cluster),
        placement=on_role(cluster, "system"),
        network=cluster_network(environment),
    )


def load_balancer_controller(environment: Environment, cluster: Cluster) -> LoadBalancerControllerProps:
    """Return the controller that puts Archer's pods behind its load balancer."""
    registry, network = moka_names.registry(environment), environment.network
    namespace, account = moka_names.SERVICE_ACCOUNTS["load-balancer-controller"]
    # the network stack names a new VPC so; its id is known only after a deploy
    by_tag = f"--aws-vpc-tags=Name=moka-{environment.name}"
    return LoadBalancerControllerProps(
        environment=environment.name,
        cluster=moka_names.eks_cluster(environment, cluster),
        version=LOAD_BALANCER_CONTROLLER.version,
        image=LOAD_BALANCER_CONTROLLER.in_registry(registry),
        certificate_image=WEBHOOK_CERTIFICATES.in_registry(registry),
        region=environment.region,
        vpc=f"--aws-vpc-id={network.vpc_id}" if isinstance(network, ExistingNetwork) else by_tag,
        namespace=namespace,
        account=account,
        role_arn=irsa_role(environment, cluster, "load-balancer-controller"),
        placement=on_role(cluster, "system"),
        network=cluster_network(environment),
    )


def archer(environment: Environment, cluster: Cluster) -> ArcherProps:
    """Return Archer on its host."""
    given = environment.archer
    services: tuple[moka_names.ArcherService, ...] = ("api", "livy", "history")
    namespace, _account = moka_names.SERVICE_ACCOUNTS["archer"]
    return ArcherProps(
        environment=environment.name,
        image=ARCHER.in_registry(moka_names.registry(environment)),
        region=environment.region,
        namespace=namespace,
        archer=_account_of(environment, cluster, "archer"),
        migrate=_account_of(environment, cluster, "archer-migrate"),
        config=to_yaml(archer_config(environment)),
        authentication=given.authentication,
        history_url=f"https://{moka_names.history_hostname(environment)}",
        replicas={
            "api": given.replicas.api,
            "dispatcher": given.replicas.dispatcher,
            "tracker": given.replicas.tracker,
            "janitor": given.replicas.janitor,
        },
        job_namespaces=tuple(moka_names.namespace(team) for team in environment.teams_on(cluster)),
        target_groups={service: moka_names.target_group(environment, service) for service in services},
        security_group_ids=given.pod_security_group_ids,
        placement=on_role(cluster, "system"),
        network=cluster_network(environment),
    )


def _account_of(environment: Environment, cluster: Cluster, workload: str) -> Account:
    _namespace, account = moka_names.SERVICE_ACCOUNTS[workload]
    return Account(name=account, role_arn=irsa_role(environment, cluster, workload))


def history_server(environment: Environment, cluster: Cluster) -> HistoryServerProps:
    """Return the History Server of the environment's event logs."""
    namespace, account = moka_names.SERVICE_ACCOUNTS["history-server"]
    return HistoryServerProps(
        environment=environment.name,
        image=SPARK.in_registry(moka_names.registry(environment)),
        region=environment.region,
        namespace=namespace,
        account=account,
        role_arn=irsa_role(environment, cluster, "history-server"),
        event_logs=f"s3a://{moka_names.bucket(environment, 'event-logs')}/{EVENT_LOG_PREFIX}",
        event_log_days=environment.storage.event_log_days,
        placement=on_role(cluster, "system"),
        network=cluster_network(environment),
    )


def log_shipper(environment: Environment, cluster: Cluster) -> LogShipperProps:
    """Return the shipper for the nodes of drivers and executors."""
    namespace, account = moka_names.SERVICE_ACCOUNTS["log-shipper"]
    return LogShipperProps(
        environment=environment.name,
        image=FLUENT_BIT.in_registry(moka_names.registry(environment)),
        region=environment.region,
        namespace=namespace,
        account=account,
        role_arn=irsa_role(environment, cluster, "log-shipper"),
        bucket=moka_names.bucket(environment, "container-logs"),
        placement=on_every_node_of(cluster, "driver", "executor"),
        network=cluster_network(environment),
    )


def celeborn(environment: Environment, cluster: Cluster, service: Celeborn) -> CelebornProps:
    """Return Celeborn, its workers as large as the smallest node of their pools allows."""
    types = instance_types()
    pools = [pool for pool in cluster.pools if pool.role == "celeborn"]
    node = min((types[pool.instance_types[0]] for pool in pools), key=lambda each: each.memory_mib)
    heap = node.memory_mib // 16
    return CelebornProps(
        environment=environment.name,
        image=CELEBORN.in_registry(moka_names.registry(environment)),
        masters=service.masters,
        workers=service.workers,
        worker=WorkerSize(
            # the rest is for the node's own: kubelet, DaemonSets, and the page cache that fetches are served from
            cpu_millis=node.vcpu * 750,
            heap_mib=heap,
            off_heap_mib=node.memory_mib // 2 - heap,
            # of the array, which also holds images and logs; GB are not GiB
            disk_mib=node.nvme_gb * 1000 * 1000 // 1049 * 8 // 10,
        ),
        job_namespaces=tuple(moka_names.namespace(team) for team in environment.teams_on(cluster)),
        master_placement=on_role(cluster, "system"),
        worker_placement=on_role(cluster, "celeborn"),
    )


def irsa_role(environment: Environment, cluster: Cluster, workload: str) -> str | None:
    """Return the role that the workload's service account is annotated with; None where Pod Identity gives it."""
    mechanism = environment.identity.overrides.get(workload, environment.identity.mechanism)
    return moka_names.role_arn(environment, cluster, workload) if mechanism == "irsa" else None


def cluster_network(environment: Environment) -> ClusterNetwork:
    """Return where pods find the API server and AWS, from the network section alone."""
    network = environment.network
    if isinstance(network, NewNetwork):
        routed = routed_subnets(network).values()
        control_plane = [str(subnets.control_plane) for subnets in routed]
        load_balancer = [str(subnets.load_balancer) for subnets in routed]
        # interface endpoints sit in the primary range
        endpoints: tuple[str, ...] = (network.cidr,) if network.interface_endpoints else ()
    else:
        control_plane = [subnet.cidr for subnet in network.subnets if subnet.use == "control_plane"]
        load_balancer = [subnet.cidr for subnet in network.subnets if subnet.use == "load_balancer"]
        endpoints = network.vpc_cidrs
    return ClusterNetwork(
        control_plane_cidrs=tuple(control_plane),
        endpoint_cidrs=endpoints,
        load_balancer_cidrs=tuple(load_balancer),
    )


def _job_network(environment: Environment, cluster: Cluster, *, pod_identity: bool) -> JobNetwork:
    reached, catalog = cluster_network(environment), environment.catalog
    hive = catalog if isinstance(catalog, HiveCatalog) else None
    return JobNetwork(
        control_plane_cidrs=reached.control_plane_cidrs,
        endpoint_cidrs=reached.endpoint_cidrs,
        pod_identity=pod_identity,
        metastore_cidrs=() if hive is None else hive.cidrs,
        metastore_ports=() if hive is None else tuple(sorted({int(uri.rsplit(":", 1)[1]) for uri in hive.uris})),
        celeborn=environment.celeborn is not None and any(pool.role == "celeborn" for pool in cluster.pools),
        archer=environment.archer.cluster == cluster.name,
    )


def _operator_workers(creates_per_minute: int) -> int:
    """Return how many spark-submit JVMs run at once, by the operator's own benchmark.

    10 reach about 130 submits a minute, 20 about 145; 4 are enough for a quarter of that.
    """
    if creates_per_minute <= 30:
        return 4
    return 10 if creates_per_minute <= 120 else 20


def _smallest_node_vcpu(cluster: Cluster, role: PoolRole) -> int:
    """Return the vCPU of the smallest node of that role; 0 when there is no such pool."""
    types = instance_types()
    return min((types[pool.instance_types[0]].vcpu for pool in cluster.pools if pool.role == role), default=0)


def _most_nodes(environment: Environment, cluster: Cluster) -> int:
    """Return how many nodes the cluster has at most, schedules included."""
    return sum(
        _widest(environment, cluster, pool.name, pool.max_nodes_per_zone) * len(environment.pool_zones(pool))
        for pool in cluster.pools
    )


def _widest(environment: Environment, cluster: Cluster, pool: str, bound: int) -> int:
    scheduled = [
        each.max_nodes_per_zone for each in environment.schedules if (each.cluster, each.pool) == (cluster.name, pool)
    ]
    return max(bound, *scheduled) if scheduled else bound


def _most_pods(environment: Environment, cluster: Cluster) -> int:
    """Return how many pods the cluster has at most: what the teams' quotas allow, and some on every node."""
    jobs = sum(team.quota.pods for team in environment.teams_on(cluster))
    return jobs + PODS_OF_A_NODE * _most_nodes(environment, cluster)
