"""What a team's jobs may do in AWS on one cluster: its own prefixes, the data and databases of the file, nothing else.

Event logs are the exception that Spark forces: all teams write below one prefix, see docs/decisions/0004.
"""

from environments import Environment, names
from environments.data import GlueCatalog
from environments.tenancy import DataGrant, Team
from infra.outputs import DataOutputs
from infra.workload import EVENT_LOG_PREFIX, Workload, bucket_arn
from moka_constructs import ServiceAccount
from moka_constructs.statements import (
    Statement,
    assume_roles,
    list_bucket,
    read_objects,
    use_glue,
    use_key,
    write_event_logs,
    write_objects,
)


def team_workload(environment: Environment, team: Team, data: DataOutputs) -> Workload:
    event_logs = bucket_arn(environment, "event-logs")
    staging = bucket_arn(environment, "staging")
    artifacts = bucket_arn(environment, "artifacts")
    own = f"{team.name}/"
    statements = [
        list_bucket("ListEventLogs", event_logs, EVENT_LOG_PREFIX),
        *write_event_logs("WriteEventLogs", event_logs, EVENT_LOG_PREFIX),
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
        purpose=f"Jobs of team {team.name}",
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
