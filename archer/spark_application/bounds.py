"""Amounts that no job may ask for more of than there is: it would wait for ever, as nothing that ends makes room for it.

Admission counts a job as large as it may become, so that is what is compared here, before it is accepted and before a
higher rung of the memory ladder.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archer.cluster_config import ClusterConfig, Resources, TeamView
from archer.errors import Problem
from archer.spark_application.sizes import Sizes
from archer.submission import Submission

_MIB_PER_GIB = 1024


@dataclass(frozen=True, kw_only=True)
class Bound:
    """One of them."""

    path: str
    """Field of the submission that it comes from."""
    name: str
    """As a sentence goes on: `the maximum of queue root.ads`."""
    most: Resources


def bounds_of_queue(config: ClusterConfig, queue: str, user: str | None) -> list[Bound]:
    """Of the queue, of each above it, and of the user over all queues."""
    found = [
        Bound(path="queue", name=f"the maximum of queue {view.path}", most=view.max)
        for view in config.queues.tree
        if view.max is not None and (queue == view.path or queue.startswith(f"{view.path}."))
    ]
    limit = config.queues.user_limit
    if user is not None and limit is not None:
        found.append(Bound(path="user", name=f"what user {user} may hold", most=limit.max))
    return found


def bound_of_team(team: TeamView) -> Bound:
    """Its quota, the same in each of its clusters."""
    return Bound(path="team", name=f"the quota of team {team.name}", most=team.quota)


def exceeded(submission: Submission, sizes: Sizes, bounds: Iterable[Bound]) -> Iterator[Problem]:
    """Yield the bounds that the whole job exceeds."""
    for bound in bounds:
        vcores, memory_mib = bound.most.vcores, bound.most.memory_gib * _MIB_PER_GIB
        if sizes.vcores > vcores or sizes.memory_mib > memory_mib:
            what = f"{sizes.vcores} vCPU and {sizes.memory_mib} MiB for the driver and {sizes.most} executors"
            yield Problem(
                path=bound.path,
                value=what,
                allowed=f"within {bound.name}: {vcores} vCPU and {memory_mib} MiB",
                fix=_smaller(submission, sizes, vcores, memory_mib),
            )


def _smaller(submission: Submission, sizes: Sizes, vcores: int, memory_mib: int) -> str:
    fitting = min(
        (vcores - sizes.driver.cores) // sizes.executor.cores,
        (memory_mib - sizes.driver.memory_mib) // sizes.executor.memory_mib,
    )
    if fitting < 1:
        return "make driver or executors smaller"
    field = "executor.instances" if submission.executor.max_instances is None else "executor.max_instances"
    return f"lower `{field}` to {fitting} at most, or make the executors smaller"
