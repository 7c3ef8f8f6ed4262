"""EKS clusters and their node pools."""

from typing import Annotated, Literal

from pydantic import Field

from environments.base import Cidr, KeyArn, LogRetentionDays, Name, RoleArn, Section, Zone, shaped

KubernetesVersion = Literal["1.34", "1.35", "1.36"]
"""1.35 is the default: YuniKorn 1.9 and the Spark operator's own tests end there; 1.36 is opt-in."""

ControlPlaneLog = Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]
ControlPlaneTier = Literal["standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"]


class ApiEndpoint(Section):
    """How the Kubernetes API server is reached."""

    access: Literal["private", "public_and_private"] = "private"
    """private: only from the VPC and what is routed to it. public_and_private: also from `allowed_cidrs`."""
    allowed_cidrs: tuple[Cidr, ...] = ()
    """Public ranges that may reach a public endpoint; required with public_and_private, 0.0.0.0/0 is refused."""


class AccessEntry(Section):
    """An IAM role that may use the cluster, as an EKS access entry."""

    role_arn: RoleArn
    """IAM role that gets in; one entry per role."""
    policy: Literal["cluster-admin", "admin", "edit", "view", "admin-view"]
    """EKS access policy, by its short name (AmazonEKSClusterAdminPolicy, …)."""
    namespaces: tuple[Name, ...] = ()
    """Namespaces that the policy is limited to; none means the whole cluster."""


LabelKey = Annotated[
    str,
    shaped(
        "label-key",
        r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?",
        allowed="a Kubernetes label key",
        fix="use letters, digits, dots and dashes after an optional domain and slash, for example example.com/owner",
    ),
]
LabelValue = Annotated[
    str,
    shaped(
        "label-value",
        r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?",
        allowed="a Kubernetes label value of at most 63 characters",
        fix="use letters, digits, dots and dashes, for example batch",
    ),
]


class Taint(Section):
    """A Kubernetes taint that every node of a pool carries."""

    key: LabelKey
    """Key of the taint, in a domain of your own."""
    value: LabelValue = ""
    """Value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    """What happens to pods that do not tolerate it."""


PoolRole = Literal["system", "driver", "executor", "celeborn"]


class Pool(Section):
    """Nodes of one shape. It becomes one managed node group per zone, so that the autoscaler never crosses zones."""

    name: Annotated[Name, Field(max_length=20)]
    """Name of the pool; node groups are <name>-<zone>-<hash>."""
    role: PoolRole
    """What runs there. system: platform pods, never empty. driver: Spark drivers. executor: executors. celeborn: shuffle workers."""
    capacity: Literal["on_demand", "spot"] = "on_demand"
    """Spot is for executors only: losing a driver loses the job."""
    instance_types: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]
    """EC2 types of equal vCPU, memory and architecture, with raid0 also NVMe: the autoscaler simulates the first for all."""
    zones: tuple[Zone, ...] | None = None
    """Zones of the network that the pool uses; all of them by default."""
    min_nodes_per_zone: Annotated[int, Field(ge=0, le=450)] = 0
    """Lower bound of each zone's group; at least 1 for a system pool."""
    max_nodes_per_zone: Annotated[int, Field(ge=1, le=450)]
    """Upper bound of each zone's group; 450 is EKS' quota for a group."""
    operating_system: Literal["al2023", "bottlerocket"] = "al2023"
    """Operating system of the nodes; it decides the form of `ami_release_version`."""
    ami_release_version: Annotated[
        str,
        shaped(
            "ami-release",
            r"\d+\.\d+\.\d+-[0-9a-f]{8}",
            allowed="an EKS AMI release version, kubelet version and date (AL2023) or version and commit (Bottlerocket)",
            fix="copy one from the releases of awslabs/amazon-eks-ami or bottlerocket-os/bottlerocket, for example 1.35.6-20260714",
        ),
    ]
    """EKS-optimised AMI release, pinned: 1.35.6-20260714 (AL2023) or 1.64.0-a1b2c3d4 (Bottlerocket)."""
    disk_gib: Annotated[int, Field(ge=20, le=16384)] = 100
    """Root volume (gp3, encrypted), GiB."""
    nvme: Literal["raid0", "ignore"] = "ignore"
    """raid0 joins the instance store into one array that carries kubelet, containerd and so every emptyDir."""
    max_pods: Annotated[int, Field(ge=4, le=250)] = 110
    """Pods per node; prefix delegation makes room for them."""
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    """Extra node labels. moka.dev/pool, moka.dev/role and moka.dev/capacity are set by Moka."""
    taints: tuple[Taint, ...] = ()
    """Extra taints. A pool that is not a system pool carries moka.dev/role=<role>:NoSchedule already."""
    scale_down_unneeded_seconds: Annotated[int, Field(ge=60, le=86400)] = 600
    """How long a node must be idle before the autoscaler takes it away."""


class Cluster(Section):
    """One EKS cluster."""

    name: Annotated[Name, Field(max_length=20)]
    """Name of the cluster; EKS knows it as moka-<env>-<name>."""
    kubernetes_version: KubernetesVersion = "1.35"
    """Kubernetes minor version, in quotes."""
    endpoint: ApiEndpoint = ApiEndpoint()
    """How the Kubernetes API server is reached."""
    log_types: tuple[ControlPlaneLog, ...] = ("api", "audit", "authenticator", "controllerManager", "scheduler")
    """Control-plane logs that go to CloudWatch; all five by default."""
    log_retention_days: LogRetentionDays = 90
    """Days that control-plane logs are kept in CloudWatch."""
    secrets_key_arn: KeyArn | None = None
    """Existing KMS key for Kubernetes secrets; Moka makes one when it is not given."""
    cluster_role_arn: RoleArn | None = None
    """Existing role of the control plane; Moka makes one when it is not given."""
    node_role_arn: RoleArn | None = None
    """Existing role of the nodes; Moka makes one when it is not given."""
    control_plane_tier: ControlPlaneTier = "standard"
    """EKS provisioned control plane tier; standard scales by itself, the others are reserved and billed by the hour."""
    terminated_pod_gc_threshold: Annotated[int, Field(ge=1, le=1_000_000)] = 12_500
    """Finished pods that the control plane keeps before it deletes the oldest (Kubernetes' default is 12,500)."""
    deletion_protection: bool = False
    """Whether EKS refuses to delete the cluster until this is false."""
    zonal_shift: bool = False
    """Whether ARC may move the cluster's traffic away from an impaired zone."""
    access: Annotated[tuple[AccessEntry, ...], Field(min_length=1)]
    """Access entries; one must be cluster-admin for the whole cluster, because the creator gets no rights."""
    pools: Annotated[tuple[Pool, ...], Field(min_length=2)]
    """Node pools: at least one each of role system, driver and executor."""
