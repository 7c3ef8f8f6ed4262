"""What each workload of a cluster may do in AWS, read from the environment: teams, the History Server, Archer.

Every ARN is computed from names, so that a role needs nothing that is known only after a deploy, but for the key.
"""

import dataclasses

from environments import Environment, names
from environments.clusters import Cluster
from environments.data import GlueCatalog
from environments.tenancy import DataGrant, Team
from infra.outputs import DataOutputs
from moka_constructs import ServiceAccount, Statement
from moka_constructs.statements import assume_roles, list_bucket, read_objects, use_glue, use_key, write_objects

EVENT_LOG_PREFIX = "spark-events/"
"""Where Spark writes event logs and the History Server reads them; teams share it, as Spark's layout has no teams."""
CONTAINER_LOG_PREFIX = "logs/"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workload:
    """Pods of one service account and their rights."""

    name: str
    """As `names.role` and `identity.overrides` know it."""
    service_account: ServiceAccount
    statements: tuple[Statement, ...]


def cluster_workloads(environment: Environment, cluster: Cluster, data: DataOutputs) -> tuple[Workload, ...]:
    """Return the workloads of `cluster` that have a role, in a stable order."""
    workloads = [_team(environment, team, data) for team in environment.teams_on(cluster)]
    workloads.append(_history_server(environment, data))
    if environment.archer.cluster == cluster.name:
        workloads.append(_archer(environment, data))
    return tuple(workloads)


def _team(environment: Environment, team: Team, data: DataOutputs) -> Workload:
    event_logs = _bucket_arn(environment, "event-logs")
    staging = _bucket_arn(environment, "staging")
    artifacts = _bucket_arn(environment, "artifacts")
    own = f"{team.name}/"
    statements = [
        list_bucket("ListEventLogs", event_logs, EVENT_LOG_PREFIX),
        write_objects("WriteEventLogs", event_logs, EVENT_LOG_PREFIX),
        list_bucket("ListStaging", staging, own),
        write_objects("WriteStaging", staging, own),
        list_bucket("ListArtifacts", artifacts, own),
        read_objects("ReadArtifacts", artifacts, own),
        use_key("UsePlatformKey", data.key_arn, write=True),
    ]
    for number, grant in enumerate(team.data, start=1):
        statements += _data_grant(environment, number, grant)
    if isinstance(environment.catalog, GlueCatalog) and team.glue_databases:
        account = environment.catalog.catalog_id or environment.account
        prefix = f"arn:{names.partition(environment)}:glue:{environment.region}:{account}"
        statements.append(use_glue("UseGlueDatabases", prefix, team.glue_databases))
    if team.assume_role_arns:
        statements.append(assume_roles("AssumeNamedRoles", team.assume_role_arns))
    return Workload(
        name=names.team_workload(team),
        service_account=ServiceAccount(namespace=names.namespace(team), name=names.SPARK_SERVICE_ACCOUNT),
        statements=tuple(statements),
    )


def _data_grant(environment: Environment, number: int, grant: DataGrant) -> list[Statement]:
    arn = f"arn:{names.partition(environment)}:s3:::{grant.bucket}"
    write = grant.access == "write"
    objects = write_objects if write else read_objects
    statements = [
        list_bucket(f"ListData{number}", arn, grant.prefix),
        objects(f"{'Write' if write else 'Read'}Data{number}", arn, grant.prefix),
    ]
    if grant.key_arn is not None:
        statements.append(use_key(f"UseDataKey{number}", grant.key_arn, write=write))
    return statements


def _history_server(environment: Environment, data: DataOutputs) -> Workload:
    event_logs = _bucket_arn(environment, "event-logs")
    return Workload(
        name="history-server",
        service_account=ServiceAccount(namespace=names.SYSTEM_NAMESPACE, name="history-server"),
        statements=(
            list_bucket("ListEventLogs", event_logs, EVENT_LOG_PREFIX),
            read_objects("ReadEventLogs", event_logs, EVENT_LOG_PREFIX),
            use_key("UsePlatformKey", data.key_arn, write=False),
        ),
    )


def _archer(environment: Environment, data: DataOutputs) -> Workload:
    logs = _bucket_arn(environment, "container-logs")
    artifacts = _bucket_arn(environment, "artifacts")
    return Workload(
        name="archer",
        service_account=ServiceAccount(namespace=names.SYSTEM_NAMESPACE, name="archer"),
        statements=(
            list_bucket("ListContainerLogs", logs, CONTAINER_LOG_PREFIX),
            read_objects("ReadContainerLogs", logs, CONTAINER_LOG_PREFIX),
            list_bucket("ListArtifacts", artifacts),
            read_objects("SeeWhetherApplicationsExist", artifacts),
            use_key("UsePlatformKey", data.key_arn, write=False),
        ),
    )


def _bucket_arn(environment: Environment, use: names.BucketUse) -> str:
    return f"arn:{names.partition(environment)}:s3:::{names.bucket(environment, use)}"
