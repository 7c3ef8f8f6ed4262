"""The cluster stack: one EKS cluster with its keys, roles, node pools and add-ons."""

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk

from environments import Environment, names
from environments.clusters import Cluster
from infra.alarms import cluster_alarms, schedule_alarm, state_machine_arn
from infra.base import MokaStack, alarm_topics, mechanism
from infra.outputs import ClusterOutputs, NetworkOutputs
from infra.pools import node_pool_props
from moka_constructs import (
    Access,
    ControlPlaneProps,
    EncryptionKey,
    EncryptionKeyProps,
    LaunchFailures,
    LaunchFailuresProps,
    NodePool,
    PoolSchedule,
    PoolSchedules,
    PoolSchedulesProps,
    ServiceRole,
    ServiceRoleProps,
    SparkCluster,
    SparkClusterProps,
    Statement,
    pull_cached_images,
)

CONTROL_PLANE_POLICIES = ("AmazonEKSClusterPolicy",)
POD_INTERFACE_POLICIES = ("AmazonEKSVPCResourceController",)
"""Lets the control plane give pods interfaces of their own."""
NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore")
"""Join the cluster, pull images, and a shell through Session Manager, the only way onto a node. Networking and volumes
have roles of their own, so that a pod that reaches the node's credentials gains neither."""

PURPOSES: Final = {
    "control-plane": "Lets the control plane reach its nodes' network",
    "nodes": "Lets nodes join and pull images",
}
"""{role: what it is for}."""


class ClusterStack(MokaStack):
    """One cluster of the environment."""

    def __init__(self, stage: cdk.Stage, environment: Environment, cluster: Cluster, network: NetworkOutputs) -> None:
        super().__init__(stage, f"cluster-{cluster.name}", environment, protect=cluster.deletion_protection)
        self._cluster = cluster
        self._pods_have_security_groups = bool(
            cluster.name == environment.archer.cluster and environment.archer.pod_security_group_ids
        )
        spark = SparkCluster(
            self,
            "Cluster",
            SparkClusterProps(
                control_plane=self._control_plane(network),
                pools=tuple(node_pool_props(pool, environment.pool_zones(pool), network) for pool in cluster.pools),
                node_role_arn=cluster.node_role_arn
                or self._role("NodeRole", "nodes", "ec2", NODE_POLICIES, self._pull_cached_images()),
                node_role_key=cluster.node_role_arn or names.role(environment, cluster, "nodes"),
                volumes_key_arn=environment.storage.volumes_key_arn
                or self._key("VolumesKey", "volumes", "Node volumes"),
                node_security_group_ids=network.node_security_group_ids,
                node_tags=environment.tags,
                cni_role_name=names.role(environment, cluster, "vpc-cni"),
                ebs_csi_role_name=names.role(environment, cluster, "ebs-csi"),
                tagger_name=names.role(environment, cluster, "asg-tagger"),
                cni_mechanism=mechanism(environment, "vpc-cni"),
                ebs_csi_mechanism=mechanism(environment, "ebs-csi"),
                pod_security_groups=self._pods_have_security_groups,
            ),
        )
        self._schedules({pool.name: pool for pool in spark.pools})
        self._alarms(spark.tagger.auto_scaling_groups)
        self.outputs = ClusterOutputs(
            identity=spark.identity,
            security_group_id=spark.security_group_id,
            endpoint=spark.control_plane.endpoint,
            certificate_authority=spark.control_plane.certificate_authority,
            alarm_names=tuple(self.alarm_names),
        )
        cdk.CfnOutput(self, "ClusterName", value=names.eks_cluster(environment, cluster))
        cdk.CfnOutput(self, "OidcIssuer", value=spark.identity.oidc_issuer)

    def _control_plane(self, network: NetworkOutputs) -> ControlPlaneProps:
        cluster = self._cluster
        return ControlPlaneProps(
            cluster_name=names.eks_cluster(self.environment_file, cluster),
            location=self.location,
            kubernetes_version=cluster.kubernetes_version,
            role_arn=cluster.cluster_role_arn
            or self._role(
                "ControlPlaneRole",
                "control-plane",
                "eks",
                (*CONTROL_PLANE_POLICIES, *(POD_INTERFACE_POLICIES if self._pods_have_security_groups else ())),
            ),
            vpc_id=network.vpc_id,
            subnet_ids=network.control_plane_subnet_ids,
            secrets_key_arn=cluster.secrets_key_arn or self._key("SecretsKey", "secrets", "Kubernetes secrets"),
            access=tuple(
                Access(role_arn=entry.role_arn, policy=entry.policy, namespaces=entry.namespaces)
                for entry in cluster.access
            ),
            public_cidrs=cluster.endpoint.allowed_cidrs if cluster.endpoint.access == "public_and_private" else (),
            api_prefix_lists=network.prefix_list_ids,
            log_types=cluster.log_types,
            log_retention_days=cluster.log_retention_days,
            tier=cluster.control_plane_tier,
            terminated_pod_gc_threshold=cluster.terminated_pod_gc_threshold,
            deletion_protection=cluster.deletion_protection,
            zonal_shift=cluster.zonal_shift,
        )

    def _schedules(self, pools: Mapping[str, NodePool]) -> None:
        environment, cluster = self.environment_file, self._cluster
        schedules = [each for each in environment.schedules if each.cluster == cluster.name]
        if not schedules:
            return
        PoolSchedules(
            self,
            "Schedules",
            PoolSchedulesProps(
                cluster_name=names.eks_cluster(environment, cluster),
                resize_role_name=names.role(environment, cluster, "pool-resize"),
                start_role_name=names.role(environment, cluster, "pool-schedules"),
                location=self.location,
                schedules=tuple(
                    PoolSchedule(
                        name=each.name,
                        pool=pools[each.pool],
                        cron=each.cron,
                        timezone=each.timezone,
                        min_nodes_per_zone=each.min_nodes_per_zone,
                        max_nodes_per_zone=each.max_nodes_per_zone,
                    )
                    for each in schedules
                ),
            ),
        )

    def _alarms(self, groups: Mapping[tuple[str, str], str]) -> None:
        environment, cluster = self.environment_file, self._cluster
        topics = alarm_topics(environment)
        for construct_id, alarm in cluster_alarms(environment, cluster, groups):
            self.watch(construct_id, alarm)
        if any(each.cluster == cluster.name for each in environment.schedules):
            machine = state_machine_arn(self.location, names.role(environment, cluster, "pool-resize"))
            self.watch("Schedule", schedule_alarm(environment, cluster, machine))
        if topics:
            name = f"{names.eks_cluster(environment, cluster)}-launch-failures"
            props = LaunchFailuresProps(name=name, auto_scaling_groups=list(groups.values()), topic_arns=topics)
            LaunchFailures(self, "LaunchFailures", props)

    def _pull_cached_images(self) -> tuple[Statement, ...]:
        environment = self.environment_file
        caches = environment.delivery.pull_through_caches
        prefixes = tuple(names.cache_prefix(environment, cache.upstream) for cache in caches)
        return (pull_cached_images("PullCachedImages", self.location, prefixes),) if prefixes else ()

    def _role(
        self,
        construct_id: str,
        workload: str,
        service: str,
        policies: tuple[str, ...],
        statements: tuple[Statement, ...] = (),
    ) -> str:
        props = ServiceRoleProps(
            role_name=names.role(self.environment_file, self._cluster, workload),
            location=self.location,
            description=f"{PURPOSES[workload]} (EKS cluster {names.eks_cluster(self.environment_file, self._cluster)})",
            service=f"{service}.amazonaws.com",
            managed_policies=policies,
            statements=statements,
        )
        return ServiceRole(self, construct_id, props).arn

    def _key(self, construct_id: str, use: str, what: str) -> str:
        cluster = names.eks_cluster(self.environment_file, self._cluster)
        props = EncryptionKeyProps(
            alias=f"{cluster}-{use}",
            description=f"{what} of EKS cluster {cluster}",
            location=self.location,
            retain=self.environment_file.storage.retain,
            for_auto_scaling=use == "volumes",
        )
        return EncryptionKey(self, construct_id, props).arn
