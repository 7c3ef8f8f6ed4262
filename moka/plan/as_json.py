"""The plan for programs: `moka plan ENV --output json`. All times are whole seconds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from moka.plan.deploy_order import deploy_order
from moka.plan.schedule import least_concurrency, scheduled, total, waves
from moka.plan.times import READ_ON

if TYPE_CHECKING:
    from moka.plan.environment import EnvironmentPlan, PlannedResource


def plan_as_json(plan: EnvironmentPlan, concurrency: int | None = None) -> dict[str, Any]:
    """All that the text says and every resource; `concurrency` None is as many stacks at a time as can."""
    slots = {slot.stack: slot for slot in scheduled(plan.needs, plan.seconds, concurrency)}
    wave_of = {name: number for number, wave in enumerate(waves(plan.needs), start=1) for name in wave}
    return {
        "environment": plan.name,
        "account": plan.account,
        "region": plan.region,
        "times_as_of": READ_ON.isoformat(),
        "concurrency": concurrency,
        "total_seconds": total(slots.values()),
        "fastest_seconds": plan.total_seconds,
        "one_after_another_seconds": sum(plan.seconds.values()),
        "least_concurrency_of_fastest": least_concurrency(plan.needs, plan.seconds),
        "stacks": [
            {
                "name": stack.name,
                "wave": wave_of[stack.name],
                "needs": list(stack.needs),
                "seconds": stack.seconds,
                "seconds_resource_by_resource": stack.seconds_one_by_one,
                "start": slots[stack.name].start,
                "finish": slots[stack.name].finish,
                "critical": stack.name in plan.critical_path,
                "resources": [_resource(resource) for resource in stack.resources.values()],
            }
            for stack in plan.stacks.values()
        ],
        "critical_path": critical_resources(plan),
        "deploy_order": [asdict(step) for step in deploy_order(plan, concurrency)],
    }


def critical_resources(plan: EnvironmentPlan) -> list[dict[str, Any]]:
    """The resources that the whole deploy waits for, with the seconds from its start until each is there."""
    found, before = [], 0
    for name in plan.critical_path:
        stack = plan.stacks[name]
        for logical_id in stack.critical_path:
            resource = stack.resources[logical_id]
            found.append(
                {
                    "stack": name,
                    "logical_id": logical_id,
                    "type": resource.kind,
                    "seconds": resource.time.seconds,
                    "done_at": before + resource.timing.finish,
                    "basis": resource.time.basis.value,
                    "source": resource.time.source,
                }
            )
        before += stack.seconds
    return found


def _resource(resource: PlannedResource) -> dict[str, Any]:
    return {
        "logical_id": resource.logical_id,
        "type": resource.kind,
        "needs": list(resource.needs),
        "seconds": resource.time.seconds,
        "start": resource.timing.start,
        "finish": resource.timing.finish,
        "basis": resource.time.basis.value,
        "source": resource.time.source,
    }
