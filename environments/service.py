"""Archer on its cluster, what it offers to users, and how images and manifests get there."""

from typing import Annotated, Literal

from pydantic import Field

from environments.base import CertificateArn, Cidr, Name, Section
from environments.data import Database


class Endpoint(Section):
    """The internal load balancer in front of Archer and the History Server."""

    scheme: Literal["internal"] = "internal"
    hostname: Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$", max_length=253)]
    """DNS name of Archer; the History Server answers at history.<hostname>."""
    hosted_zone_id: Annotated[str, Field(pattern=r"^Z[A-Z0-9]{8,31}$")]
    """Route 53 hosted zone that holds the name."""
    certificate_arn: CertificateArn
    """Certificate for the name and history.<name>."""
    allowed_cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    """Networks that may reach it."""


class Replicas(Section):
    """Pods of each of Archer's roles."""

    api: Annotated[int, Field(ge=1, le=20)] = 2
    dispatcher: Annotated[int, Field(ge=1, le=20)] = 2
    tracker: Annotated[int, Field(ge=1, le=20)] = 2
    janitor: Annotated[int, Field(ge=1, le=3)] = 1


class Archer(Section):
    """The job submission service."""

    cluster: Name
    """Cluster that hosts Archer; it submits to all clusters of the environment."""
    endpoint: Endpoint
    replicas: Replicas = Replicas()
    database: Database = Database()
    job_retention_days: Annotated[int, Field(ge=7, le=3653)] = 180
    """Days that finished jobs stay in the database."""
    creates_per_minute: Annotated[int, Field(ge=1, le=1000)] = 100
    """SparkApplications that Archer creates on one cluster per minute; a cluster saturates at about 150 to 250."""


class ProfileResources(Section):
    """Size of a driver or of each executor."""

    cores: Annotated[int, Field(ge=1, le=192)]
    memory: Annotated[str, Field(pattern=r"^[1-9]\d*[mgt]$")]
    """JVM heap as Spark writes it: 8g."""
    instances: Annotated[int, Field(ge=1, le=5000)] | None = None
    """Executors; not for drivers."""


class Profile(Section):
    """Named defaults that a job may ask for."""

    name: Name
    description: str = ""
    spark_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] | None = None
    driver: ProfileResources | None = None
    executor: ProfileResources | None = None
    conf: dict[Annotated[str, Field(pattern=r"^spark\.")], str] = Field(default_factory=dict)


class Celeborn(Section):
    """Remote shuffle service on the pools of role celeborn; jobs choose it one by one."""

    masters: Literal[1, 3] = 3
    workers: Annotated[int, Field(ge=1, le=500)]
    replicate: bool = True
    """Whether each block is written twice: node loss loses NVMe data, so only a toy goes without."""


class Delivery(Section):
    """How images and manifests reach the clusters."""

    registry: Literal["account", "existing"] = "account"
    """account: ECR repositories that Moka makes in this account and region. existing: `registry_uri`."""
    registry_uri: Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:\d+)?(/[a-z0-9._/-]+)?$")] | None = None
    """Registry and prefix that hold the images already; with existing only."""
    manifests: Literal["manifest_set", "files"] = "manifest_set"
    """manifest_set applies the charts during `cdk deploy`; files only renders them, for a GitOps tool of your own."""


class Schedule(Section):
    """A change of a pool's bounds at a time of day, for instance more nodes at night."""

    name: Annotated[Name, Field(max_length=30)]
    cluster: Name
    pool: Name
    cron: Annotated[
        str, Field(pattern=r"^[0-9*,/-]+ [0-9*,/-]+ [0-9*,/?LW-]+ [0-9A-Z*,/-]+ [0-9A-Z*,/?L#-]+ [0-9*,/-]+$")
    ]
    """Six fields as EventBridge Scheduler takes them: minute hour day-of-month month day-of-week year; one of the days is ?."""
    timezone: str
    """IANA name, for example America/Los_Angeles."""
    min_nodes_per_zone: Annotated[int, Field(ge=0, le=450)]
    max_nodes_per_zone: Annotated[int, Field(ge=1, le=450)]


__all__ = [
    "Archer",
    "Celeborn",
    "Cidr",
    "Delivery",
    "Endpoint",
    "Profile",
    "ProfileResources",
    "Replicas",
    "Schedule",
]
