"""L3 constructs of Moka: a network, a cluster and its capacity, identity, buckets and registries, each in one class.

The library knows no environment and no file of this repository; it takes props and makes resources. Names are loaded
when they are first used, so that a part that needs no AWS library does not pay for importing one.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moka_constructs.access_log_bucket import AccessLogBucket, AccessLogBucketProps
    from moka_constructs.addons import ADDON_VERSIONS
    from moka_constructs.alarm import Alarm, Metric, make_alarm
    from moka_constructs.alarm_topic import AlarmTopic, AlarmTopicProps, topic_arn
    from moka_constructs.archer_reach import ArcherReach, ArcherReachProps, ReachedCluster
    from moka_constructs.auto_scaling_tagger import AutoScalingTagger, AutoScalingTaggerProps
    from moka_constructs.closed_security_group import ClosedSecurityGroup
    from moka_constructs.control_plane import Access, ControlPlane, ControlPlaneProps
    from moka_constructs.dashboard import Dashboard, DashboardProps, Graph, Row
    from moka_constructs.data_bucket import BucketReader, DataBucket, DataBucketProps
    from moka_constructs.encryption_key import EncryptionKey, EncryptionKeyProps
    from moka_constructs.errors import PropsError
    from moka_constructs.flow_logs import FlowLogs, FlowLogsProps
    from moka_constructs.image_repository import ImageRepository, ImageRepositoryProps
    from moka_constructs.internal_load_balancer import InternalLoadBalancer, InternalLoadBalancerProps, ZoneSubnet
    from moka_constructs.launch_failures import LaunchFailures, LaunchFailuresProps
    from moka_constructs.location import Location
    from moka_constructs.manifest_set import (
        ManifestFunction,
        ManifestFunctionProps,
        ManifestSet,
        ManifestSetProps,
    )
    from moka_constructs.node_pool import NodePool, NodePoolContext, NodePoolProps, NodeSubnet, NodeTaint
    from moka_constructs.pool_schedule import PoolSchedule, PoolSchedules, PoolSchedulesProps
    from moka_constructs.pull_through_cache import (
        CachedRegistry,
        PullThroughCaches,
        PullThroughCachesProps,
        pull_cached_images,
    )
    from moka_constructs.role_path import set_role_path
    from moka_constructs.serverless_postgres import ServerlessPostgres, ServerlessPostgresProps
    from moka_constructs.service_role import ServiceRole, ServiceRoleProps
    from moka_constructs.service_targets import Service, ServiceTargets
    from moka_constructs.spark_cluster import SparkCluster, SparkClusterProps
    from moka_constructs.statements import Statement
    from moka_constructs.user_data import NodeSettings
    from moka_constructs.vpc import Vpc, VpcProps, ZoneSubnets
    from moka_constructs.vpc_endpoints import VpcEndpoints, VpcEndpointsProps
    from moka_constructs.workload_role import (
        ClusterIdentity,
        Mechanism,
        ServiceAccount,
        WorkloadRole,
        WorkloadRoleProps,
    )

_MODULES = {
    "ADDON_VERSIONS": "addons",
    "Access": "control_plane",
    "AccessLogBucket": "access_log_bucket",
    "AccessLogBucketProps": "access_log_bucket",
    "Alarm": "alarm",
    "AlarmTopic": "alarm_topic",
    "AlarmTopicProps": "alarm_topic",
    "ArcherReach": "archer_reach",
    "ArcherReachProps": "archer_reach",
    "AutoScalingTagger": "auto_scaling_tagger",
    "AutoScalingTaggerProps": "auto_scaling_tagger",
    "BucketReader": "data_bucket",
    "CachedRegistry": "pull_through_cache",
    "ClosedSecurityGroup": "closed_security_group",
    "ClusterIdentity": "workload_role",
    "ControlPlane": "control_plane",
    "ControlPlaneProps": "control_plane",
    "Dashboard": "dashboard",
    "DashboardProps": "dashboard",
    "DataBucket": "data_bucket",
    "DataBucketProps": "data_bucket",
    "EncryptionKey": "encryption_key",
    "EncryptionKeyProps": "encryption_key",
    "FlowLogs": "flow_logs",
    "FlowLogsProps": "flow_logs",
    "Graph": "dashboard",
    "ImageRepository": "image_repository",
    "ImageRepositoryProps": "image_repository",
    "InternalLoadBalancer": "internal_load_balancer",
    "InternalLoadBalancerProps": "internal_load_balancer",
    "LaunchFailures": "launch_failures",
    "LaunchFailuresProps": "launch_failures",
    "Location": "location",
    "ManifestFunction": "manifest_set",
    "ManifestFunctionProps": "manifest_set",
    "ManifestSet": "manifest_set",
    "ManifestSetProps": "manifest_set",
    "Mechanism": "workload_role",
    "Metric": "alarm",
    "NodePool": "node_pool",
    "NodePoolContext": "node_pool",
    "NodePoolProps": "node_pool",
    "NodeSettings": "user_data",
    "NodeSubnet": "node_pool",
    "NodeTaint": "node_pool",
    "PoolSchedule": "pool_schedule",
    "PoolSchedules": "pool_schedule",
    "PoolSchedulesProps": "pool_schedule",
    "PropsError": "errors",
    "PullThroughCaches": "pull_through_cache",
    "PullThroughCachesProps": "pull_through_cache",
    "ReachedCluster": "archer_reach",
    "Row": "dashboard",
    "ServerlessPostgres": "serverless_postgres",
    "ServerlessPostgresProps": "serverless_postgres",
    "Service": "service_targets",
    "ServiceAccount": "workload_role",
    "ServiceRole": "service_role",
    "ServiceRoleProps": "service_role",
    "ServiceTargets": "service_targets",
    "SparkCluster": "spark_cluster",
    "SparkClusterProps": "spark_cluster",
    "Statement": "statements",
    "Vpc": "vpc",
    "VpcEndpoints": "vpc_endpoints",
    "VpcEndpointsProps": "vpc_endpoints",
    "VpcProps": "vpc",
    "WorkloadRole": "workload_role",
    "WorkloadRoleProps": "workload_role",
    "ZoneSubnet": "internal_load_balancer",
    "ZoneSubnets": "vpc",
    "make_alarm": "alarm",
    "pull_cached_images": "pull_through_cache",
    "set_role_path": "role_path",
    "topic_arn": "alarm_topic",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


__all__ = [
    "ADDON_VERSIONS",
    "Access",
    "AccessLogBucket",
    "AccessLogBucketProps",
    "Alarm",
    "AlarmTopic",
    "AlarmTopicProps",
    "ArcherReach",
    "ArcherReachProps",
    "AutoScalingTagger",
    "AutoScalingTaggerProps",
    "BucketReader",
    "CachedRegistry",
    "ClosedSecurityGroup",
    "ClusterIdentity",
    "ControlPlane",
    "ControlPlaneProps",
    "Dashboard",
    "DashboardProps",
    "DataBucket",
    "DataBucketProps",
    "EncryptionKey",
    "EncryptionKeyProps",
    "FlowLogs",
    "FlowLogsProps",
    "Graph",
    "ImageRepository",
    "ImageRepositoryProps",
    "InternalLoadBalancer",
    "InternalLoadBalancerProps",
    "LaunchFailures",
    "LaunchFailuresProps",
    "Location",
    "ManifestFunction",
    "ManifestFunctionProps",
    "ManifestSet",
    "ManifestSetProps",
    "Mechanism",
    "Metric",
    "NodePool",
    "NodePoolContext",
    "NodePoolProps",
    "NodeSettings",
    "NodeSubnet",
    "NodeTaint",
    "PoolSchedule",
    "PoolSchedules",
    "PoolSchedulesProps",
    "PropsError",
    "PullThroughCaches",
    "PullThroughCachesProps",
    "ReachedCluster",
    "Row",
    "ServerlessPostgres",
    "ServerlessPostgresProps",
    "Service",
    "ServiceAccount",
    "ServiceRole",
    "ServiceRoleProps",
    "ServiceTargets",
    "SparkCluster",
    "SparkClusterProps",
    "Statement",
    "Vpc",
    "VpcEndpoints",
    "VpcEndpointsProps",
    "VpcProps",
    "WorkloadRole",
    "WorkloadRoleProps",
    "ZoneSubnet",
    "ZoneSubnets",
    "make_alarm",
    "pull_cached_images",
    "set_role_path",
    "topic_arn",
]
