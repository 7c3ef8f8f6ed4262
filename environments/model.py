"""The environment: one frozen value that stacks, charts and Archer's configuration are made from.

It holds values and nothing else: no AWS call, no rule that joins two sections (those are in `checks/`), no name of an
AWS resource (those are computed in `names.py`).
"""

from typing import Annotated, Literal

from pydantic import Field

from environments.alarms import Alarms
from environments.base import Account, Name, PolicyArn, Region, RoleArn, Section, Zone, ZoneId, shaped
from environments.clusters import Cluster, Pool
from environments.data import Catalog, Storage
from environments.network import Network
from environments.service import Archer, Celeborn, Delivery, Profile, Schedule
from environments.spark import Spark
from environments.tenancy import Queues, Team

PLACEHOLDER_ACCOUNT = "111111111111"
"""Account of the shipped files: a synth works, a deploy is refused."""


class Bootstrap(Section):
    """What `cdk bootstrap` left in the account."""

    qualifier: Annotated[
        str,
        shaped(
            "qualifier",
            r"[a-z0-9]{1,10}",
            allowed="at most 10 lower-case letters and digits",
            fix="copy the value of `cdk bootstrap --qualifier`, for example hnb659fds",
        ),
    ] = "hnb659fds"
    """Qualifier of the bootstrap stack; CDK's default unless the company changed it."""
    execution_role_arn: RoleArn | None = None
    """Role that CloudFormation assumes; the bootstrap stack's own when not given."""


class Permissions(Section):
    """Company rules for IAM roles."""

    boundary_arn: PolicyArn | None = None
    """Permissions boundary that every role must carry."""
    role_path: Annotated[
        str,
        Field(max_length=512),
        shaped(
            "role-path",
            r"/([\w+=,.@-]+/)*",
            allowed="an IAM path that begins and ends with a slash",
            fix="write both slashes, for example /platform/moka/",
        ),
    ] = "/"
    """IAM path of every role."""


class Identity(Section):
    """How pods get AWS credentials."""

    mechanism: Literal["irsa", "pod_identity"] = "irsa"
    """irsa works with every SDK, Spark 3.5's included; pod_identity needs Java SDK 1.12.746 or 2.21.30."""
    overrides: dict[str, Literal["irsa", "pod_identity"]] = Field(default_factory=dict)
    """Per workload, by its name: archer, history-server, cluster-autoscaler, …, or team-<name>."""


class Environment(Section):
    """One environment, as its file says. Shape: `environments/schema.json`."""

    schema_version: Literal[1]
    """Version of this form: 1. A later version may add keys, it never renames one."""
    name: Annotated[Name, Field(max_length=12)]
    """Name of the environment, and of its file; part of every name that Moka makes."""
    account: Account
    """AWS account that the environment is deployed to."""
    region: Region
    """AWS region that it is deployed to."""
    tags: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=128)], Annotated[str, Field(max_length=256)]],
        Field(max_length=40),
    ]
    """Tags on everything; CDK's Tags for resources, launch templates for instances, volumes and interfaces."""
    bootstrap: Bootstrap = Bootstrap()
    """What `cdk bootstrap` left in the account."""
    permissions: Permissions = Permissions()
    """Company rules for IAM roles: boundary and path."""
    network: Network
    """The VPC: one that Moka makes, or one that exists."""
    zone_ids: dict[Zone, ZoneId] = Field(default_factory=dict)
    """Zone ids behind the account's zone names (us-east-1a: use1-az4); with them offerings are checked zone by zone.

    In the regions older than 2012 the names differ from account to account, so no table can know them."""
    offered_beyond_table: dict[str, tuple[Zone, ...]] = Field(default_factory=dict)
    """Instance types that this account gets in more zones than the dated table says: {r8gd.4xlarge: [us-east-1a]}."""
    clusters: Annotated[tuple[Cluster, ...], Field(min_length=1, max_length=10)]
    """EKS clusters; each has its own stack and charts."""
    identity: Identity = Identity()
    """How pods get AWS credentials."""
    teams: Annotated[tuple[Team, ...], Field(min_length=1, max_length=200)]
    """Who submits jobs, with quotas and data."""
    queues: Queues
    """The queue tree that teams submit to."""
    catalog: Catalog
    """Where table definitions live."""
    storage: Storage
    """The platform's buckets and registries, and the keys that encrypt them."""
    archer: Archer
    """The job service."""
    celeborn: Celeborn | None = None
    """Remote shuffle; null runs none."""
    spark: Spark = Spark()
    """Spark for all jobs: properties, and images beside the platform's own."""
    profiles: tuple[Profile, ...] = ()
    """Named defaults that a job may ask for."""
    delivery: Delivery = Delivery()
    """How images and manifests reach the clusters."""
    schedules: tuple[Schedule, ...] = ()
    """Changes of pools' bounds at a time of day."""
    alarms: Alarms | None = None
    """Alarms and a dashboard in CloudWatch; null makes none."""

    def cluster(self, name: str) -> Cluster:
        """Return the cluster of that name. Raises KeyError; the checks have refused a file that names an unknown one."""
        return _named(self.clusters, name)

    def pool_zones(self, pool: Pool) -> tuple[str, ...]:
        """Return the zones of `pool`, in the network's order."""
        return tuple(zone for zone in self.network.zones if pool.zones is None or zone in pool.zones)

    def teams_on(self, cluster: Cluster) -> tuple[Team, ...]:
        """Return the teams that use `cluster`."""
        return tuple(team for team in self.teams if team.clusters is None or cluster.name in team.clusters)


def _named(clusters: tuple[Cluster, ...], name: str) -> Cluster:
    """Return the cluster called `name`; KeyError when there is none."""
    for cluster in clusters:
        if cluster.name == name:
            return cluster
    raise KeyError(name)
