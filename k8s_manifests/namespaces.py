"""Namespaces: one per team with its quota, limits, service account and driver role, and the platform's own.

A team's namespace is where its jobs live and nothing else may: the restricted Pod Security profile, a quota that the
environment file states, everything closed on the network but what Spark needs. Fast local disks reach Spark as emptyDir
on a RAID of the instance's NVMe, so no pod needs a hostPath and none may have one.
"""

from dataclasses import dataclass
from typing import Final, Literal

from constructs import Construct

from environments.names import (
    CELEBORN_NAMESPACE,
    LOGS_NAMESPACE,
    OPERATOR_NAMESPACE,
    SPARK_SERVICE_ACCOUNT,
    SYSTEM_NAMESPACE,
    YUNIKORN_NAMESPACE,
)
from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.kinds import Kind
from k8s_manifests.network_policies import JobNetwork, add_job_policies, add_policy
from k8s_manifests.rbac import Rule, Subject, add_role

PodSecurityLevel = Literal["restricted", "baseline", "privileged"]

PLATFORM_NAMESPACES: Final[dict[str, PodSecurityLevel]] = {
    SYSTEM_NAMESPACE: "restricted",
    OPERATOR_NAMESPACE: "restricted",
    YUNIKORN_NAMESPACE: "restricted",
    CELEBORN_NAMESPACE: "restricted",
    # the log shipper reads containers' logs where the kubelet keeps them; nothing else runs there
    LOGS_NAMESPACE: "privileged",
}
"""The platform's namespaces and what they may run. None matches ^spark-, which YuniKorn and the operator own."""

DRIVER_ROLE: Final = "spark-driver"

DRIVER_RULES: Final = (
    # executors: made, watched, labelled when decommissioned, deleted one by one and all at the end
    Rule(resources=("pods",), verbs=("get", "list", "watch", "create", "patch", "delete", "deletecollection")),
    # the executors' ConfigMap
    Rule(resources=("configmaps",), verbs=("get", "list", "watch", "create", "patch", "delete", "deletecollection")),
    # volumes that executors claim on demand and hand on
    Rule(
        resources=("persistentvolumeclaims",),
        verbs=("get", "list", "watch", "create", "patch", "delete", "deletecollection"),
    ),
    # the driver's own Service is made by spark-submit under the operator; the driver only clears up
    Rule(resources=("services",), verbs=("get", "list", "delete", "deletecollection")),
)
"""What a driver may do in its own namespace: KubernetesClusterSchedulerBackend and ExecutorPodsAllocator of Spark 4.0,
https://github.com/apache/spark/tree/v4.0.0/resource-managers/kubernetes/core/src/main/scala/org/apache/spark/scheduler/cluster/k8s.
No Secrets, no pods/exec, nothing outside."""

CONTAINER_DEFAULTS: Final = {"cpu": "500m", "memory": "1Gi"}
"""Requests of a container that states none: without them the quota would refuse its pod with a message few understand."""


@dataclass(frozen=True, kw_only=True)
class TeamNamespace:
    """One team's namespace on one cluster."""

    team: str
    namespace: str
    vcores: int
    """Quota: sum of CPU requests, vCPU."""
    memory_gib: int
    """Quota: sum of memory requests, and of memory limits, GiB."""
    pods: int
    """Quota: pods that are not finished."""
    role_arn: str | None
    """IAM role of the service account (IRSA); None where EKS Pod Identity gives it."""
    network: JobNetwork


class NamespacesChart(MokaChart):
    """The platform's namespaces, then each team's with what belongs to it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        kubernetes_version: str,
        teams: tuple[TeamNamespace, ...],
    ) -> None:
        super().__init__(scope, construct_id, labels=labels.common(name="moka-namespaces", environment=environment))
        # pinned, so that an upgrade of the control plane does not change what is admitted on the same day
        self._policy_version = f"v{kubernetes_version}"
        for name, level in PLATFORM_NAMESPACES.items():
            self._add_namespace(name, level)
        # of many components; the namespaces that one component has to itself are closed by its chart
        add_policy(self, "default-deny", (), namespace=SYSTEM_NAMESPACE)
        for team in teams:
            self._add_team(team)

    def _add_namespace(self, name: str, level: PodSecurityLevel, team: str | None = None) -> None:
        security: dict[str, str] = {}
        for mode in ("enforce", "audit", "warn"):
            security[f"pod-security.kubernetes.io/{mode}"] = level
            security[f"pod-security.kubernetes.io/{mode}-version"] = self._policy_version
        self.add(Kind.NAMESPACE, name, labels=security if team is None else {**security, labels.TEAM: team})

    def _add_team(self, team: TeamNamespace) -> None:
        self._add_namespace(team.namespace, "restricted", team.team)
        own = {labels.TEAM: team.team}
        self._add_quota(team)
        self._add_limits(team)
        subject = Subject(name=SPARK_SERVICE_ACCOUNT, namespace=team.namespace)
        irsa = None if team.role_arn is None else {"eks.amazonaws.com/role-arn": team.role_arn}
        # the driver needs its token, whoever wrote the SparkApplication; Archer's executor template turns it off
        body = {"automountServiceAccountToken": True}
        self.add(Kind.SERVICE_ACCOUNT, subject.name, body, namespace=team.namespace, labels=own, annotations=irsa)
        add_role(self, DRIVER_ROLE, DRIVER_RULES, namespace=team.namespace, subject=subject, labels=own)
        add_job_policies(self, team.namespace, team.network)

    def _add_quota(self, team: TeamNamespace) -> None:
        memory = f"{team.memory_gib}Gi"
        hard = {
            "requests.cpu": str(team.vcores),
            "requests.memory": memory,
            "limits.memory": memory,
            "pods": str(team.pods),
            # nothing of a job is reachable from outside the cluster
            "services.loadbalancers": "0",
            "services.nodeports": "0",
        }
        self.add(
            Kind.RESOURCE_QUOTA,
            "team",
            {"spec": {"hard": hard}},
            namespace=team.namespace,
            labels={labels.TEAM: team.team},
        )

    def _add_limits(self, team: TeamNamespace) -> None:
        limit = {
            "type": "Container",
            "defaultRequest": dict(CONTAINER_DEFAULTS),
            # memory alone: a CPU limit would throttle executors on an idle node
            "default": {"memory": CONTAINER_DEFAULTS["memory"]},
        }
        self.add(
            Kind.LIMIT_RANGE,
            "containers",
            {"spec": {"limits": [limit]}},
            namespace=team.namespace,
            labels={labels.TEAM: team.team},
        )
