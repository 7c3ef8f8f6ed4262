"""The steps in which people deploy an environment: the foundation, then the images, then what runs from these images.

The registry comes with the foundation and the platform's pods need what is in it, so that one `cdk deploy` of everything would
wait for images that nobody could have pushed before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moka.plan.schedule import least_concurrency, scheduled, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moka.plan.environment import EnvironmentPlan

_CLUSTERS = "cluster-"


@dataclass(frozen=True, kw_only=True)
class DeployStep:
    """One thing to do."""

    what: str
    command: str
    stacks: tuple[str, ...]
    """Deployed by this step; none for one that is not about stacks."""
    seconds: int | None
    """Typical duration; None when nobody can tell."""


def deploy_order(plan: EnvironmentPlan, concurrency: int | None = None) -> tuple[DeployStep, ...]:
    """The steps, with so many stacks at a time; None is as many as shorten the step."""
    foundation = [name for name in plan.stacks if name in {"network", "data"} or name.startswith(_CLUSTERS)]
    rest = [name for name in plan.stacks if name not in foundation]
    return (
        _deployed(plan, "foundation", _pattern(plan.name, foundation), foundation, concurrency),
        DeployStep(
            what="images",
            command=f"moka images push {plan.name}",
            stacks=(),
            seconds=None,
        ),
        _deployed(plan, "platform and Archer", f"{plan.name}/**", rest, concurrency),
    )


def _pattern(environment: str, foundation: Sequence[str]) -> str:
    parts = [name for name in foundation if not name.startswith(_CLUSTERS)]
    parts += [f"{_CLUSTERS}*"] if len(parts) < len(foundation) else []
    return f"{environment}/{{{','.join(parts)}}}" if len(parts) > 1 else f"{environment}/{''.join(parts)}"


def _deployed(
    plan: EnvironmentPlan, what: str, pattern: str, stacks: Sequence[str], concurrency: int | None
) -> DeployStep:
    needs = {name: tuple(each for each in plan.needs[name] if each in stacks) for name in stacks}
    seconds = {name: plan.seconds[name] for name in stacks}
    at_once = concurrency or least_concurrency(needs, seconds)
    option = f" --concurrency {at_once}" if at_once > 1 else ""
    return DeployStep(
        what=what,
        command=f"./cdk deploy '{pattern}'{option}",
        stacks=tuple(stacks),
        seconds=total(scheduled(needs, seconds, at_once)),
    )
