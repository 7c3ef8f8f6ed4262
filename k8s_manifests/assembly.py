"""From an environment and one of its clusters to the ordered files that a cluster gets: the table of contents.

Charts get typed props, which `from_environment.py` makes. It is a pure function: no network, no clock,
no file but the committed CRDs, so the same environment gives the same bytes (design D3).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import cdk8s
from constructs import Construct

from environments import Environment
from environments.clusters import Cluster
from environments.names import namespace
from k8s_manifests import from_environment as props
from k8s_manifests.archer import ArcherChart
from k8s_manifests.archer_rights import ArcherRightsChart
from k8s_manifests.base import Manifest, MokaChart
from k8s_manifests.celeborn import CelebornChart
from k8s_manifests.cluster_autoscaler import ClusterAutoscalerChart
from k8s_manifests.crds import CrdsChart
from k8s_manifests.flow_control import FlowControlChart
from k8s_manifests.history_server import HistoryServerChart
from k8s_manifests.load_balancer_controller import LoadBalancerControllerChart
from k8s_manifests.log_shipper import LogShipperChart
from k8s_manifests.namespaces import NamespacesChart
from k8s_manifests.priority_classes import PriorityClassesChart
from k8s_manifests.spark_operator import SparkOperatorChart
from k8s_manifests.storage_classes import StorageClassesChart
from k8s_manifests.target_group_crds import TargetGroupCrdsChart
from k8s_manifests.text import to_yaml
from k8s_manifests.yunikorn import YuniKornChart

MakeChart = Callable[[Construct, Environment, Cluster], MokaChart]
SetName = Literal["platform", "archer"]
"""What is delivered together, and by which stack. `archer` comes last, when its database is there: only what cannot start
without values that the Archer stack makes (Archer, its migration, what binds pods to its load balancer) belongs to it."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """One file of a cluster's set, `NN-name.yaml`; files are applied in the order of their numbers."""

    order: int
    name: str
    manifests: tuple[Manifest, ...]
    set_name: SetName = "platform"

    @property
    def file_name(self) -> str:
        return f"{self.order:02d}-{self.name}.yaml"

    def to_yaml(self) -> str:
        """Return the file's text: one YAML document per object."""
        return to_yaml(*self.manifests)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    order: int
    name: str
    make: MakeChart
    applies: Callable[[Environment, Cluster], bool] = lambda _environment, _cluster: True
    set_name: SetName = "platform"


def _crds(scope: Construct, environment: Environment, _cluster: Cluster) -> MokaChart:
    return CrdsChart(scope, "Crds", environment=environment.name)


def _target_group_crds(scope: Construct, environment: Environment, _cluster: Cluster) -> MokaChart:
    return TargetGroupCrdsChart(scope, "TargetGroupCrds", environment=environment.name)


def _namespaces(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    return NamespacesChart(
        scope,
        "Namespaces",
        environment=environment.name,
        kubernetes_version=cluster.kubernetes_version,
        teams=tuple(props.team_namespace(environment, cluster, team) for team in environment.teams_on(cluster)),
    )


def _priority_classes(scope: Construct, environment: Environment, _cluster: Cluster) -> MokaChart:
    return PriorityClassesChart(scope, "PriorityClasses", environment=environment.name)


def _cluster_autoscaler(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    return ClusterAutoscalerChart(scope, "ClusterAutoscaler", props.cluster_autoscaler(environment, cluster))


def _spark_operator(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    return SparkOperatorChart(scope, "SparkOperator", props.spark_operator(environment, cluster))


def _yunikorn(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    return YuniKornChart(scope, "YuniKorn", props.yunikorn(environment, cluster))


def _load_balancer_controller(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    made = props.load_balancer_controller(environment, cluster)
    return LoadBalancerControllerChart(scope, "LoadBalancerController", made)


def _storage_classes(scope: Construct, environment: Environment, _cluster: Cluster) -> MokaChart:
    return StorageClassesChart(scope, "StorageClasses", environment=environment.name, tags=dict(environment.tags))


def _flow_control(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    namespaces = tuple(namespace(team) for team in environment.teams_on(cluster))
    return FlowControlChart(scope, "FlowControl", environment=environment.name, job_namespaces=namespaces)


def _archer_rights(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    namespaces = tuple(namespace(team) for team in environment.teams_on(cluster))
    return ArcherRightsChart(scope, "ArcherRights", environment=environment.name, job_namespaces=namespaces)


def _archer(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    return ArcherChart(scope, "Archer", props.archer(environment, cluster))


def _history_server(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    return HistoryServerChart(scope, "HistoryServer", props.history_server(environment, cluster))


def _log_shipper(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    return LogShipperChart(scope, "LogShipper", props.log_shipper(environment, cluster))


def _celeborn(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    assert environment.celeborn is not None
    return CelebornChart(scope, "Celeborn", props.celeborn(environment, cluster, environment.celeborn))


def _has_celeborn(environment: Environment, cluster: Cluster) -> bool:
    """By field, on the clusters that have nodes for it."""
    return environment.celeborn is not None and any(pool.role == "celeborn" for pool in cluster.pools)


def _has_teams(environment: Environment, cluster: Cluster) -> bool:
    """Without a job namespace the operator would have to watch the whole cluster; it is left out instead, as are Archer's rights."""
    return bool(environment.teams_on(cluster))


def _hosts_archer(environment: Environment, cluster: Cluster) -> bool:
    """Only there is a load balancer to put pods behind: Archer's and the History Server's."""
    return environment.archer.cluster == cluster.name


REGISTRY: Final = (
    _Entry(order=0, name="crds", make=_crds),
    _Entry(order=1, name="target-group-crds", make=_target_group_crds, applies=_hosts_archer),
    _Entry(order=10, name="namespaces", make=_namespaces),
    _Entry(order=15, name="priority-classes", make=_priority_classes),
    _Entry(order=16, name="storage-classes", make=_storage_classes),
    _Entry(order=17, name="flow-control", make=_flow_control, applies=_has_teams),
    _Entry(order=18, name="cluster-autoscaler", make=_cluster_autoscaler),
    _Entry(order=19, name="archer-rights", make=_archer_rights, applies=_has_teams),
    _Entry(order=20, name="spark-operator", make=_spark_operator, applies=_has_teams),
    _Entry(order=30, name="yunikorn", make=_yunikorn),
    _Entry(order=35, name="load-balancer-controller", make=_load_balancer_controller, applies=_hosts_archer),
    _Entry(order=37, name="celeborn", make=_celeborn, applies=_has_celeborn),
    _Entry(order=40, name="history-server", make=_history_server, applies=_hosts_archer),
    _Entry(order=45, name="log-shipper", make=_log_shipper, applies=_has_teams),
    _Entry(order=50, name="archer", make=_archer, applies=_hosts_archer, set_name="archer"),
)
"""Every component, in the order in which it is applied."""


def build_charts(environment: Environment, cluster: Cluster) -> tuple[Component, ...]:
    """Return the components that `cluster` gets, in order. Raises ChartError when an environment cannot be rendered."""
    app = cdk8s.App()
    return tuple(
        Component(
            order=entry.order,
            name=entry.name,
            manifests=entry.make(app, environment, cluster).manifests(),
            set_name=entry.set_name,
        )
        for entry in REGISTRY
        if entry.applies(environment, cluster)
    )
