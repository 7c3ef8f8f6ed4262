"""Who uses the platform: teams with their quotas and data, and the queue tree they submit to.

A queue, a team or a cluster is written once here; namespaces, IAM roles, YuniKorn and Archer's admission follow.
"""

from typing import Annotated, Literal

from pydantic import Field

from environments.base import KeyArn, KeyPrefix, Name, RoleArn, Section, shaped
from environments.spark import ConfKey


class Resources(Section):
    """An amount of compute."""

    vcores: Annotated[int, Field(ge=1, le=1_000_000)]
    """vCPU."""
    memory_gib: Annotated[int, Field(ge=1, le=16_000_000)]
    """Memory, GiB."""


class NamespaceQuota(Section):
    """ResourceQuota of a team's namespace on each of its clusters."""

    vcores: Annotated[int, Field(ge=1, le=1_000_000)]
    """Sum of CPU requests, vCPU."""
    memory_gib: Annotated[int, Field(ge=1, le=16_000_000)]
    """Sum of memory requests and limits, GiB."""
    pods: Annotated[int, Field(ge=2, le=100_000)]
    """Number of pods: drivers and executors."""


class DataGrant(Section):
    """S3 data that a team's jobs may use beside the team's own prefixes."""

    bucket: Annotated[
        str,
        shaped(
            "bucket",
            r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            allowed="an S3 bucket name of 3 to 63 lower-case letters, digits, dots and hyphens",
            fix="write the bucket's name alone, without s3:// and without a path, for example example-ads-events",
        ),
    ]
    """Name of the bucket."""
    prefix: KeyPrefix = ""
    """Key prefix that ends with a slash; empty means the whole bucket."""
    access: Literal["read", "write"]
    """read: get and list. write: read, put and delete."""
    key_arn: KeyArn | None = None
    """KMS key of the bucket when it has its own."""


class Team(Section):
    """A team: a namespace spark-<name>, a service account and an IAM role on each of its clusters."""

    name: Annotated[Name, Field(max_length=20)]
    """At most 20 characters, so that the role's name moka-<env>-<cluster>-team-<name> fits IAM's 64."""
    clusters: tuple[Name, ...] | None = None
    """Clusters that the team uses; all of them by default."""
    queues: Annotated[tuple[str, ...], Field(min_length=1)]
    """Queues or subtrees that the team may submit to, full path from root: root.ads.ctr."""
    submitters: tuple[str, ...] = ()
    """Groups of the identity provider whose members may submit and kill the team's jobs."""
    quota: NamespaceQuota
    """What the team's namespace may hold at once on each of its clusters."""
    data: tuple[DataGrant, ...] = ()
    """S3 data that the team's jobs may use beside the team's own prefixes."""
    glue_databases: tuple[
        Annotated[
            str,
            shaped(
                "glue-database",
                r"[a-z0-9_]{1,255}\*?",
                allowed="a Glue database name of lower-case letters, digits and underscores, a trailing * for a prefix",
                fix="name the databases, for example ads_*",
            ),
        ],
        ...,
    ] = ()
    """Glue databases that the team's jobs may read and write; a trailing * matches a prefix."""
    assume_role_arns: tuple[RoleArn, ...] = ()
    """Roles in other accounts that the team's jobs may assume."""
    conf: dict[ConfKey, str] = Field(default_factory=dict)
    """Spark properties of all its jobs, above the environment's `spark.conf`; profiles and jobs may override them."""


class Queue(Section):
    """A YuniKorn queue. The tree is root.<org>.<project>.<tier>; leaves are tiers."""

    name: Annotated[
        str,
        shaped(
            "queue-name",
            r"[a-z][a-z0-9_-]{0,29}",
            allowed="at most 30 lower-case letters, digits, hyphens and underscores, a letter first, no dot",
            fix="rename the queue, for example tier2",
        ),
    ]
    """Name of the queue: an organisation, a project, or tier1, tier2, tier3."""
    guaranteed: Resources | None = None
    """What the queue gets before others; a queue without it never preempts."""
    max: Resources | None = None
    """What the queue never exceeds."""
    max_applications: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Applications that run at once; without it many small jobs starve each other."""
    weight: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Share among its siblings when jobs wait in Archer; its guaranteed vCPU when not given, or 1 without a guarantee."""
    max_waiting: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Jobs that may wait in Archer; a further one is refused."""
    preemption: Literal["default", "fence", "disabled"] = "default"
    """fence: tasks inside preempt only inside. disabled: tasks inside are never victims."""
    preemption_delay_seconds: Annotated[int, Field(ge=1, le=3600)] | None = None
    """How long a leaf waits below its guarantee before it preempts; YuniKorn's default is 30 s. Leaves only."""
    quota_preemption_delay_seconds: Annotated[int, Field(ge=60, le=86400)] | None = None
    """How long a queue may stay above a lowered max before YuniKorn takes it back."""
    priority_offset: Annotated[int, Field(ge=-100_000, le=100_000)] = 0
    """Added to the priority of every pod in the queue; higher is scheduled first."""
    sort: Literal["fair", "fifo"] = "fair"
    """Order of applications in a leaf: fair shares, or first in first out."""
    queues: tuple["Queue", ...] = ()
    """Child queues; a tier has none."""


class UserLimit(Section):
    """What one user may hold at once over all queues."""

    max_applications: Annotated[int, Field(ge=1, le=100_000)]
    """One user's applications at once."""
    max: Resources
    """One user's compute at once."""
    max_waiting: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """One user's jobs that may wait in Archer; a further one is refused. No limit when it is not given."""


class Queues(Section):
    """The queue tree, YuniKorn's and Archer's alike."""

    default: str
    """Leaf for jobs that name no queue, full path: root.shared.adhoc.tier3."""
    user_limit: UserLimit | None = None
    """What one user may hold at once over all queues; no limit when it is not given."""
    tree: Annotated[tuple[Queue, ...], Field(min_length=1)]
    """The children of root, one per organisation."""
