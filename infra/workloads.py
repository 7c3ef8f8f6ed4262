"""What each workload of a cluster may do in AWS, read from the environment: the platform's own, and the teams'.

Every ARN is computed from names, so that a role needs nothing that is known only after a deploy, but for the key.
"""

from typing import Final

from environments import Environment, names
from environments.clusters import Cluster
from infra.base import location
from infra.outputs import DataOutputs
from infra.team_workload import team_workload
from infra.workload import CONTAINER_LOG_PREFIX, EVENT_LOG_PREFIX, Workload, bucket_arn, service_account
from moka_constructs import Statement
from moka_constructs.auto_scaling_tagger.tags import DISCOVERY_TAG
from moka_constructs.statements import (
    add_objects,
    list_bucket,
    look,
    read_objects,
    register_targets,
    resize_groups,
    use_key,
)

AUTOSCALER_LOOKS: Final = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:GetInstanceTypesFromInstanceRequirements",
)
"""https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md#iam-policy"""
CONTROLLER_LOOKS: Final = (
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)
"""Of the AWS Load Balancer Controller when it binds pods to target groups that exist and nothing else: security group
rules are the Archer stack's, so the bindings name no `networking` and the controller changes none."""


def cluster_workloads(environment: Environment, cluster: Cluster, data: DataOutputs) -> tuple[Workload, ...]:
    """Return the workloads of `cluster` that have a role, in a stable order."""
    workloads = [team_workload(environment, team, data) for team in environment.teams_on(cluster)]
    workloads += [
        _history_server(environment, data),
        _log_shipper(environment, data),
        _cluster_autoscaler(environment, cluster),
    ]
    if environment.archer.cluster == cluster.name:
        workloads += [_archer(environment, data), _load_balancer_controller(environment)]
    return tuple(workloads)


def _system(name: str, purpose: str, *statements: Statement) -> Workload:
    """Return a workload of the platform."""
    return Workload(name=name, purpose=purpose, service_account=service_account(name), statements=statements)


def _history_server(environment: Environment, data: DataOutputs) -> Workload:
    event_logs = bucket_arn(environment, "event-logs")
    return _system(
        "history-server",
        "Shows finished jobs from their event logs",
        list_bucket("ListEventLogs", event_logs, EVENT_LOG_PREFIX),
        read_objects("ReadEventLogs", event_logs, EVENT_LOG_PREFIX),
        use_key("UsePlatformKey", data.key_arn, write=False),
    )


def _log_shipper(environment: Environment, data: DataOutputs) -> Workload:
    """Return the shipper of container logs: a node that is taken over can add to the logs and read none."""
    return _system(
        "log-shipper",
        "Adds container logs to their bucket",
        add_objects("AddContainerLogs", bucket_arn(environment, "container-logs"), CONTAINER_LOG_PREFIX),
        use_key("UsePlatformKey", data.key_arn, write=True),
    )


def _cluster_autoscaler(environment: Environment, cluster: Cluster) -> Workload:
    here, name = location(environment), names.eks_cluster(environment, cluster)
    groups = here.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/eks-*")
    return _system(
        "cluster-autoscaler",
        "Starts and ends nodes for pods that wait",
        look("Look", environment.region, AUTOSCALER_LOOKS),
        Statement(
            sid="LookAtNodeGroups",
            actions=("eks:DescribeNodegroup",),
            resources=(here.arn("eks", f"nodegroup/{name}/*"),),
        ),
        resize_groups("ResizeOwnGroups", groups, DISCOVERY_TAG, name),
    )


def _load_balancer_controller(environment: Environment) -> Workload:
    here = location(environment)
    services: tuple[names.ArcherService, ...] = ("api", "livy", "history")
    groups = [
        here.arn("elasticloadbalancing", f"targetgroup/{names.target_group(environment, service)}/*")
        for service in services
    ]
    return _system(
        "load-balancer-controller",
        "Puts Archer's and the History Server's pods behind the load balancer",
        look("Look", environment.region, CONTROLLER_LOOKS),
        register_targets("RegisterArchersPods", groups),
    )


def _archer(environment: Environment, data: DataOutputs) -> Workload:
    here = location(environment)
    logs = bucket_arn(environment, "container-logs")
    artifacts = bucket_arn(environment, "artifacts")
    return _system(
        "archer",
        "Finds the clusters, answers with logs and sees whether applications exist",
        Statement(
            sid="FindClusters",
            actions=("eks:DescribeCluster",),
            resources=tuple(
                here.arn("eks", f"cluster/{names.eks_cluster(environment, each)}") for each in environment.clusters
            ),
        ),
        list_bucket("ListContainerLogs", logs, CONTAINER_LOG_PREFIX),
        read_objects("ReadContainerLogs", logs, CONTAINER_LOG_PREFIX),
        list_bucket("ListArtifacts", artifacts),
        read_objects("SeeWhetherApplicationsExist", artifacts),
        use_key("UsePlatformKey", data.key_arn, write=False),
    )
