"""Priority classes: the platform above all jobs, tier 1 above tier 3, and in each tier the driver above its executors.

Losing a driver loses the job, losing an executor costs a recomputation. YuniKorn preempts only what has the same or a
lower priority, so a driver never falls to an executor of its own tier. Numbers leave room between the steps; all are
above the autoscaler's cut-off (-10), so that every pending pod counts as a reason to add a node.
"""

from typing import Final

from constructs import Construct

from k8s_manifests import labels
from k8s_manifests.base import MokaChart
from k8s_manifests.kinds import Kind
from k8s_manifests.tiers import DRIVER_BONUS, TIERS, SparkRole, Tier

PLATFORM: Final = "moka-platform"
"""Class of the platform's own pods: operator, scheduler, Archer."""
PLATFORM_VALUE: Final = 1_000_000
ALLOW_PREEMPTION: Final = "yunikorn.apache.org/allow-preemption"
"""YuniKorn takes victims marked "false" last: https://yunikorn.apache.org/docs/design/simple_preemptor."""


def class_name(tier: Tier, role: SparkRole) -> str:
    """Return the class of a job's pods: moka-tier1-driver, …"""
    return f"moka-{tier}-{role}"


class PriorityClassesChart(MokaChart):
    """The platform's class and two for each tier."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: str) -> None:
        super().__init__(
            scope, construct_id, labels=labels.common(name="moka-priority-classes", environment=environment)
        )
        self._add(PLATFORM, PLATFORM_VALUE, "pods of the platform itself", spared=True)
        for tier, value in TIERS.items():
            self._add(
                class_name(tier, "driver"), value + DRIVER_BONUS, f"drivers of {tier} jobs: losing one loses the job"
            )
            self._add(class_name(tier, "executor"), value, f"executors of {tier} jobs", spared=tier == "tier1")

    def _add(self, name: str, value: int, description: str, *, spared: bool = True) -> None:
        self.add(
            Kind.PRIORITY_CLASS,
            name,
            {
                "value": value,
                "globalDefault": False,
                "preemptionPolicy": "PreemptLowerPriority",
                "description": description,
            },
            annotations={ALLOW_PREEMPTION: "false"} if spared else None,
        )
