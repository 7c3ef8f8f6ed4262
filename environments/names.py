"""Names that stacks and charts must agree on, computed from environment, account and region (design D3).

A chart is a pure function of the environment because of this module: a role's ARN or a bucket's name is known before
anything is deployed. The few values that only a deploy knows travel in the ConfigMap `moka-platform`.
"""

from collections.abc import Mapping
from typing import Final, Literal

from environments.clusters import Cluster
from environments.model import Environment
from environments.service import CacheUpstream
from environments.tenancy import Team

SYSTEM_NAMESPACE: Final = "moka-system"
"""Archer, the History Server, and what serves the whole cluster: autoscaler, load balancer controller."""
OPERATOR_NAMESPACE: Final = "moka-operator"
YUNIKORN_NAMESPACE: Final = "moka-yunikorn"
CELEBORN_NAMESPACE: Final = "moka-celeborn"
LOGS_NAMESPACE: Final = "moka-logs"
"""The log shipper alone: it reads folders of the nodes, which `moka-system` refuses."""
PLATFORM_CONFIG_MAP: Final = "moka-platform"
"""ConfigMap of values known only after a deploy (database endpoint, OIDC issuer); written by the custom resource alone."""
SPARK_SERVICE_ACCOUNT: Final = "spark"
"""Service account of drivers and executors in each team's namespace."""

ARCHER_GROUP: Final = "moka:archer"
"""Kubernetes group that Archer's role has on every cluster; what it may do is bound to this group in each namespace."""

SERVICE_ACCOUNTS: Final[Mapping[str, tuple[str, str]]] = {
    "archer": (SYSTEM_NAMESPACE, "archer"),
    "archer-migrate": (SYSTEM_NAMESPACE, "archer-migrate"),
    "cluster-autoscaler": (SYSTEM_NAMESPACE, "cluster-autoscaler"),
    "ebs-csi": ("kube-system", "ebs-csi-controller-sa"),
    "history-server": (SYSTEM_NAMESPACE, "history-server"),
    "load-balancer-controller": (SYSTEM_NAMESPACE, "load-balancer-controller"),
    "log-shipper": (LOGS_NAMESPACE, "log-shipper"),
    "vpc-cni": ("kube-system", "aws-node"),
}
"""{workload: (namespace, service account)} of the platform's own workloads that have an AWS role; a role trusts this account
alone, so a chart that names another one gets no credentials. Those of kube-system are the add-ons' own. Teams' jobs are
team-<name>, in `namespace` as `SPARK_SERVICE_ACCOUNT`."""
WORKLOADS: Final = tuple(SERVICE_ACCOUNTS)
"""What `identity.overrides` may name beside teams."""

ArcherService = Literal["api", "livy", "history"]
SERVICE_PORTS: Final[Mapping[ArcherService, int]] = {"api": 8080, "livy": 8998, "history": 18080}
"""Ports of the pods behind Archer's load balancer. Livy's own one is also the port that its clients name."""
DATABASE_NAME: Final = "archer"
DATABASE_USER: Final = "archer"
"""User that the migration makes and Archer connects as, with an IAM token instead of a password."""

BucketUse = Literal["event-logs", "container-logs", "artifacts", "staging", "access-logs"]


def history_hostname(environment: Environment) -> str:
    """Return the History Server's DNS name: history.<Archer's>."""
    return f"history.{environment.archer.endpoint.hostname}"


def eks_cluster(environment: Environment, cluster: Cluster) -> str:
    """Return the EKS cluster's name: moka-<env>-<cluster>."""
    return f"moka-{environment.name}-{cluster.name}"


def role(environment: Environment, cluster: Cluster, workload: str) -> str:
    """Return the IAM role's name: moka-<env>-<cluster>-<workload>, at most 64 characters."""
    name = f"{eks_cluster(environment, cluster)}-{workload}"
    if len(name) > 64:
        raise ValueError(f"role name {name!r} has {len(name)} characters, IAM allows 64; shorten the workload's name")
    return name


def role_arn(environment: Environment, cluster: Cluster, workload: str) -> str:
    """Return the ARN of that role, path included."""
    return f"arn:{partition(environment)}:iam::{environment.account}:role{environment.permissions.role_path}{role(environment, cluster, workload)}"


def partition(environment: Environment) -> str:
    """Return the AWS partition of the environment's region."""
    if environment.region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if environment.region.startswith("us-gov-") else "aws"


def bucket(environment: Environment, use: BucketUse) -> str:
    """Return the bucket's name: moka-<env>-<use>-<account>-<region>, globally unique by the account."""
    return f"moka-{environment.name}-{use}-{environment.account}-{environment.region}"


def registry(environment: Environment) -> str:
    """Return the registry and prefix that all images come from, without a trailing slash."""
    if environment.delivery.registry_uri is not None:
        return environment.delivery.registry_uri
    suffix = ".cn" if partition(environment) == "aws-cn" else ""
    return f"{environment.account}.dkr.ecr.{environment.region}.amazonaws.com{suffix}/moka-{environment.name}"


def cache_prefix(environment: Environment, upstream: CacheUpstream) -> str:
    """Return what the names of repositories cached from a public registry start with, at most 30 characters."""
    return f"moka-{environment.name}/{upstream}"


def namespace(team: Team) -> str:
    """Return the team's namespace: spark-<team>; YuniKorn schedules namespaces that match ^spark-."""
    return f"spark-{team.name}"


def team_workload(team: Team) -> str:
    """Return the name under which `role` and `identity.overrides` know the team's jobs: team-<name>."""
    return f"team-{team.name}"


def node_group_prefix(pool_name: str) -> str:
    """Return what the names of a pool's Auto Scaling groups start with; the autoscaler's expander matches it."""
    return f"eks-{pool_name}-"


def archer(environment: Environment) -> str:
    """Return the name of Archer's database cluster and of its load balancer: moka-<env>-archer."""
    return f"moka-{environment.name}-archer"


def alarm(environment: Environment, what: str) -> str:
    """Return an alarm's name: moka-<env>-<what>."""
    return f"moka-{environment.name}-{what}"


def alarm_topic(environment: Environment) -> str:
    """Return the name of the topic that alarms write to."""
    return f"moka-{environment.name}-alarms"


def target_group(environment: Environment, service: ArcherService) -> str:
    """Return the name of a service's target group, at most 32 characters: what a TargetGroupBinding finds it by."""
    return f"moka-{environment.name}-archer-{service}"
