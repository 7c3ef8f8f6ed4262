"""The Archer stack: the database that jobs are recorded in, and the load balancer that users reach.

It comes last because it joins what earlier stacks made: its rules let the host cluster's nodes into the database and the
load balancer into the nodes, its policies let roles of that cluster log in. No Kubernetes object is made here.
"""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk

from environments import Environment, names
from environments.network import ExistingNetwork
from environments.subnets import routed_subnets
from infra.alarms import archer_alarms
from infra.base import MokaStack, mechanism
from infra.bundles import Sets
from infra.dashboard import dashboard
from infra.manifests import ARCHER, manifest_set
from infra.outputs import ClusterOutputs, NetworkOutputs, PlatformOutputs
from infra.workload import service_account
from moka_constructs import (
    ArcherReach,
    ArcherReachProps,
    Dashboard,
    EncryptionKey,
    EncryptionKeyProps,
    InternalLoadBalancer,
    InternalLoadBalancerProps,
    ReachedCluster,
    ServerlessPostgres,
    ServerlessPostgresProps,
    Service,
    WorkloadRole,
    WorkloadRoleProps,
    ZoneSubnet,
)

HTTPS = 443


class ArcherStack(MokaStack):
    """Database, migration role and load balancer, beside the cluster that hosts Archer."""

    def __init__(
        self,
        stage: cdk.Stage,
        environment: Environment,
        *,
        network: NetworkOutputs,
        clusters: Mapping[str, ClusterOutputs],
        host: PlatformOutputs,
        sets: Sets | None,
        after: Sequence[cdk.Stack],
    ) -> None:
        """Make the stack for `clusters` by name; `after` are stacks whose roles and bucket it finds by name alone.

        `host` has what delivers manifests to Archer's cluster, `sets` has the manifests.
        """
        super().__init__(stage, "archer", environment, protect=environment.storage.retain)
        for stack in after:
            self.add_stack_dependency(stack)
        self._host = environment.cluster(environment.archer.cluster)
        self._network = network
        self._cluster = clusters[self._host.name]
        self._reach = ArcherReach(
            self,
            "Reach",
            ArcherReachProps(
                role_arn=names.role_arn(environment, self._host, "archer"),
                kubernetes_group=names.ARCHER_GROUP,
                pod_security_group_ids=environment.archer.pod_security_group_ids,
                pod_ports=(names.SERVICE_PORTS["api"], names.SERVICE_PORTS["livy"]),
                host=self._host.name,
                clusters={
                    cluster.name: ReachedCluster(
                        name=names.eks_cluster(environment, cluster),
                        security_group_id=clusters[cluster.name].security_group_id,
                    )
                    for cluster in environment.clusters
                },
            ),
        )
        self.database = self._database()
        self._migrations = self._migration_role()
        self.load_balancer = self._load_balancer()
        if environment.alarms is not None:
            self._alarms(clusters)
        self._outputs()
        if host.manifest_function_arn is not None and sets is not None:
            self._deliver(host.manifest_function_arn, sets)

    def _deliver(self, function_arn: str, sets: Sets) -> None:
        """Deliver Archer's charts with what they cannot know before: they wait for the database and the load balancer."""
        database = self.database
        manifest_set(
            self,
            self._host,
            ARCHER,
            function_arn=function_arn,
            sets=sets,
            values={
                "database_endpoint": database.endpoint,
                "database_port": database.port,
                "database_master_secret": database.master_secret_arn,
            },
            after=(self.database, self.load_balancer, self._migrations, self._reach),
        )

    def _database(self) -> ServerlessPostgres:
        environment = self.environment_file
        given = environment.archer.database
        database = ServerlessPostgres(
            self,
            "Database",
            ServerlessPostgresProps(
                identifier=names.archer(environment),
                location=self.location,
                database_name=names.DATABASE_NAME,
                engine_version=given.engine_version,
                vpc_id=self._network.vpc_id,
                # Nodes' subnets lose a /28 block of pods to every single address; the control plane's must keep
                # their last addresses for upgrades. The load balancers' have room, two zones and routes.
                subnet_ids=self._network.load_balancer_subnet_ids,
                clients=self._database_clients(),
                key_arn=given.key_arn or self._key(),
                monitoring_role_name=f"moka-{environment.name}-database-monitoring",
                min_acu=given.min_acu,
                max_acu=given.max_acu,
                readers=given.readers,
                backup_days=given.backup_days,
                log_retention_days=given.log_retention_days or self._host.log_retention_days,
                deletion_protection=given.deletion_protection,
                retain=environment.storage.retain,
            ),
        )
        database.grant_connect("ArcherConnects", names.role(environment, self._host, "archer"), names.DATABASE_USER)
        return database

    def _database_clients(self) -> dict[str, str]:
        """Return {name for a rule: security group that Archer's pods carry}: their own, or that of the host's nodes."""
        groups = self.environment_file.archer.pod_security_group_ids
        own = {f"Pods{number}": group for number, group in enumerate(groups, start=1)}
        return own or {"HostNodes": self._cluster.security_group_id}

    def _key(self) -> str:
        environment = self.environment_file
        props = EncryptionKeyProps(
            alias=f"{names.archer(environment)}-database",
            description=f"Archer's database of moka {environment.name}",
            location=self.location,
            retain=environment.storage.retain,
        )
        return EncryptionKey(self, "DatabaseKey", props).arn

    def _migration_role(self) -> WorkloadRole:
        """Return the role of the Job that makes user and tables; it alone may read the master's password."""
        environment = self.environment_file
        return WorkloadRole(
            self,
            "MigrationRole",
            WorkloadRoleProps(
                role_name=names.role(environment, self._host, "archer-migrate"),
                location=self.location,
                purpose="Makes Archer's database user and tables",
                cluster=self._cluster.identity,
                service_account=service_account("archer-migrate"),
                mechanism=mechanism(environment, "archer-migrate"),
                statements=(
                    *self.database.read_master_secret("ReadMasterSecret"),
                    # proves, before the service starts, that the user which it made can log in
                    self.database.connect("ConnectToDatabase", names.DATABASE_USER),
                ),
            ),
        )

    def _alarms(self, clusters: Mapping[str, ClusterOutputs]) -> None:
        environment = self.environment_file
        balancer = self.load_balancer
        for construct_id, alarm in archer_alarms(environment, balancer.full_name, balancer.target_group_full_names):
            self.watch(construct_id, alarm)
        everywhere = (
            *self.alarm_names,
            *(name for cluster in clusters.values() for name in cluster.alarm_names),
            *self._network.alarm_names,
        )
        Dashboard(self, "Dashboard", dashboard(environment, self.location, everywhere))

    def _load_balancer(self) -> InternalLoadBalancer:
        environment, host = self.environment_file, self._host
        endpoint = environment.archer.endpoint
        return InternalLoadBalancer(
            self,
            "LoadBalancer",
            InternalLoadBalancerProps(
                name=names.archer(environment),
                vpc_id=self._network.vpc_id,
                subnets=_subnets(environment, self._network),
                target_zones=tuple(
                    zone
                    for zone in environment.network.zones
                    if any(pool.role == "system" and zone in environment.pool_zones(pool) for pool in host.pools)
                ),
                target_security_group_id=self._cluster.security_group_id,
                certificate_arn=endpoint.certificate_arn,
                hosted_zone_id=endpoint.hosted_zone_id,
                services=self._services(),
                allowed_cidrs=endpoint.allowed_cidrs,
                prefix_list_ids=self._network.prefix_list_ids,
                access_logs_bucket=names.bucket(environment, "access-logs")
                if environment.storage.access_logs
                else None,
                deletion_protection=environment.storage.retain,
                zonal_shift=host.zonal_shift,
            ),
        )

    def _services(self) -> tuple[Service, ...]:
        environment = self.environment_file
        hostname = environment.archer.endpoint.hostname
        ports = names.SERVICE_PORTS
        # one rule is enough, as pods carry all their groups; the History Server never carries those that open the database
        archers_pods = next(iter(environment.archer.pod_security_group_ids), None)
        return (
            Service(
                name="Api",
                hostname=hostname,
                port=HTTPS,
                target_port=ports["api"],
                target_group_name=names.target_group(environment, "api"),
                health_path="/readyz",
                target_security_group_id=archers_pods,
            ),
            Service(
                name="History",
                hostname=names.history_hostname(environment),
                port=HTTPS,
                target_port=ports["history"],
                target_group_name=names.target_group(environment, "history"),
                # cheap, where "/" would list applications
                health_path="/api/v1/version",
            ),
            Service(
                name="Livy",
                hostname=hostname,
                port=ports["livy"],
                target_port=ports["livy"],
                target_group_name=names.target_group(environment, "livy"),
                # the same process answers both ports, and Livy's protocol has no health check
                health_path="/readyz",
                health_port=ports["api"],
                target_security_group_id=archers_pods,
            ),
        )

    def _outputs(self) -> None:
        database, balancer = self.database, self.load_balancer
        values = {
            "DatabaseEndpoint": database.endpoint,
            "DatabasePort": database.port,
            "DatabaseResourceId": database.resource_id,
            "DatabaseMasterSecret": database.master_secret_arn,
            "LoadBalancerName": balancer.dns_name,
            **{f"{name}TargetGroup": arn for name, arn in balancer.target_group_arns.items()},
        }
        for name, value in values.items():
            cdk.CfnOutput(self, name, value=value)


def _subnets(environment: Environment, network: NetworkOutputs) -> tuple[ZoneSubnet, ...]:
    """Return the load balancers' subnets with zones and ranges, of a new or an existing network."""
    given = environment.network
    if isinstance(given, ExistingNetwork):
        return tuple(
            ZoneSubnet(id=subnet.id, zone=subnet.zone, cidr=subnet.cidr)
            for subnet in given.subnets
            if subnet.use == "load_balancer"
        )
    routed = routed_subnets(given).items()
    return tuple(
        ZoneSubnet(id=subnet_id, zone=zone, cidr=str(subnets.load_balancer))
        for subnet_id, (zone, subnets) in zip(network.load_balancer_subnet_ids, routed, strict=True)
    )
