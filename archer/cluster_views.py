"""The shape of `archer.yaml`: clusters, queues, teams, storage, and the whole. Data alone; `archer.cluster_config` reads it."""

from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from archer.profile_views import Name, ProfileView
from archer.profile_views import Part as _Part
from archer.submission import ConfKey, Text

SparkVersion = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
QueuePath = Annotated[str, Field(pattern=r"^root(\.[a-z][a-z0-9_-]{0,29})+$", max_length=253)]
S3Location = Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$")]


def _not_empty(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    if not entries:
        raise PydanticCustomError("empty", "a list of at least one entry")
    return entries


# with Field(min_length=1) pydantic calls the list too short as soon as one of its entries is wrong
_SOME: Final = AfterValidator(_not_empty)
_SOME_IN_SCHEMA: Final = Field(json_schema_extra={"minItems": 1})


class Resources(_Part):
    """An amount of compute."""

    vcores: Annotated[int, Field(ge=1)]
    """vCPU."""
    memory_gib: Annotated[int, Field(ge=1)]
    """Memory, GiB."""


class Toleration(_Part):
    """A toleration as Kubernetes writes it."""

    key: str
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class PoolView(_Part):
    """Nodes that jobs may be put on."""

    name: Name
    role: Literal["driver", "executor"]
    capacity: Literal["on_demand", "spot"]
    architecture: Literal["amd64", "arm64"]
    """What the job's image and its native libraries must be made for."""
    node_vcpu: Annotated[int, Field(ge=1)]
    """vCPU of each node; a pod that asks for more never starts."""
    node_memory_mib: Annotated[int, Field(ge=1)]
    """Memory of each node, MiB, before what Kubernetes keeps for itself."""
    max_nodes: Annotated[int, Field(ge=1)]
    """Nodes at most, over all zones."""
    local_disk: bool
    """Whether an emptyDir lies on the instance's NVMe."""
    node_selector: dict[str, str]
    """Goes into the pod template as it is."""
    tolerations: tuple[Toleration, ...] = ()
    """Go into the pod template as they are."""


class CelebornView(_Part):
    """The remote shuffle service of a cluster."""

    endpoints: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+:\d{2,5}$")], ...], _SOME, _SOME_IN_SCHEMA]
    """host:port of each master."""
    replicate: bool = True
    """Whether each block is written twice."""


class ClusterView(_Part):
    """A cluster that Archer submits to."""

    name: Name
    eks_name: Annotated[str, Field(min_length=1, max_length=100)]
    """Name in EKS, for the API server's address and a token."""
    kubernetes_version: Annotated[str, Field(pattern=r"^1\.\d{2}$")]
    creates_per_minute: Annotated[int, Field(ge=1, le=1000)]
    """SparkApplications that Archer creates there per minute."""
    access: Literal["eks", "kubeconfig", "in_cluster"] = "eks"
    """How Archer reaches the API server: EKS by name with a token of its role, a context of a kubeconfig, or the service
    account of its own pod."""
    context: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Context of the kubeconfig; with access kubeconfig only."""
    weight: Annotated[int, Field(ge=0, le=1000)] = 1
    """Share of jobs that may go to several clusters; 0: only those that name it."""
    celeborn: CelebornView | None = None
    """Its Celeborn; absent: it has none."""
    pools: tuple[PoolView, ...]
    """At least one for drivers and one for executors."""


class QueueView(_Part):
    """A queue of the tree. Only leaves take jobs."""

    path: QueuePath
    """Full path from root."""
    leaf: bool
    tier: Literal["tier1", "tier2", "tier3"] | None = None
    """Tier of a leaf, which decides its jobs' priority classes; tier3 for a leaf that names none."""
    max_applications: Annotated[int, Field(ge=1)] | None = None
    """Jobs that run at once; no bound when absent."""
    guaranteed: Resources | None = None
    max: Resources | None = None
    weight: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Share among its siblings when jobs wait; absent: its guaranteed vCPU, or 1 without a guarantee."""
    max_waiting: Annotated[int, Field(ge=1)] | None = None
    """Jobs that may wait; a further one is refused. No bound when absent."""

    @property
    def share(self) -> int:
        """Weight among its siblings."""
        if self.weight is not None:
            return self.weight
        return 1 if self.guaranteed is None else self.guaranteed.vcores


class UserLimitView(_Part):
    """What one user may hold at once over all queues."""

    max_applications: Annotated[int, Field(ge=1)]
    max: Resources
    max_waiting: Annotated[int, Field(ge=1)] | None = None
    """Jobs that may wait; a further one is refused. No bound when absent."""


class QueuesView(_Part):
    """The queue tree, flattened: a parent stands before its children."""

    default: QueuePath
    """Leaf for jobs that name no queue."""
    user_limit: UserLimitView | None = None
    """The same for every user; no limit when absent."""
    tree: Annotated[tuple[QueueView, ...], _SOME, _SOME_IN_SCHEMA]


class TeamView(_Part):
    """A team: who may submit what, and where its pods live."""

    name: Name
    namespace: Name
    service_account: Name
    clusters: Annotated[tuple[Name, ...], _SOME, _SOME_IN_SCHEMA]
    queues: Annotated[tuple[QueuePath, ...], _SOME, _SOME_IN_SCHEMA]
    """Queues or subtrees that the team may submit to."""
    submitters: tuple[str, ...] = ()
    """Groups whose members may submit and kill the team's jobs."""
    quota: Resources
    pods: Annotated[int, Field(ge=1)]
    """Pods in the namespace at once."""
    identity: Literal["irsa", "pod_identity"] = "irsa"
    """How its pods get the credentials of the team's AWS role."""
    conf: dict[ConfKey, Text] = Field(default_factory=dict)
    """Spark properties of all its jobs, above the environment's."""


class SparkImageView(_Part):
    """An image of the platform that jobs run in unless they name one of their own."""

    spark_version: SparkVersion
    """Whole, as 4.0.5."""
    image: Annotated[str, Field(min_length=1, max_length=512)]
    """Registry, repository and tag, or digest."""
    architectures: Annotated[tuple[Literal["amd64", "arm64"], ...], _SOME, _SOME_IN_SCHEMA] = ("amd64", "arm64")


class CatalogView(_Part):
    """The tables that SQL finds."""

    kind: Literal["glue", "hive"]
    catalog_id: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    """glue: account that owns the catalog; the environment's own when absent."""
    uris: tuple[str, ...] = ()
    """hive: thrift://host:port of each metastore."""


class StorageView(_Part):
    """Where files of jobs are kept."""

    event_logs: S3Location
    container_logs: S3Location
    artifacts: S3Location
    staging: S3Location


class ClusterConfig(_Part):
    """The whole file. Shape: `archer/cluster_config.schema.json`."""

    schema_version: Literal[1]
    environment: Name
    region: Annotated[str, Field(min_length=1)]
    clusters: Annotated[tuple[ClusterView, ...], _SOME, _SOME_IN_SCHEMA]
    queues: QueuesView
    teams: Annotated[tuple[TeamView, ...], _SOME, _SOME_IN_SCHEMA]
    profiles: tuple[ProfileView, ...] = ()
    storage: StorageView
    spark_features: tuple[Name, ...] | None = None
    """What the platform's Spark image can do beyond Spark itself; absent: nobody has said, and no job is refused for it."""
    spark_images: tuple[SparkImageView, ...] = ()
    """By Spark version; the first is the default. Empty: every job names an image of its own."""
    catalog: CatalogView | None = None
    """Absent: jobs name paths."""
    conf: dict[ConfKey, Text] = Field(default_factory=dict)
    """Spark properties of all jobs, above the platform's."""
    job_retention_days: Annotated[int, Field(ge=1)]
    """Days that finished jobs stay in the database."""

    @cached_property
    def leaves(self) -> frozenset[str]:
        """Full paths of the queues that take jobs."""
        return frozenset(queue.path for queue in self.queues.tree if queue.leaf)

    def cluster(self, name: str | None) -> ClusterView | None:
        """Return the cluster of that name, None when there is none."""
        return next((cluster for cluster in self.clusters if cluster.name == name), None)

    def team(self, name: str | None) -> TeamView | None:
        """Return the team of that name, None when there is none."""
        return next((team for team in self.teams if team.name == name), None)

    def profile(self, name: str | None) -> ProfileView | None:
        """Return the profile of that name, None when there is none."""
        return next((profile for profile in self.profiles if profile.name == name), None)

    def team_may_use(self, team: TeamView, queue: str) -> bool:
        """Return whether `queue` is a leaf that is one of the team's queues or lies below one."""
        return queue in self.leaves and any(queue == own or queue.startswith(f"{own}.") for own in team.queues)
