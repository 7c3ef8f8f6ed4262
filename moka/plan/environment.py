"""The plan of one environment: its stacks with their resources, what waits for what, and how long that typically takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moka.plan.graph import Timing, critical_path, earliest, ordered
from moka.plan.references import exported_values, imported_values, needed_resources
from moka.plan.times import CreationTime, typical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moka.assembly import SynthesizedStack

_STATISTICS = "AWS::CDK::Metadata"
"""What CDK adds for its own statistics is nobody's resource."""


@dataclass(frozen=True, kw_only=True)
class PlannedResource:
    """One resource of a stack."""

    logical_id: str
    kind: str
    needs: tuple[str, ...]
    """Logical ids of the same stack."""
    time: CreationTime
    timing: Timing
    """From the start of its stack."""


@dataclass(frozen=True, kw_only=True)
class PlannedStack:
    """One stack, when everything in it that can be made side by side is."""

    name: str
    needs: tuple[str, ...]
    """Names of stacks of the same environment."""
    resources: dict[str, PlannedResource]
    """By logical id, each after all that it needs."""
    critical_path: tuple[str, ...]
    """Logical ids of the chain that ends last."""

    @property
    def seconds(self) -> int:
        return max((resource.timing.finish for resource in self.resources.values()), default=0)

    @property
    def seconds_one_by_one(self) -> int:
        return sum(resource.time.seconds for resource in self.resources.values())


@dataclass(frozen=True, kw_only=True)
class EnvironmentPlan:
    """Everything that a first deploy of one environment does."""

    name: str
    account: str
    region: str
    stacks: dict[str, PlannedStack]
    """By name, in the assembly's order."""
    critical_path: tuple[str, ...]
    """Names of the stacks of the chain that ends last."""

    @property
    def needs(self) -> dict[str, tuple[str, ...]]:
        """Stack -> the stacks that it waits for."""
        return {name: stack.needs for name, stack in self.stacks.items()}

    @property
    def seconds(self) -> dict[str, int]:
        """Stack -> its typical duration."""
        return {name: stack.seconds for name, stack in self.stacks.items()}

    @property
    def total_seconds(self) -> int:
        """Duration when every stack starts as soon as it can."""
        return sum(self.stacks[name].seconds for name in self.critical_path)


def make_plan(stacks: Sequence[SynthesizedStack]) -> EnvironmentPlan:
    """The plan of the stacks of one environment, which are at least one. Raises CircularError."""
    name = stacks[0].environment
    exporter = {export: stack.name for stack in stacks for export in exported_values(stack.template)}
    planned = {stack.name: _planned(stack, exporter, order=[each.name for each in stacks]) for stack in stacks}
    needs = {each: stack.needs for each, stack in planned.items()}
    seconds = {each: stack.seconds for each, stack in planned.items()}
    return EnvironmentPlan(
        name=name,
        account=stacks[0].account,
        region=stacks[0].region,
        stacks=planned,
        critical_path=critical_path(earliest(needs, seconds, what=f"a stack of {name}")),
    )


def _planned(stack: SynthesizedStack, exporter: dict[str, str], order: list[str]) -> PlannedStack:
    resources = {key: value for key, value in stack.resources.items() if value["Type"] != _STATISTICS}
    needs = needed_resources(resources)
    times = {key: typical(value["Type"], value.get("Properties", {})) for key, value in resources.items()}
    seconds = {key: time.seconds for key, time in times.items()}
    what = f"a resource of stack {stack.environment}/{stack.name}"
    timings = earliest(needs, seconds, what=what)
    wanted = {*stack.depends_on, *(exporter[each] for each in imported_values(stack.template) if each in exporter)}
    return PlannedStack(
        name=stack.name,
        needs=tuple(each for each in order if each in wanted and each != stack.name),
        resources={
            key: PlannedResource(
                logical_id=key,
                kind=resources[key]["Type"],
                needs=needs[key],
                time=times[key],
                timing=timings[key],
            )
            for key in ordered(needs, what=what)
        },
        critical_path=critical_path(timings),
    )
