"""Archer on its cluster, what it offers to users, and how images and manifests get there."""

from typing import Annotated, Literal

from pydantic import Field

from environments.base import CacheSecretArn, CertificateArn, Cidr, Name, Section, SecurityGroupId, shaped
from environments.data import Database
from environments.spark import ConfKey, SparkVersion


class Endpoint(Section):
    """The internal load balancer in front of Archer and the History Server."""

    scheme: Literal["internal"] = "internal"
    """The load balancer has private addresses only."""
    hostname: Annotated[
        str,
        Field(max_length=245),
        shaped(
            "hostname",
            r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}",
            allowed="a DNS name in lower case, without scheme, port and path",
            fix="write the name alone, for example archer.example.com",
        ),
    ]
    """DNS name of Archer; the History Server answers at history.<hostname>."""
    hosted_zone_id: Annotated[
        str,
        shaped(
            "hosted-zone-id",
            r"Z[A-Z0-9]{8,31}",
            allowed="the id of a Route 53 hosted zone",
            fix="copy it without /hostedzone/, for example Z0123456789ABCDEFGHIJ",
        ),
    ]
    """Route 53 hosted zone that holds the name."""
    certificate_arn: CertificateArn
    """Certificate for the name and history.<name>."""
    allowed_cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    """Networks that may reach it."""


class Replicas(Section):
    """Pods of each of Archer's roles."""

    api: Annotated[int, Field(ge=1, le=20)] = 2
    """Pods that answer the API and the page."""
    dispatcher: Annotated[int, Field(ge=1, le=20)] = 2
    """Pods that submit jobs to clusters."""
    tracker: Annotated[int, Field(ge=1, le=20)] = 2
    """Pods that watch jobs."""
    janitor: Annotated[int, Field(ge=1, le=3)] = 1
    """Pods that clean up what nobody finished."""


class GroupRole(Section):
    """What members of a group may do in Archer."""

    group: Annotated[
        str,
        Field(max_length=128),
        shaped(
            "group",
            r"[^\s,=](?:[^,\x00-\x1f]*[^\s,])?",
            allowed="a name without commas",
            fix="write it as the proxy does",
        ),
    ]
    """Group as the proxy names it."""
    role: Annotated[
        str,
        Field(max_length=270),
        shaped(
            "role",
            r"viewer|operator|admin|submitter:root(\.[a-z][a-z0-9_-]{0,29})*|team:[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?",
            allowed="viewer, operator, admin, submitter:<queue> or team:<name>",
            fix="write it so, for example submitter:root.etl",
        ),
    ]
    """Role of its members; docs/reference/archer-roles.md says what each may do."""


class Authentication(Section):
    """How users prove to Archer who they are."""

    modes: Annotated[tuple[Literal["token", "proxy"], ...], Field(min_length=1)] = ("token",)
    """token: secrets that `archer token create` makes. proxy: a proxy in front has asked, and says it in headers."""
    trusted_proxies: tuple[Cidr, ...] = ()
    """Networks of the proxies whose headers Archer believes; with proxy only."""
    group_roles: tuple[GroupRole, ...] = ()
    """Roles of the proxy's groups; teams' submitters need none."""


class Archer(Section):
    """The job submission service."""

    cluster: Name
    """Cluster that hosts Archer; it submits to all clusters of the environment."""
    endpoint: Endpoint
    """The load balancer that users reach."""
    authentication: Authentication = Authentication()
    """How users prove to Archer who they are."""
    replicas: Replicas = Replicas()
    """Pods of each of Archer's roles."""
    database: Database = Database()
    """Archer's PostgreSQL."""
    pod_security_group_ids: Annotated[tuple[SecurityGroupId, ...], Field(max_length=5)] = ()
    """Existing security groups that Archer's pods and its migration's carry; database and API servers then know them instead
    of the nodes', and the first admits the load balancer.

    They must let pods out to HTTPS, DNS and the database. The History Server stays in the nodes' group. With `cluster_role_arn`
    that role needs AmazonEKSVPCResourceController."""
    job_retention_days: Annotated[int, Field(ge=7, le=3653)] = 180
    """Days that finished jobs stay in the database."""
    creates_per_minute: Annotated[int, Field(ge=1, le=1000)] = 100
    """SparkApplications that Archer creates on one cluster per minute; a cluster saturates at about 150 to 250."""


class ProfileResources(Section):
    """Size of a driver or of each executor."""

    cores: Annotated[int, Field(ge=1, le=192)]
    """Cores of the driver or of each executor."""
    memory: Annotated[
        str,
        shaped(
            "memory",
            r"[1-9]\d*[mgt]",
            allowed="a JVM heap size: a number and m, g or t",
            fix="write it as Spark does, for example 8g",
        ),
    ]
    """JVM heap as Spark writes it: 8g."""
    instances: Annotated[int, Field(ge=1, le=5000)] | None = None
    """Executors; not for drivers."""


class ProfileParameter(Section):
    """What a job that names the profile may fill in; ${name} in the profile's conf stands for it."""

    name: Annotated[
        str,
        shaped(
            "parameter",
            r"[a-z][a-z0-9_]{0,62}",
            allowed="lower-case letters, digits and underscores, a letter first",
            fix="rename it, for example input_day",
        ),
    ]
    """Name that a submission gives in `parameters`."""
    type: Literal["text", "integer", "number", "boolean", "memory"] = "text"
    """What a value must be; memory is a size as Spark writes it."""
    description: str = ""
    """What it is for."""
    default: str | None = None
    """Value when the job gives none; a job must give one when there is no default."""
    allowed: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    """The only values that are taken; any of the type when empty."""
    minimum: float | None = None
    """Of an integer or number."""
    maximum: float | None = None
    """Of an integer or number."""


class Profile(Section):
    """Named defaults that a job may ask for."""

    name: Name
    """Name that a submission gives in `profile`."""
    description: str = ""
    """What the profile is for, shown on the page."""
    spark_version: SparkVersion | None = None
    """Spark version of the image; the platform's default when not given."""
    driver: ProfileResources | None = None
    """Size of the driver."""
    executor: ProfileResources | None = None
    """Size and number of executors."""
    conf: dict[ConfKey, str] = Field(default_factory=dict)
    """Spark properties, values in quotes; no property that Archer sets itself. ${name} stands for a parameter."""
    parameters: Annotated[tuple[ProfileParameter, ...], Field(max_length=50)] = ()
    """What a job may fill in."""


class Celeborn(Section):
    """Remote shuffle service on the pools of role celeborn; jobs choose it one by one."""

    masters: Literal[1, 3] = 3
    """Masters; three keep a quorum when one is lost."""
    workers: Annotated[int, Field(ge=1, le=500)]
    """Workers, one per node of the pools of role celeborn."""
    replicate: bool = True
    """Whether each block is written twice: node loss loses NVMe data, so only a toy goes without."""


CacheUpstream = Literal["docker-hub", "ecr-public", "github", "gitlab", "k8s", "quay"]


class PullThroughCache(Section):
    """Images of a public registry, kept in the account's own when a node first asks for them."""

    upstream: CacheUpstream
    """Public registry: docker.io, public.ecr.aws, ghcr.io, registry.gitlab.com, registry.k8s.io or quay.io."""
    credential_arn: CacheSecretArn | None = None
    """Secret with user name and access token; docker-hub, github and gitlab want one, the others take none."""


class Delivery(Section):
    """How images and manifests reach the clusters."""

    registry: Literal["account", "existing"] = "account"
    """account: ECR repositories that Moka makes in this account and region. existing: `registry_uri`."""
    registry_uri: (
        Annotated[
            str,
            shaped(
                "registry-uri",
                r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(/[a-z0-9]([a-z0-9._/-]*[a-z0-9])?)?",
                allowed="a registry's host, optional port and prefix, without scheme and trailing slash",
                fix="write it so, for example 111111111111.dkr.ecr.us-east-1.amazonaws.com/moka",
            ),
        ]
        | None
    ) = None
    """Registry and prefix that hold the images already; with existing only."""
    pull_through_caches: tuple[PullThroughCache, ...] = ()
    """Public registries that users' own images may come from; only with registry: account and a way to the internet.

    The platform's images come from its own repositories either way."""
    manifests: Literal["manifest_set", "files"] = "manifest_set"
    """manifest_set applies the charts during `cdk deploy`; files only renders them, for a GitOps tool of your own."""
    remove: Literal["keep_jobs", "everything", "nothing"] = "keep_jobs"
    """What goes when it leaves the charts, or with the stack: keep_jobs leaves CRDs, and namespaces that hold jobs.

    nothing leaves all of it; deploy it before you change manifests to files, so that the charts stay while a GitOps tool takes over."""
    force_fields: tuple[
        Annotated[
            str,
            shaped(
                "force-field",
                r"([A-Z][A-Za-z]+ ([a-z0-9.-]+/)?[A-Za-z0-9.:_-]+:)?\.\S+",
                allowed="a field as a conflict names it, if wanted after the object and a colon",
                fix="write it so, for example .spec.replicas or Deployment moka-system/archer-api:.spec.replicas",
            ),
        ],
        ...,
    ] = ()
    """Fields that a deploy takes over from whoever changed them in the cluster; without it such a conflict fails the deploy."""


class Schedule(Section):
    """A change of a pool's bounds at a time of day, for instance more nodes at night."""

    name: Annotated[Name, Field(max_length=30)]
    """Name of the schedule."""
    cluster: Name
    """Cluster that has the pool."""
    pool: Name
    """Pool whose bounds change."""
    cron: Annotated[
        str,
        shaped(
            "cron",
            r"[0-9*,/-]+ [0-9*,/-]+ [0-9*,/?LW-]+ [0-9A-Z*,/-]+ [0-9A-Z*,/?L#-]+ [0-9*,/-]+",
            allowed="six fields: minute hour day-of-month month day-of-week year",
            fix="write all six, one of the two days as ?, for example 0 20 ? * MON-FRI *",
        ),
    ]
    """Six fields as EventBridge Scheduler takes them: minute hour day-of-month month day-of-week year; one of the days is ?."""
    timezone: str
    """IANA name, for example America/Los_Angeles."""
    min_nodes_per_zone: Annotated[int, Field(ge=0, le=450)]
    """New lower bound of each zone's group."""
    max_nodes_per_zone: Annotated[int, Field(ge=1, le=450)]
    """New upper bound of each zone's group."""


__all__ = [
    "Archer",
    "Authentication",
    "CacheUpstream",
    "Celeborn",
    "Cidr",
    "Delivery",
    "Endpoint",
    "GroupRole",
    "Profile",
    "ProfileParameter",
    "ProfileResources",
    "PullThroughCache",
    "Replicas",
    "Schedule",
]
