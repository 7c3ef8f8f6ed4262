"""What Archer may do on a cluster: a Role in each job namespace for the group that its AWS role has there.

On every cluster of the environment, the host included: Archer comes with a token of EKS and never as a service account. No
ClusterRole, no Secret, nothing outside job namespaces. Nodes are not read: a pod's own conditions tell a lost node from a
killed container, and the pool that it was put on tells whether that was spot.
"""

from typing import Final

from constructs import Construct

from environments.names import ARCHER_GROUP
from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.errors import ChartError
from k8s_manifests.rbac import Group, Rule, add_role

NAME: Final = "archer"

JOB_NAMESPACE_RULES: Final = (
    # made once per attempt and never changed; deleted to cancel, and when the attempt's end is recorded
    Rule(
        groups=("sparkoperator.k8s.io",),
        resources=("sparkapplications",),
        verbs=("get", "list", "watch", "create", "delete"),
    ),
    # patch: takes the finalizer off drivers. delete: executors that Spark keeps for us until their end is recorded
    Rule(resources=("pods",), verbs=("get", "list", "watch", "patch", "delete")),
    # the tail of a failed container, before the pod goes
    Rule(resources=("pods/log",), verbs=("get",)),
    # why a pod waits or an image cannot be pulled
    Rule(resources=("events",), verbs=("list", "watch")),
    # what the team has left there, before a job is sent
    Rule(resources=("resourcequotas",), verbs=("get", "list", "watch")),
)
"""What the dispatcher (create), the tracker (watch, finalizers) and the API (logs, cancel) call."""


class ArcherRightsChart(MokaChart):
    """One Role and its binding per job namespace."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: str, job_namespaces: tuple[str, ...]
    ) -> None:
        """Raise ChartError without a job namespace: the chart would be empty."""
        super().__init__(scope, construct_id, labels=labels.common(name="archer-rights", environment=environment))
        if not job_namespaces:
            raise ChartError(NAME, "needs at least one job namespace, got none; leave the chart out instead")
        for namespace in job_namespaces:
            add_role(self, NAME, JOB_NAMESPACE_RULES, namespace=namespace, subject=Group(name=ARCHER_GROUP))
