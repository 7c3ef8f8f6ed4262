"""What the environment's dashboard shows, from top to bottom: alarms, each cluster, the network, Archer."""

from collections.abc import Sequence

from environments import Environment, names
from environments.clusters import Cluster
from infra.alarms import etcd_limit
from moka_constructs import DashboardProps, Graph, Location, Row


def dashboard(environment: Environment, location: Location, alarms: Sequence[str]) -> DashboardProps:
    """Return the dashboard of `environment` with the alarms of these names."""
    return DashboardProps(
        name=f"moka-{environment.name}",
        region=environment.region,
        alarm_arns=[location.arn("cloudwatch", f"alarm:{name}") for name in alarms],
        rows=[
            *(_cluster(environment, cluster) for cluster in environment.clusters),
            _network(),
            _archer(environment),
        ],
    )


def _cluster(environment: Environment, cluster: Cluster) -> Row:
    eks = names.eks_cluster(environment, cluster)
    pools = [pool for pool in cluster.pools if pool.role != "system"]

    def requests(name: str, label: str) -> list[object]:
        return ["AWS/EKS", name, "ClusterName", eks, {"label": label}]

    size = ["AWS/EKS", "apiserver_storage_size_bytes", "ClusterName", eks, {"label": "bytes", "stat": "Maximum"}]
    waiting = ["AWS/EKS", "scheduler_pending_pods_UNSCHEDULABLE", "ClusterName", eks, {"label": "unschedulable"}]
    return Row(
        title=f"Cluster {cluster.name} ({eks}, Kubernetes {cluster.kubernetes_version})",
        graphs=[
            Graph(
                title="Requests that the API server turned away or failed",
                metrics=[
                    requests("apiserver_request_total_429", "429, throttled"),
                    requests("apiserver_request_total_5XX", "5xx, failed"),
                ],
                statistic="Sum",
            ),
            Graph(title="Size of etcd", metrics=[size], line=("alarm", etcd_limit(cluster))),
            Graph(title="Pods that fit nowhere (default scheduler)", metrics=[waiting], statistic="Maximum"),
            *(
                Graph(
                    title=f"Nodes of pool {pool.name}, at most {pool.max_nodes_per_zone} per zone",
                    searches=[_groups(pool.name, "GroupInServiceInstances")],
                    line=("most per zone", pool.max_nodes_per_zone),
                )
                for pool in pools
            ),
        ],
    )


def _groups(pool: str, metric: str) -> str:
    """Return a search for a metric of all groups of a pool; pools of the same name on other clusters of the account are in it."""
    return _search("AWS/AutoScaling,AutoScalingGroupName", metric, names.node_group_prefix(pool), "Maximum")


def _network() -> Row:
    def of_gateways(title: str, metric: str, statistic: str) -> Graph:
        return Graph(title=title, searches=[_search("AWS/NATGateway,NatGatewayId", metric, "", statistic)])

    return Row(
        title="NAT gateways (all of the account in this region)",
        graphs=[
            of_gateways("Connections without a port", "ErrorPortAllocation", "Sum"),
            of_gateways("Packets dropped", "PacketsDropCount", "Sum"),
            of_gateways("Bytes out", "BytesOutToDestination", "Sum"),
        ],
    )


def _archer(environment: Environment) -> Row:
    name = names.archer(environment)
    database = ["DBClusterIdentifier", name]
    # full names of target groups begin with targetgroup/<name>/, and a search finds whole words in them
    targets = "AWS/ApplicationELB,LoadBalancer,TargetGroup"
    return Row(
        title="Archer",
        graphs=[
            Graph(
                title="Database: share of max_acu",
                metrics=[["AWS/RDS", "ACUUtilization", *database]],
                line=("alarm", environment.alarms.database_percent if environment.alarms else 100),
            ),
            Graph(title="Database: connections", metrics=[["AWS/RDS", "DatabaseConnections", *database]]),
            Graph(title="Pods that answer", searches=[_search(targets, "HealthyHostCount", name, "Maximum")]),
            Graph(
                title="Answers with 5xx",
                searches=[_search(targets, "HTTPCode_Target_5XX_Count", name, "Sum")],
            ),
            Graph(title="Seconds until an answer", searches=[_search(targets, "TargetResponseTime", name, "p99")]),
        ],
    )


def _search(dimensions: str, metric: str, named: str, statistic: str) -> str:
    """Return a search for a metric of what has all words of `named` in its name.

    In quotes a term has to be the whole value, so the parts of a name are single words.
    """
    wanted = " ".join([f'MetricName="{metric}"', *filter(None, named.split("-"))])
    return f"SEARCH('{{{dimensions}}} {wanted}', '{statistic}')"
