"""A PostgreSQL database for one service: Aurora Serverless v2, reached over TLS, logged into with IAM tokens.

RDS makes the master's password, keeps it in Secrets Manager and renews it: no password is ever in a template, and no
rotation function in the account. Applications do not use it; they connect as users that hold the role `rds_iam`. Nobody
reaches the database but the security groups that the props name: no range, no public address, no Data API.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Final

from aws_cdk import Fn, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from constructs import Construct

from moka_constructs.closed_security_group import ClosedSecurityGroup
from moka_constructs.errors import PropsError
from moka_constructs.location import Location
from moka_constructs.service_role import ServiceRole, ServiceRoleProps
from moka_constructs.statements import Statement, policy_document

PORT: Final = 5432
MASTER_USER: Final = "moka_admin"
"""The user of the managed secret; makes other users, owns nothing else."""
LOG_TYPES: Final = ("postgresql", "iam-db-auth-error")
"""The server's log, and why RDS refused an IAM token: the client is told no more than "PAM authentication failed"."""
PARAMETERS: Final[Mapping[str, str]] = {
    "rds.force_ssl": "1",
    "ssl_min_protocol_version": "TLSv1.2",
    "log_statement": "ddl",
    "log_min_duration_statement": "1000",
}
"""TLS or nothing; in the log, every change of the schema and every statement that took a second (ms)."""
MONITORING_SECONDS: Final = 60
"""Interval of Enhanced Monitoring (0, 1, 5, 10, 15, 30, 60): a minute shows what a capacity unit is spent on."""
INSIGHTS_DAYS: Final = 7
"""Days of Performance Insights that are free."""
_FIRST_THAT_PAUSES: Final = (16, 3)
"""Oldest Aurora PostgreSQL from 16 on that scales to zero.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerlessPostgresProps:
    """Which database, how large, who connects, what is kept."""

    identifier: str
    """Name of the cluster, at most 63 characters. Fixed on purpose: a change that would replace the cluster, by an empty
    one, then fails with "already exists" instead."""
    location: Location
    database_name: str
    engine_version: str
    """Aurora PostgreSQL, major.minor: 17.5. RDS installs no other by itself."""
    vpc_id: str
    subnet_ids: tuple[str, ...]
    """Subnets in at least two zones; RDS puts readers into other zones than the writer."""
    clients: Mapping[str, str]
    """{name for the rule, PascalCase: security group that may connect}."""
    key_arn: str
    """KMS key of the volume, backups, the master secret and Performance Insights."""
    monitoring_role_name: str
    """Name of the role that delivers Enhanced Monitoring, at most 64 characters."""
    min_acu: float
    """Aurora capacity units that are always there; 0 pauses the database when nobody is connected."""
    max_acu: float
    readers: int = 0
    """Instances beside the writer; each can take over."""
    backup_days: int = 7
    """Days of point-in-time recovery."""
    log_retention_days: int = 90
    """Days that logs are kept; a value that CloudWatch Logs accepts."""
    deletion_protection: bool = True
    """Whether RDS refuses to delete the cluster."""
    retain: bool
    """Whether data outlives the stack: as a final snapshot and its automatic backups. Keeping the cluster itself would
    keep its security group and subnet group in use, and the stack could not be deleted."""


class ServerlessPostgres(Construct):
    """The cluster with its instances, parameters, logs and network rules."""

    def __init__(self, scope: Construct, construct_id: str, props: ServerlessPostgresProps) -> None:
        super().__init__(scope, construct_id)
        self._check(props)
        self._props = props
        self.security_group_id = self._security_group()
        cluster = self._cluster()
        self.endpoint: str = cluster.attr_endpoint_address
        """Host name of the writer; a token."""
        self.port: str = cluster.attr_endpoint_port
        self.resource_id: str = cluster.attr_db_cluster_resource_id
        """cluster-ABC…: what ARNs of database users are made of; a token."""
        self.master_secret_arn: str = cluster.attr_master_user_secret_secret_arn
        self._instances(cluster.ref)

    def connect(self, sid: str, user: str) -> Statement:
        """Return the right to log in as the database user `user` with an IAM token."""
        arn = self._props.location.arn("rds-db", f"dbuser:${{Cluster}}/{user}")
        return Statement(sid=sid, actions=("rds-db:connect",), resources=(Fn.sub(arn, {"Cluster": self.resource_id}),))

    def read_master_secret(self, sid: str) -> tuple[Statement, ...]:
        """Return the rights to read the master's password: the secret, and its key for this secret alone."""
        location = self._props.location
        suffix = ".cn" if location.partition == "aws-cn" else ""
        conditions = {
            "StringEquals": {
                "kms:ViaService": f"secretsmanager.{location.region}.amazonaws.com{suffix}",
                "kms:EncryptionContext:SecretARN": self.master_secret_arn,
            }
        }
        read = ("secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret")
        return (
            Statement(sid=sid, actions=read, resources=(self.master_secret_arn,)),
            Statement(
                sid=f"{sid}Key", actions=("kms:Decrypt",), resources=(self._props.key_arn,), conditions=conditions
            ),
        )

    def grant_connect(self, construct_id: str, role_name: str, user: str) -> None:
        """Let a role of an earlier stack, known by its name, log in as `user`."""
        iam.CfnRolePolicy(
            self,
            construct_id,
            role_name=role_name,
            policy_name=f"{self._props.identifier}-database",
            policy_document=policy_document((self.connect("ConnectToDatabase", user),)),
        )

    def _check(self, props: ServerlessPostgresProps) -> None:
        if not re.fullmatch(r"\d+\.\d+", props.engine_version):
            raise PropsError(
                "EngineVersionForm",
                f"`engine_version` must be major.minor, got {props.engine_version!r}; write both numbers, for example 17.5",
                self,
            )
        if props.min_acu > props.max_acu:
            raise PropsError(
                "MinAboveMax",
                f"`min_acu` must be at most `max_acu` ({props.max_acu:g}), got {props.min_acu:g}; raise the maximum or lower the minimum",
                self,
            )
        if props.min_acu == 0 and _version(props.engine_version) < _FIRST_THAT_PAUSES:
            raise PropsError(
                "CannotPause",
                f"`min_acu` must be at least 0.5 with engine_version {props.engine_version}, got 0; write 0.5, or take 16.3 or later",
                self,
            )
        if len(set(props.subnet_ids)) < 2:
            raise PropsError(
                "TooFewSubnets",
                f"`subnet_ids` must name subnets in at least two zones (RDS' rule), got {list(props.subnet_ids)}; add one",
                self,
            )
        if not props.clients:
            raise PropsError(
                "NoClients",
                "`clients` must name at least one security group, got none; nobody could reach the database",
                self,
            )

    def _security_group(self) -> str:
        name = f"{self._props.identifier}-database"
        group = ClosedSecurityGroup(
            self, "SecurityGroup", name=name, description=f"Who may connect to {name}", vpc_id=self._props.vpc_id
        )
        for client, group_id in self._props.clients.items():
            group.admit(f"From{client}", group_id, PORT, f"PostgreSQL from {client}")
        return group.id

    def _cluster(self) -> rds.CfnDBCluster:
        props = self._props
        cluster = rds.CfnDBCluster(
            self,
            "Resource",
            db_cluster_identifier=props.identifier,
            engine="aurora-postgresql",
            engine_version=props.engine_version,
            # end of standard support shows as a refused deploy, not as a surcharge on the bill
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            database_name=props.database_name,
            port=PORT,
            master_username=MASTER_USER,
            manage_master_user_password=True,
            master_user_secret=rds.CfnDBCluster.MasterUserSecretProperty(kms_key_id=props.key_arn),
            enable_iam_database_authentication=True,
            storage_encrypted=True,
            kms_key_id=props.key_arn,
            db_subnet_group_name=self._subnet_group(),
            vpc_security_group_ids=[self.security_group_id],
            db_cluster_parameter_group_name=self._parameter_group(),
            serverless_v2_scaling_configuration=rds.CfnDBCluster.ServerlessV2ScalingConfigurationProperty(
                min_capacity=props.min_acu, max_capacity=props.max_acu
            ),
            backup_retention_period=props.backup_days,
            copy_tags_to_snapshot=True,
            delete_automated_backups=not props.retain,
            deletion_protection=props.deletion_protection,
            enable_cloudwatch_logs_exports=list(LOG_TYPES),
        )
        cluster.apply_removal_policy(RemovalPolicy.SNAPSHOT if props.retain else RemovalPolicy.DESTROY)
        for group in self._log_groups():
            cluster.add_resource_dependency(group)
        return cluster

    def _subnet_group(self) -> str:
        group = rds.CfnDBSubnetGroup(
            self,
            "SubnetGroup",
            db_subnet_group_description=f"Where database {self._props.identifier} lives",
            subnet_ids=list(self._props.subnet_ids),
        )
        name: str = group.ref
        return name

    def _parameter_group(self) -> str:
        major, _ = _version(self._props.engine_version)
        group = rds.CfnDBClusterParameterGroup(
            self,
            "Parameters",
            # no name: a new major version replaces the group, and the old one goes after the cluster has left it
            family=f"aurora-postgresql{major}",
            description=f"Parameters of database {self._props.identifier}",
            parameters=dict(PARAMETERS),
        )
        name: str = group.ref
        return name

    def _log_groups(self) -> list[logs.CfnLogGroup]:
        """Return the log groups; made before the cluster, which would make its own and keep logs for ever."""
        groups = []
        for log_type in LOG_TYPES:
            group = logs.CfnLogGroup(
                self,
                "".join(part.capitalize() for part in log_type.split("-")) + "Logs",
                log_group_name=f"/aws/rds/cluster/{self._props.identifier}/{log_type}",
                retention_in_days=self._props.log_retention_days,
            )
            group.apply_removal_policy(RemovalPolicy.DESTROY)
            groups.append(group)
        return groups

    def _instances(self, cluster: str) -> None:
        """Make the writer and the readers. Any of them may be the writer after a failover, so they are numbered."""
        props = self._props
        role = ServiceRole(
            self,
            "MonitoringRole",
            ServiceRoleProps(
                role_name=props.monitoring_role_name,
                location=props.location,
                description=f"Delivers Enhanced Monitoring of database {props.identifier}",
                service="monitoring.rds.amazonaws.com",
                managed_policies=("service-role/AmazonRDSEnhancedMonitoringRole",),
                own_account_only=True,
            ),
        )
        for number in range(1, props.readers + 2):
            instance = rds.CfnDBInstance(
                self,
                f"Instance{number}",
                db_cluster_identifier=cluster,
                db_instance_class="db.serverless",
                engine="aurora-postgresql",
                # readers of tier 0 and 1 are kept as large as the writer, so that a failover meets no small instance
                promotion_tier=min(number - 1, 1),
                publicly_accessible=False,
                auto_minor_version_upgrade=False,
                monitoring_interval=MONITORING_SECONDS,
                monitoring_role_arn=role.arn,
                enable_performance_insights=True,
                performance_insights_kms_key_id=props.key_arn,
                performance_insights_retention_period=INSIGHTS_DAYS,
            )
            instance.apply_removal_policy(RemovalPolicy.DESTROY)


def _version(engine_version: str) -> tuple[int, int]:
    """Return 17.5 as (17, 5)."""
    major, minor = engine_version.split(".")
    return int(major), int(minor)
