"""Every limit that can hold a job back, and the sentence that says so, with its numbers.

Judged against a ledger that counts what runs and what this round has picked already, so a limit is never passed by
one: admission alone makes usage grow (decision 0007). Lowering a limit stops nothing that runs.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from archer.cluster_config import ClusterConfig, TeamView
from archer.model import Job
from archer.scheduling.amounts import NOTHING, Amount, Ledger
from archer.scheduling.queue_tree import MIB_PER_GIB, QueueTree
from archer.store.interface import Mode, Switch

MAX_LIVE_PER_NAMESPACE: Final = 2000
"""Each application brings two Services, and Kubernetes injects every Service of a namespace into every container that
doesn't refuse: pods fail from about 5,000 on (https://aws.github.io/aws-eks-best-practices/scalability/docs/)."""

MAX_UNACKNOWLEDGED: Final = 200
"""Applications that the operator hasn't brought up yet. More only makes its queue longer, and a cluster that stands
still should swallow no more than this."""

PODS_AT_LEAST: Final = 2
"""Of a job that runs: its driver and one executor."""


class Scope(StrEnum):
    """Who else waits for the same reason."""

    ALL = "all"
    """Every job."""
    QUEUE = "queue"
    """Every job of the queue named by `key` and of those below it."""
    USER = "user"
    """Every job of the user named by `key`."""
    ROUTE = "route"
    """Every job of the same team that may go to the same clusters."""
    JOB = "job"
    """This job only."""


@dataclass(frozen=True)
class Hold:
    """Why a job can't start now."""

    scope: Scope
    reason: str
    """For people: a sentence without full stop, with numbers."""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Limits that no queue and no team carries."""

    user_jobs: int | None = None
    """Jobs of one user that may run at once, over all queues; None: no bound."""
    user_vcores: int | None = None
    """vCPU that one user's jobs may hold together."""
    user_memory_mib: int | None = None
    """Likewise, MiB."""
    namespace_applications: int = MAX_LIVE_PER_NAMESPACE
    unacknowledged: int = MAX_UNACKNOWLEDGED

    @classmethod
    def of(cls, config: ClusterConfig | None) -> "Bounds":
        """The environment's."""
        limit = None if config is None else config.queues.user_limit
        if limit is None:
            return cls()
        return cls(
            user_jobs=limit.max_applications,
            user_vcores=limit.max.vcores,
            user_memory_mib=limit.max.memory_gib * MIB_PER_GIB,
        )


NEVER: Final = "can never start"
"""How the reason of a job begins that waits in vain, as the environment is now."""


def never(why: str, todo: str = "smaller") -> str:
    """The reason of a job that waits in vain, with what its owner can do."""
    return f"{NEVER}: {why}; kill it and submit it {todo}"


def switch_hold(job: Job, switches: Collection[Switch]) -> Hold | None:
    """The pause of everything, of the job's queue, or of one above it."""
    for switch in switches:
        if switch.kind == "all" and switch.mode is not Mode.OPEN:
            return Hold(Scope.ALL, switched("Archer", switch))
    for switch in switches:
        holds = switch.kind == "queue" and switch.mode is not Mode.OPEN
        if holds and (job.queue == switch.name or job.queue.startswith(f"{switch.name}.")):
            return Hold(Scope.QUEUE, switched(f"queue {switch.name}", switch), switch.name)
    return None


def switched(what: str, switch: Switch) -> str:
    """`queue root.ads is paused by ada: month end`."""
    message = f": {switch.message}" if switch.message else ""
    return f"{what} is {switch.mode} by {switch.actor.removeprefix('api:')}{message}"


def queue_hold(job: Job, asked: Amount, tree: QueueTree, ledger: Ledger) -> Hold | None:
    """The first limit of the job's queue, or of one above it, that holds the job back; the highest queue first.

    What it could never have is told before what others hold.
    """
    chain = tree.chain(job.queue)
    if not tree.takes_jobs(job.queue):
        why = f"queue {job.queue} no longer takes jobs in this environment"
        return Hold(Scope.QUEUE, never(why, "to another queue"), job.queue)
    for queue in chain:
        too_much = None if queue.most is None else _too_much(f"queue {queue.path}", asked, queue.most)
        if too_much is not None:
            return Hold(Scope.JOB, never(too_much, "smaller, or to another queue"))
    for queue in chain:
        held = ledger.queues.get(queue.path, NOTHING)
        name = f"queue {queue.path}"
        if queue.max_applications is not None and held.jobs >= queue.max_applications:
            return Hold(Scope.QUEUE, f"{name} runs {held.jobs} of {queue.max_applications} jobs", queue.path)
        reason = None if queue.most is None else _over(name, held, asked, queue.most)
        if reason is not None:
            return Hold(Scope.QUEUE, reason, queue.path)
    return None


def user_hold(job: Job, asked: Amount, bounds: Bounds, ledger: Ledger) -> Hold | None:
    """The limit of the job's user over all queues; what it could never have is told before what others hold."""
    if job.user is None:
        return None
    held = ledger.users.get(job.user, NOTHING)
    name = f"user {job.user}"
    most = Amount(vcores=bounds.user_vcores or 0, memory_mib=bounds.user_memory_mib or 0)
    too_much = _too_much(name, asked, most)
    if too_much is not None:
        return Hold(Scope.JOB, never(too_much))
    if bounds.user_jobs is not None and held.jobs >= bounds.user_jobs:
        return Hold(Scope.USER, f"{name} runs {held.jobs} of {bounds.user_jobs} jobs", job.user)
    reason = _over(name, held, asked, most)
    return None if reason is None else Hold(Scope.USER, reason, job.user)


@dataclass(frozen=True)
class ClusterHold:
    """Why a job can't go to a cluster now."""

    reason: str
    common: bool
    """Whether it keeps every job out; else this team's."""
    passing: bool = True
    """Whether waiting may help."""


def cluster_hold(
    cluster: str,
    job: Job,
    asked: Amount,
    *,
    team: TeamView | None,
    capacity: int | None,
    bounds: Bounds,
    ledger: Ledger,
) -> ClusterHold | None:
    """The first limit of a cluster that keeps the job out of it: slots, creates under way, namespace, the team's quota.

    `capacity`: attempts that may exist there at once; None: no bound.
    """
    too_much = _too_much_of_team(cluster, asked, team)
    if too_much is not None:
        return ClusterHold(too_much, common=False, passing=False)
    jobs = ledger.clusters.get(cluster, NOTHING).jobs
    if capacity is not None and jobs >= capacity:
        return ClusterHold(f"{jobs} of {capacity} slots of cluster {cluster} are taken", common=True)
    waiting = ledger.unacknowledged.get(cluster, 0)
    if capacity is None and waiting >= bounds.unacknowledged:
        what = f"{waiting} of {bounds.unacknowledged} applications that Spark has not taken up yet"
        return ClusterHold(f"cluster {cluster} has {what}", common=True)
    if job.namespace is None:
        return None
    reason = _namespace_hold(cluster, job.namespace, asked, team, bounds, ledger)
    return None if reason is None else ClusterHold(reason, common=False)


def _too_much_of_team(cluster: str, asked: Amount, team: TeamView | None) -> str | None:
    if team is None:
        return None
    name = f"team {team.name} on cluster {cluster}"
    if team.pods < PODS_AT_LEAST:
        return f"{name} may have {team.pods} pod, and a job needs at least {PODS_AT_LEAST}"
    return _too_much(name, asked, _quota(team))


def _quota(team: TeamView) -> Amount:
    return Amount(vcores=team.quota.vcores, memory_mib=team.quota.memory_gib * MIB_PER_GIB)


def _namespace_hold(  # noqa: PLR0917  # everything that a namespace's limits depend on
    cluster: str, namespace: str, asked: Amount, team: TeamView | None, bounds: Bounds, ledger: Ledger
) -> str | None:
    held = ledger.namespaces.get((cluster, namespace), NOTHING)
    if held.jobs >= bounds.namespace_applications:
        most = bounds.namespace_applications
        return f"namespace {namespace} on cluster {cluster} has {held.jobs} of {most} applications"
    if team is None:
        return None
    name = f"team {team.name} on cluster {cluster}"
    pods = PODS_AT_LEAST * held.jobs
    if pods + PODS_AT_LEAST > team.pods:
        return f"{name} runs {held.jobs} jobs, which need at least {pods} of its {team.pods} pods"
    return _over(name, held, asked, _quota(team))


_Measure = tuple[Callable[[Amount], int], Callable[[int], str]]
_MEASURES: Final[tuple[_Measure, ...]] = (
    (lambda amount: amount.vcores, lambda number: f"{number} vcores"),
    (lambda amount: amount.memory_mib, lambda number: f"{_gib(number)} GiB"),
)


def _over(name: str, held: Amount, asked: Amount, most: Amount) -> str | None:
    """What of `most` is used up; 0 there: no bound."""
    for value, words in _MEASURES:
        bound = value(most)
        if bound and value(held) + value(asked) > bound:
            used = words(value(held)).partition(" ")[0]
            return f"{name} holds {used} of {words(bound)}, the next job asks for {words(value(asked))}"
    return None


def _too_much(name: str, asked: Amount, most: Amount) -> str | None:
    """What the job alone asks for beyond all of `most`; 0 there: no bound."""
    for value, words in _MEASURES:
        bound = value(most)
        if bound and value(asked) > bound:
            return f"the job asks for {words(value(asked))}, more than the {words(bound)} of {name}"
    return None


def _gib(mib: int) -> str:
    return f"{mib / MIB_PER_GIB:.1f}".removesuffix(".0")
