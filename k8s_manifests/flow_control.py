"""How the API server shares its time: drivers wait in queues of their own, by namespace, and never in Archer's way.

Without this, drivers, the operator and every other service account share one level, and thousands of executors that start at
once delay the operator's status updates, by which finished jobs are known. With it, drivers have a level, Archer has one, and
the operator keeps the built-in one without drivers in it.
https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
"""

from typing import Any, Final

from constructs import Construct

from environments.names import ARCHER_GROUP, SPARK_SERVICE_ACCOUNT
from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.errors import ChartError
from k8s_manifests.kinds import Kind

ARCHER: Final = "moka-archer"
DRIVERS: Final = "moka-drivers"
PRECEDENCE: Final[dict[str, int]] = {ARCHER: 850, DRIVERS: 950}
"""Lower is asked first. After what the system exempts or keeps for leaders and nodes (up to 800), before the schema of all service
accounts (9000)."""

_EVERYTHING: Final = {
    "resourceRules": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "namespaces": ["*"], "clusterScope": True}
    ],
    "nonResourceRules": [{"nonResourceURLs": ["*"], "verbs": ["*"]}],
}
"""This grants nothing: it sorts requests that are allowed already."""


class FlowControlChart(MokaChart):
    """Two levels, and who is in them."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: str, job_namespaces: tuple[str, ...]
    ) -> None:
        """Raise ChartError without a job namespace: a schema without subjects is refused."""
        super().__init__(scope, construct_id, labels=labels.common(name="moka-flow-control", environment=environment))
        if not job_namespaces:
            raise ChartError(DRIVERS, "needs at least one job namespace, got none; leave the chart out instead")
        archer = {"kind": "Group", "group": {"name": ARCHER_GROUP}}
        drivers = [
            {"kind": "ServiceAccount", "serviceAccount": {"name": SPARK_SERVICE_ACCOUNT, "namespace": namespace}}
            for namespace in job_namespaces
        ]
        # few clients with long lists: few queues. Shares are parts of the sum of all levels, 245 without ours
        self._add(ARCHER, [archer], shares=40, queues=16, hand_size=4)
        # a team that fills its queues leaves the others' empty; what drivers do not use is lent
        self._add(DRIVERS, drivers, shares=60, queues=64, hand_size=6)

    def _add(self, name: str, subjects: list[dict[str, Any]], *, shares: int, queues: int, hand_size: int) -> None:
        limited = {
            "nominalConcurrencyShares": shares,
            "lendablePercent": 50,
            "limitResponse": {
                "type": "Queue",
                "queuing": {"queues": queues, "handSize": hand_size, "queueLengthLimit": 50},
            },
        }
        level = {"spec": {"type": "Limited", "limited": limited}}
        schema = {
            "spec": {
                "priorityLevelConfiguration": {"name": name},
                "matchingPrecedence": PRECEDENCE[name],
                "distinguisherMethod": {"type": "ByNamespace"},
                "rules": [{"subjects": subjects, **_EVERYTHING}],
            }
        }
        self.add(Kind.PRIORITY_LEVEL_CONFIGURATION, name, level)
        self.add(Kind.FLOW_SCHEMA, name, schema)
