"""Judges one job by everything that can hold it back: pauses, queues, users, clusters. Counts it when it may start."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from archer.cluster_config import ClusterConfig, TeamView
from archer.model import Job
from archer.scheduling.amounts import Amount, Ledger, demand
from archer.scheduling.ask import Ask, unsized
from archer.scheduling.breaker import Circuit
from archer.scheduling.limits import (
    Bounds,
    Hold,
    Scope,
    cluster_hold,
    never,
    queue_hold,
    switch_hold,
    user_hold,
)
from archer.scheduling.queue_tree import QueueTree
from archer.scheduling.routing import Refusal, Route, Target, route
from archer.store.interface import Switch

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a round is judged by; nothing of it changes during the round but tokens."""

    tree: QueueTree
    bounds: Bounds
    targets: Sequence[Target]
    switches: Sequence[Switch] = ()
    config: ClusterConfig | None = None
    take: Callable[[Target], None] = lambda _: None
    """Told of each job that goes to a cluster: takes a token of its pace."""


@dataclass(frozen=True, kw_only=True)
class Picked:
    """Where a job starts, and how large."""

    cluster: str
    rung: float
    """Factor on its memory."""
    why: str
    """Why there; empty where there is no choice."""


@dataclass(kw_only=True)
class _Counted:
    """What this round has taken of the clusters that count by piece."""

    trials: set[str] = field(default_factory=set)
    """Clusters whose one trial is given away."""
    tokens: dict[str, int] = field(default_factory=dict)


class Judge:
    """One round's. `rungs`: the factor that worked last, by team and job name, where one is known."""

    def __init__(
        self, around: Surroundings, ledger: Ledger, *, rungs: Mapping[tuple[str | None, str], float] | None = None
    ) -> None:
        self.around = around
        self.ledger = ledger
        self._rungs = rungs or {}
        self._teams: dict[str, TeamView] = (
            {} if around.config is None else {team.name: team for team in around.config.teams}
        )
        self._counted = _Counted()

    def admit(self, job: Job) -> Hold | Picked:
        """Why the job can't start now, or where it starts: then it counts from now on."""
        held = switch_hold(job, self.around.switches)
        if held is not None:
            return held
        try:
            rungs = self._rungs_of(job)
            for rung in rungs:
                answer = self._at(job, rung, last=rung == rungs[-1])
                if answer is not None:
                    return answer
        except Exception as error:  # noqa: BLE001  # a job that can't be read must not keep the others waiting
            _log.warning("job can't be judged", job=job.id, error=f"{type(error).__name__}: {error}")
        return Hold(Scope.JOB, "Archer can't read this job; ask an administrator, who finds more in the server's log")

    def routed(self, job: Job, rung: float = 1.0) -> Route:
        """Where the job would go, with every filter and score; nothing is counted."""
        ask = unsized(job) if self.around.config is None else Ask.of_job(job, rung, self.around.config)
        team = self._teams.get(job.team) if job.team is not None else None
        return route(
            ask, self.around.targets, self.ledger, team=team, refusals_of=lambda target: self._limits(job, rung, target)
        )

    def _at(self, job: Job, rung: float, *, last: bool) -> Hold | Picked | None:
        """The answer for one size; None when a smaller size should be tried."""
        asked = demand(job, rung)
        held = queue_hold(job, asked, self.around.tree, self.ledger) or user_hold(
            job, asked, self.around.bounds, self.ledger
        )
        if held is not None and held.scope is Scope.JOB:
            return held if last else None
        if held is not None and not self.around.tree.takes_jobs(job.queue):
            return held
        found = self.routed(job, rung)
        if found.choice is None and not found.passing:
            # told before what others hold: it must not close its queue to them either
            return Hold(Scope.JOB, never(found.why, "as a cluster can take it")) if last else None
        if held is not None:
            return held
        if found.choice is None:
            return Hold(Scope.ALL if found.common else Scope.ROUTE, found.why)
        self._count(job, found.choice, asked)
        only = len(self.around.targets) == 1
        return Picked(cluster=found.choice, rung=rung, why="" if only else found.why)

    def _rungs_of(self, job: Job) -> Sequence[float]:
        """Sizes to try, the best first: what worked last time, for a first attempt, unless it fits nowhere."""
        if job.attempt > 0:
            return [job.memory_rung]
        known = max(self._rungs.get((job.team, job.name), job.memory_rung), job.memory_rung)
        return [known] if known == job.memory_rung else [known, job.memory_rung]

    def _limits(self, job: Job, rung: float, target: Target) -> Sequence[Refusal]:
        found = []
        team = self._teams.get(job.team) if job.team is not None and target.view is not None else None
        held = cluster_hold(
            target.name,
            job,
            demand(job, rung),
            team=team,
            capacity=target.capacity,
            bounds=self.around.bounds,
            ledger=self.ledger,
        )
        if held is not None:
            found.append(Refusal(filter="limit", reason=held.reason, passing=held.passing, common=held.common))
        if target.circuit is Circuit.HALF_OPEN and target.name in self._counted.trials:
            reason = f"cluster {target.name} is being tried with one job after it didn't answer"
            found.append(Refusal(filter="health", reason=reason, passing=True, common=True))
        if target.tokens is not None and 0 < target.tokens <= self._counted.tokens.get(target.name, 0):
            reason = f"cluster {target.name} takes new applications at its pace, {target.per_minute:g} a minute"
            found.append(Refusal(filter="pace", reason=reason, passing=True, common=True))
        return found

    def _count(self, job: Job, cluster: str, asked: Amount) -> None:
        self.ledger.charge(job, cluster, asked)
        self.around.take(next(target for target in self.around.targets if target.name == cluster))
        self._counted.trials.add(cluster)
        self._counted.tokens[cluster] = self._counted.tokens.get(cluster, 0) + 1
