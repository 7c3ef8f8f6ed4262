"""Where data lives: the table catalog, the platform's buckets, Archer's database."""

from typing import Annotated, Literal

from pydantic import Field

from environments.base import Account, Cidr, KeyArn, KeyPrefix, LogRetentionDays, RoleArn, Section, shaped


class NoCatalog(Section):
    """Jobs name paths; there is no shared metastore."""

    kind: Literal["none"]
    """No shared metastore."""


class GlueCatalog(Section):
    """AWS Glue Data Catalog as Spark's Hive metastore."""

    kind: Literal["glue"]
    """AWS Glue."""
    catalog_id: Account | None = None
    """Account that owns the catalog; the environment's own by default."""


ThriftUri = Annotated[
    str,
    shaped(
        "thrift-uri",
        r"thrift://[a-z0-9.-]+:\d{2,5}",
        allowed="a metastore's address",
        fix="write host and port, for example thrift://metastore.example.com:9083",
    ),
]


class HiveCatalog(Section):
    """A Hive metastore that runs elsewhere and is reached over Thrift."""

    kind: Literal["hive"]
    """A Hive metastore."""
    uris: Annotated[tuple[ThriftUri, ...], Field(min_length=1)]
    """thrift://host:port of each server."""
    cidrs: tuple[Cidr, ...] = ()
    """Networks of the servers, so that the network policy lets drivers reach them."""


Catalog = Annotated[NoCatalog | GlueCatalog | HiveCatalog, Field(discriminator="kind")]

RetentionDays = Annotated[int, Field(ge=1, le=3653)]


class CrossAccountGrant(Section):
    """A role of another account that may use part of one of the platform's buckets."""

    principal_arn: RoleArn
    """IAM role in the other account; its own policies must allow the same."""
    bucket: Literal["event-logs", "container-logs", "artifacts", "staging"]
    """Which of the platform's buckets."""
    prefix: KeyPrefix
    """Key prefix that ends with a slash; empty means the whole bucket."""
    access: Literal["read", "write"]
    """read: get and list. write: read, put and delete."""


class Storage(Section):
    """The platform's buckets (event logs, container logs, artifacts, staging) and registries."""

    retain: bool
    """Whether buckets, keys and repositories outlive their stack; true wherever the data matters."""
    event_log_days: RetentionDays = 90
    """Days that Spark event logs are kept for the History Server."""
    container_log_days: RetentionDays = 30
    """Days that logs of drivers, executors and platform pods are kept."""
    staging_days: RetentionDays = 7
    """Days that job uploads and Spark staging files are kept."""
    noncurrent_version_days: RetentionDays = 30
    """Days that replaced artifacts are kept."""
    abort_multipart_days: Annotated[int, Field(ge=1, le=30)] = 3
    """Days after which an unfinished upload is dropped: the S3A magic committer leaves them behind when a job dies."""
    cross_account: tuple[CrossAccountGrant, ...] = ()
    """Roles of other accounts that may use the platform's buckets, for instance a security team that reads logs.

    Moka's own key admits them; with `key_arn` the key's owner must."""
    access_logs: bool = False
    """Whether S3 server access logs are written to a bucket of their own."""
    key_arn: KeyArn | None = None
    """Existing KMS key for all buckets and registries; Moka makes one when it is not given."""
    volumes_key_arn: KeyArn | None = None
    """Existing KMS key for node volumes; Moka makes one when it is not given."""
    grants_autoscaling: bool = False
    """States that the existing volumes key lets AWSServiceRoleForAutoScaling use it and create grants; nodes cannot start otherwise."""


class Database(Section):
    """Archer's PostgreSQL: Aurora Serverless v2."""

    engine_version: Annotated[
        str,
        shaped(
            "engine-version",
            r"1[6-9]\.\d{1,2}",
            allowed="an Aurora PostgreSQL version from 16 on, major.minor in quotes",
            fix='write it whole, for example "17.5"',
        ),
    ] = "17.5"
    """Aurora PostgreSQL version, major.minor, in quotes."""
    min_acu: Annotated[float, Field(ge=0, le=256, multiple_of=0.5)] = 0.5
    """Aurora capacity units (about 2 GiB each) that are always there; 0 pauses an idle database."""
    max_acu: Annotated[float, Field(ge=1, le=256, multiple_of=0.5)] = 8
    """Aurora capacity units that it may grow to."""
    readers: Annotated[int, Field(ge=0, le=15)] = 0
    """Readers in other zones that take over when the writer fails."""
    backup_days: Annotated[int, Field(ge=1, le=35)] = 7
    """Days that automatic backups are kept."""
    log_retention_days: LogRetentionDays | None = None
    """Days that the database's logs are kept in CloudWatch; as long as the host cluster's when it is not given."""
    deletion_protection: bool = True
    """Whether RDS refuses to delete the cluster until this is false."""
    key_arn: KeyArn | None = None
    """Existing KMS key for the database; Moka makes one when it is not given."""
