"""Archer on its host cluster: a Deployment for each of its roles, the migration of its database, and the way in.

Delivered last, by the Archer stack: it needs the database and the load balancer, whose addresses wait in `moka-platform`.
The pods have no token for the API server: Archer comes to every cluster, this one too, with a token of EKS for its AWS role
(`archer_rights.py` says what that may do). The way in is the load balancer alone; the bindings name its target groups.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from constructs import Construct

from environments.names import SERVICE_PORTS, ArcherService
from environments.service import Authentication
from k8s_manifests import archer_process as process
from k8s_manifests import labels
from k8s_manifests.archer_process import ROLES, Role
from k8s_manifests.base import MokaChart
from k8s_manifests.history_server import NAME as HISTORY_SERVER
from k8s_manifests.jobs import JobProps, add_job
from k8s_manifests.kinds import Kind
from k8s_manifests.network_policies import (
    DRIVER_PODS,
    SPARK_UI_PORT,
    ClusterNetwork,
    Flow,
    add_component_policy,
    api_server,
    aws,
    cidrs,
    from_load_balancer,
    pods_in,
    scraped,
)
from k8s_manifests.own_images import ARCHER
from k8s_manifests.placement import Placement
from k8s_manifests.pods import ConfigVolume, Container, HttpProbe, Pod, Resources, ScratchVolume, Step
from k8s_manifests.priority_classes import PLATFORM
from k8s_manifests.rbac import Subject, add_service_account, irsa
from k8s_manifests.workloads import DeploymentProps, ServiceProps, add_deployment, add_service

NAME: Final = "archer"
MIGRATE: Final = "archer-migrate"
CONFIG: Final = "archer-config"
"""Name of the ConfigMap that holds archer.yaml."""
HTTP_PORT: Final = SERVICE_PORTS["api"]
"""The API and the page in role api; health and metrics in every role."""
LIVY_PORT: Final = SERVICE_PORTS["livy"]
"""Kept for Livy's protocol, which Archer does not speak yet: the way there stands, and nothing answers."""
DATABASE_PORT: Final = 5432

_SIZES: Final[Mapping[Role, Resources]] = {
    "api": Resources(cpu_millis=150, cpu_limit_millis=2000, memory_mib=512),
    "dispatcher": Resources(cpu_millis=100, cpu_limit_millis=2000, memory_mib=512),
    # knows every live application and its pods
    "tracker": Resources(cpu_millis=150, cpu_limit_millis=2000, memory_mib=768),
    "janitor": Resources(cpu_millis=50, cpu_limit_millis=1000, memory_mib=384),
}


@dataclass(frozen=True, kw_only=True)
class Account:
    """A service account that an AWS role trusts."""

    name: str
    role_arn: str | None
    """IAM role of the account (IRSA); None where EKS Pod Identity gives it."""


@dataclass(frozen=True, kw_only=True)
class ArcherProps:
    """One installation of Archer."""

    environment: str
    image: str
    """Full reference of Archer's image."""
    region: str
    namespace: str
    archer: Account
    migrate: Account
    config: str
    """Text of archer.yaml."""
    authentication: Authentication
    history_url: str
    """Where browsers reach the History Server."""
    replicas: Mapping[Role, int]
    job_namespaces: tuple[str, ...]
    """Namespaces of jobs on this cluster, whose drivers' pages Archer shows."""
    target_groups: Mapping[ArcherService, str]
    """Name of the target group of each service."""
    security_group_ids: tuple[str, ...]
    """Security groups of Archer's pods and its migration's; none: those of the nodes."""
    placement: Placement
    network: ClusterNetwork


class ArcherChart(MokaChart):
    """Accounts, configuration, migration, roles, the way in."""

    def __init__(self, scope: Construct, construct_id: str, props: ArcherProps) -> None:
        common = labels.common(name=NAME, environment=props.environment, version=ARCHER.version)
        super().__init__(scope, construct_id, labels=common)
        self._props = props
        for account in (props.archer, props.migrate):
            subject = Subject(name=account.name, namespace=props.namespace)
            add_service_account(self, subject, annotations=irsa(account.role_arn))
        self.add(Kind.CONFIG_MAP, CONFIG, {"data": {process.CONFIG_FILE: props.config}}, namespace=props.namespace)
        if props.security_group_ids:
            self._add_security_groups()
        self._add_migration()
        for role in ROLES:
            self._add_role(role)
        self._add_bindings()

    def _add_security_groups(self) -> None:
        """Give pods with Archer's name, the migration's too, interfaces of their own in these groups."""
        spec = {
            "podSelector": {"matchLabels": {labels.NAME: NAME}},
            "securityGroups": {"groupIds": list(self._props.security_group_ids)},
        }
        self.add(Kind.SECURITY_GROUP_POLICY, NAME, {"spec": spec}, namespace=self._props.namespace)

    def _add_migration(self) -> None:
        """Add the Job; its name follows from what it does, the image's tag and so its content included."""
        props = self._props
        selector = labels.selector(name=NAME, component="migrate")
        step = Step(
            name="migrate",
            image=props.image,
            args=process.MIGRATE_ARGUMENTS,
            env=process.migrate_environment(props.region),
            config=process.MIGRATE_PLACE,
            resources=Resources(cpu_millis=100, cpu_limit_millis=1000, memory_mib=256),
            volumes=(_scratch(),),
        )
        add_job(
            self,
            JobProps(
                name=MIGRATE,
                namespace=props.namespace,
                selector=selector,
                steps=(step,),
                service_account=props.migrate.name,
                api_token=False,
                user_id=ARCHER.user,
                placement=props.placement,
                priority_class=PLATFORM,
                # a database that was paused takes half a minute to come back
                deadline_seconds=600,
            ),
        )
        flows = (_database(props.network), *aws(props.network, pod_identity=props.migrate.role_arn is None))
        add_component_policy(self, MIGRATE, flows, namespace=props.namespace, pods=selector)

    def _add_role(self, role: Role) -> None:
        props, name = self._props, f"{NAME}-{role}"
        selector = labels.selector(name=NAME, component=role)
        pod = Pod(
            container=self._container(role),
            service_account=props.archer.name,
            api_token=False,
            user_id=ARCHER.user,
            placement=props.placement,
            priority_class=PLATFORM,
            stop_seconds=process.STOP_SECONDS,
        )
        add_deployment(
            self,
            DeploymentProps(
                name=name,
                namespace=props.namespace,
                selector=selector,
                replicas=props.replicas[role],
                pod=pod,
                configuration=props.config,
            ),
        )
        ports = {"http": 80, "livy": LIVY_PORT} if role == "api" else {}
        add_service(
            self,
            ServiceProps(
                name=name,
                namespace=props.namespace,
                selector=selector,
                ports={**ports, "metrics": HTTP_PORT},
                targets={"metrics": "http"},
                scraped=True,
            ),
        )
        add_component_policy(self, name, self._flows(role), namespace=props.namespace, pods=selector)

    def _container(self, role: Role) -> Container:
        props = self._props
        return Container(
            name=NAME,
            image=props.image,
            args=process.serve_arguments(role),
            env=process.serve_environment(props.region, props.authentication, props.history_url),
            config=process.DATABASE_PLACE,
            # tells in the database's own list of sessions whose one is
            pod_fields={"PGAPPNAME": "metadata.name"},
            ports={"http": HTTP_PORT, "livy": LIVY_PORT} if role == "api" else {"http": HTTP_PORT},
            resources=_SIZES[role],
            liveness=HttpProbe(path="/healthz", port=HTTP_PORT, timeout_seconds=5, failure_threshold=6),
            # false while the database is gone, or older than this version
            readiness=HttpProbe(path="/readyz", port=HTTP_PORT, timeout_seconds=5),
            # the first connection may wait for a paused database
            startup=HttpProbe(path="/healthz", port=HTTP_PORT, period_seconds=5, failure_threshold=24),
            drain_seconds=process.DRAIN_SECONDS if role == "api" else 0,
            scratch=(_scratch(),),
            files=(ConfigVolume(name="config", path=process.CONFIG_FOLDER, config_map=CONFIG),),
        )

    def _flows(self, role: Role) -> tuple[Flow, ...]:
        network = self._props.network
        # the API servers of the other clusters are in the same control-plane subnets
        flows: tuple[Flow, ...] = (
            api_server(network),
            _database(network),
            *aws(network, pod_identity=self._props.archer.role_arn is None),
            scraped(HTTP_PORT),
        )
        if role == "api":
            flows += (from_load_balancer(network, HTTP_PORT, LIVY_PORT),)
            drivers = tuple(
                peer
                for namespace in self._props.job_namespaces
                for peer in pods_in(namespace, DRIVER_PODS["matchLabels"])
            )
            if drivers:
                flows += (Flow(direction="Egress", peers=drivers, tcp_ports=(SPARK_UI_PORT,)),)
        return flows

    def _add_bindings(self) -> None:
        """Put pods behind the target groups that CDK made; the rules of their security groups are CDK's, too."""
        places: dict[ArcherService, tuple[str, str]] = {
            "api": (f"{NAME}-api", "http"),
            "livy": (f"{NAME}-api", "livy"),
            "history": (HISTORY_SERVER, "http"),
        }
        for service, (name, port) in places.items():
            spec = {
                "serviceRef": {"name": name, "port": port},
                "targetGroupName": self._props.target_groups[service],
                "targetType": "ip",
            }
            self.add(Kind.TARGET_GROUP_BINDING, f"{NAME}-{service}", {"spec": spec}, namespace=self._props.namespace)


def _scratch() -> ScratchVolume:
    return ScratchVolume(name="tmp", path=process.SCRATCH_FOLDER, size_mib=256)


def _database(network: ClusterNetwork) -> Flow:
    """Return the flow to the database, which is in the load balancer's subnets."""
    return Flow(direction="Egress", peers=cidrs(*network.load_balancer_cidrs), tcp_ports=(DATABASE_PORT,))
