"""Which alarms an environment has: what is watched, from when on it is trouble, and what to do first.

Each alarm stands in the stack whose resource it watches. Together in one stack they would hold Auto Scaling groups and NAT gateways by
their exports, and CloudFormation refuses to replace what another stack imports.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from environments import Environment, names
from environments.alarms import Alarms
from environments.clusters import Cluster, Pool
from moka_constructs import Alarm, Location, Metric

ETCD_BYTES: Final = 8 * 1024**3
"""Size at which etcd refuses writes. https://docs.aws.amazon.com/eks/latest/best-practices/control-plane.html"""
ETCD_BYTES_PROVISIONED: Final = 16 * 1024**3
"""The same with a provisioned control plane."""
ETCD_SHARE: Final = 0.75
"""Where the alarm is: a busy Spark cluster writes the rest within hours."""


def etcd_limit(cluster: Cluster) -> int:
    """Return the bytes from which the alarm rings."""
    whole = ETCD_BYTES if cluster.control_plane_tier == "standard" else ETCD_BYTES_PROVISIONED
    return int(whole * ETCD_SHARE)


def network_alarms(environment: Environment, gateways: Mapping[str, str]) -> Iterator[tuple[str, Alarm]]:
    """Yield (construct id, alarm) for NAT gateways, {zone: id}.

    https://docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html
    """
    for zone, gateway in gateways.items():
        metric = Metric(
            namespace="AWS/NATGateway",
            name="ErrorPortAllocation",
            dimensions={"NatGatewayId": gateway},
            statistic="Sum",
        )
        yield (
            f"NatPorts{zone.rsplit('-', 1)[1].upper()}",
            Alarm(
                name=names.alarm(environment, f"nat-ports-{zone}"),
                meaning=f"The NAT gateway of {zone} has no port left for new connections to one destination. See who opens them in the flow logs; add an endpoint for that service (network.interface_endpoints), or set network.nat to per_zone.",
                metrics={"errors": metric},
                threshold=1,
                periods=2,
            ),
        )


def cluster_alarms(
    environment: Environment, cluster: Cluster, groups: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, Alarm]]:
    """Yield alarms of a control plane, and of every autoscaled group, {(pool, zone): Auto Scaling group}.

    https://docs.aws.amazon.com/eks/latest/userguide/cloudwatch.html,
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html
    """
    eks, limits = names.eks_cluster(environment, cluster), _limits(environment)
    yield (
        "Throttled",
        Alarm(
            name=names.alarm(environment, f"{cluster.name}-api-throttled"),
            meaning=f"The API server of {eks} has turned requests away (429) for a quarter of an hour. Lower archer.creates_per_minute, find the client in the audit log, or choose a larger clusters[].control_plane_tier.",
            metrics={"throttled": _eks(eks, "apiserver_request_total_429", "Sum")},
            threshold=limits.throttled_per_minute * 5,
        ),
    )
    yield (
        "Etcd",
        Alarm(
            name=names.alarm(environment, f"{cluster.name}-etcd-size"),
            meaning=f"The database of {eks} is three quarters full; when it is full the cluster is read-only. Look for objects that pile up: finished pods (clusters[].terminated_pod_gc_threshold), SparkApplications, events.",
            metrics={"size": _eks(eks, "apiserver_storage_size_bytes", "Maximum")},
            threshold=etcd_limit(cluster),
        ),
    )
    for pool in cluster.pools:
        if pool.role == "system" or not _can_grow(environment, cluster, pool):
            continue
        for zone in environment.pool_zones(pool):
            yield (
                f"Full{pool.name.title().replace('-', '')}{zone.rsplit('-', 1)[1].upper()}",
                Alarm(
                    name=names.alarm(environment, f"{cluster.name}-full-{pool.name}-{zone}"),
                    meaning=f"Pool {pool.name} of {eks} has had as many nodes in {zone} as it may for {limits.full_group_minutes} minutes: pods wait. Raise max_nodes_per_zone, or find the job that holds the nodes.",
                    metrics={
                        "nodes": _group(groups[pool.name, zone], "GroupInServiceInstances"),
                        "most": _group(groups[pool.name, zone], "GroupMaxSize"),
                    },
                    # a group that a schedule closed has a maximum of 0 and is not full
                    expression="IF(most > 0, nodes / most * 100, 0)",
                    threshold=100,
                    periods=limits.full_group_minutes // 5,
                ),
            )


def schedule_alarm(environment: Environment, cluster: Cluster, state_machine_arn: str) -> Alarm:
    """Return the alarm of a cluster's schedules. https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html."""

    def executions(name: str) -> Metric:
        dimensions = {"StateMachineArn": state_machine_arn}
        return Metric(namespace="AWS/States", name=name, dimensions=dimensions, statistic="Sum")

    return Alarm(
        name=names.alarm(environment, f"{cluster.name}-schedule-failed"),
        meaning=f"A schedule could not change the bounds of a pool of {names.eks_cluster(environment, cluster)}, or waited in vain for its nodes to be idle. Read the execution's last event in Step Functions; the pool keeps its old bounds until the next time.",
        metrics={"failed": executions("ExecutionsFailed"), "late": executions("ExecutionsTimedOut")},
        # an execution that times out is no failed one, and a metric without executions has no data
        expression="FILL(failed, 0) + FILL(late, 0)",
        threshold=1,
        periods=1,
    )


def archer_alarms(environment: Environment, balancer: str, targets: Mapping[str, str]) -> Iterator[tuple[str, Alarm]]:
    """Yield alarms of Archer's database and of its load balancer; `balancer` and `targets`, {service: name}, are full names.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html,
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    """
    database = names.archer(environment)
    limits = _limits(environment)
    acu = Metric(
        namespace="AWS/RDS",
        name="ACUUtilization",
        dimensions={"DBClusterIdentifier": database},
        statistic="Average",
    )
    yield (
        "Database",
        Alarm(
            name=names.alarm(environment, "archer-database-busy"),
            meaning=f"Archer's database has used {limits.database_percent} % of archer.database.max_acu for a quarter of an hour; answers get slow. Look at the top statements in Database Insights, or raise max_acu.",
            metrics={"share": acu},
            threshold=limits.database_percent,
        ),
    )
    for service, target in targets.items():
        healthy = Metric(
            namespace="AWS/ApplicationELB",
            name="HealthyHostCount",
            dimensions={"LoadBalancer": balancer, "TargetGroup": target},
            statistic="Maximum",
        )
        yield (
            f"{service}Unreachable",
            Alarm(
                name=names.alarm(environment, f"archer-{service.lower()}-unreachable"),
                meaning=f"No pod answers behind the load balancer for {service}. See whether pods run (kubectl -n {names.SYSTEM_NAMESPACE} get pods) and whether the load balancer controller registers them.",
                metrics={"healthy": healthy},
                comparison="LessThanThreshold",
                threshold=1,
                period_seconds=60,
                periods=5,
                # without a registered pod there is no data, and no service either
                silence="breaching",
            ),
        )


def state_machine_arn(location: Location, name: str) -> str:
    """Return the ARN of the state machine `name`."""
    return location.arn("states", f"stateMachine:{name}")


def _can_grow(environment: Environment, cluster: Cluster, pool: Pool) -> bool:
    """Whether a pool's size may ever change: a pool of one size is always at its maximum."""
    mine = [each for each in environment.schedules if (each.cluster, each.pool) == (cluster.name, pool.name)]
    return pool.min_nodes_per_zone < pool.max_nodes_per_zone or any(
        each.min_nodes_per_zone < each.max_nodes_per_zone for each in mine
    )


def _limits(environment: Environment) -> Alarms:
    return environment.alarms or Alarms()


def _eks(cluster: str, name: str, statistic: Literal["Sum", "Maximum"]) -> Metric:
    return Metric(namespace="AWS/EKS", name=name, dimensions={"ClusterName": cluster}, statistic=statistic)


def _group(group: str, name: str) -> Metric:
    return Metric(
        namespace="AWS/AutoScaling", name=name, dimensions={"AutoScalingGroupName": group}, statistic="Maximum"
    )
