"""From an environment and one of its clusters to the ordered files that a cluster gets: the table of contents.

The only module here that reads an `Environment`: charts get typed props. It is a pure function: no network, no clock,
no file but the committed CRDs, so the same environment gives the same bytes (design D3).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import cdk8s
from constructs import Construct

from environments import Environment
from environments import names as moka_names
from environments.clusters import Cluster, PoolRole
from environments.instances import instance_types
from environments.network import NewNetwork
from environments.subnets import routed_subnets
from environments.tenancy import Team
from k8s_manifests.base import Manifest, MokaChart
from k8s_manifests.crds import CrdsChart
from k8s_manifests.images import SPARK_OPERATOR
from k8s_manifests.namespaces import NamespacesChart, TeamNamespace
from k8s_manifests.network_policies import JobNetwork
from k8s_manifests.placement import on_role
from k8s_manifests.priority_classes import PriorityClassesChart
from k8s_manifests.spark_operator import SparkOperatorChart, SparkOperatorProps
from k8s_manifests.text import to_yaml

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


def _namespaces(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    teams = tuple(_team_namespace(environment, cluster, team) for team in environment.teams_on(cluster))
    return NamespacesChart(
        scope,
        "Namespaces",
        environment=environment.name,
        kubernetes_version=cluster.kubernetes_version,
        teams=teams,
    )


def _priority_classes(scope: Construct, environment: Environment, _cluster: Cluster) -> MokaChart:
    return PriorityClassesChart(scope, "PriorityClasses", environment=environment.name)


def _spark_operator(scope: Construct, environment: Environment, cluster: Cluster) -> MokaChart:
    props = SparkOperatorProps(
        environment=environment.name,
        image=SPARK_OPERATOR.in_registry(moka_names.registry(environment)),
        job_namespaces=tuple(moka_names.namespace(team) for team in environment.teams_on(cluster)),
        # 10 workers reach about 130 submits a minute, 20 about 145: the operator's own benchmark
        workers=10 if environment.archer.creates_per_minute <= 120 else 20,
        # a quarter of the smallest system node: the largest part that surely fits beside the rest of the platform
        cpu_millis=max(1000, _smallest_node_vcpu(cluster, "system") * 250),
        placement=on_role(cluster, "system"),
    )
    return SparkOperatorChart(scope, "SparkOperator", props)


def _smallest_node_vcpu(cluster: Cluster, role: PoolRole) -> int:
    """Return the vCPU of the smallest node of that role; 0 when there is no such pool."""
    types = instance_types()
    return min((types[pool.instance_types[0]].vcpu for pool in cluster.pools if pool.role == role), default=0)


def _has_teams(environment: Environment, cluster: Cluster) -> bool:
    """Without a job namespace the operator would have to watch the whole cluster; it is left out instead."""
    return bool(environment.teams_on(cluster))


REGISTRY: Final = (
    _Entry(order=0, name="crds", make=_crds),
    _Entry(order=10, name="namespaces", make=_namespaces),
    _Entry(order=15, name="priority-classes", make=_priority_classes),
    _Entry(order=20, name="spark-operator", make=_spark_operator, applies=_has_teams),
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


def _team_namespace(environment: Environment, cluster: Cluster, team: Team) -> TeamNamespace:
    workload = moka_names.team_workload(team)
    mechanism = environment.identity.overrides.get(workload, environment.identity.mechanism)
    irsa = mechanism == "irsa"
    return TeamNamespace(
        team=team.name,
        namespace=moka_names.namespace(team),
        vcores=team.quota.vcores,
        memory_gib=team.quota.memory_gib,
        pods=team.quota.pods,
        role_arn=moka_names.role_arn(environment, cluster, workload) if irsa else None,
        network=_job_network(environment, pod_identity=not irsa),
    )


def _job_network(environment: Environment, *, pod_identity: bool) -> JobNetwork:
    """Return where jobs find the API server and AWS, from the network section alone."""
    network = environment.network
    if isinstance(network, NewNetwork):
        control_plane = [str(subnets.control_plane) for subnets in routed_subnets(network).values()]
        # interface endpoints sit in the primary range
        endpoints: tuple[str, ...] = (network.cidr,) if network.interface_endpoints else ()
    else:
        control_plane = [subnet.cidr for subnet in network.subnets if subnet.use == "control_plane"]
        endpoints = network.vpc_cidrs
    return JobNetwork(control_plane_cidrs=tuple(control_plane), endpoint_cidrs=endpoints, pod_identity=pod_identity)
