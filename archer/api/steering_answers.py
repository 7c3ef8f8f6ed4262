"""Shapes of the answers about clusters, queues and routes, and how records become them."""

from archer.api.schemas import Answer, Moment
from archer.forgetting import Forgotten
from archer.scheduling.routing import Route, Verdict
from archer.steering import ClusterState, QueueState
from archer.store.interface import Mode, Switch


class SwitchAnswer(Answer):
    """What an operator set, and why."""

    mode: Mode
    message: str
    actor: str
    at: Moment


class ClusterAnswer(Answer):
    """One cluster."""

    name: str
    mode: Mode
    switch: SwitchAnswer | None
    """Null: open."""
    healthy: bool | None
    """Null: nobody has reported lately."""
    health_message: str
    breaker: str | None
    """`closed`, `open` or `half-open`."""
    create_seconds: float | None
    """Median of the latest creates."""
    jobs: int
    """Active jobs."""
    unacknowledged: int
    """Of these, those that Spark has not taken up yet."""
    vcores: int
    memory_mib: int
    slots: int | None
    """Jobs that may run at once, where that is a bound of the place itself."""
    weight: int | None
    creates_per_minute: int | None


class ClustersAnswer(Answer):
    """All of them, in the order of the environment."""

    clusters: list[ClusterAnswer]


class ForgottenAnswer(Answer):
    """What became of the jobs of a cluster that is given up."""

    name: str
    repeated: int
    """Active jobs that wait for another attempt now."""
    ended: int
    """Active jobs that are FAILED or CANCELLED now."""
    waiting: int
    """Waiting jobs that name the cluster: they were told that they can never start."""


class QueueAnswer(Answer):
    """One queue."""

    path: str
    leaf: bool
    """Only leaves take jobs."""
    mode: Mode
    switch: SwitchAnswer | None
    """Null: open, as far as those above it are."""
    waiting: int
    """Jobs of it and of those below it that wait."""
    jobs: int
    """Active jobs, likewise."""
    vcores: int
    memory_mib: int
    max_applications: int | None
    max_vcores: int | None
    max_memory_mib: int | None
    guaranteed_vcores: int | None
    guaranteed_memory_mib: int | None
    weight: float
    """Share among its siblings beyond the guarantees."""
    reason: str | None
    """Why its jobs wait, where it is the same for all."""


class QueuesAnswer(Answer):
    """A parent before its children."""

    queues: list[QueueAnswer]


class RefusalAnswer(Answer):
    """A filter that keeps the job out of a cluster."""

    filter: str
    reason: str
    passing: bool
    """Whether waiting may help."""


class PartAnswer(Answer):
    """One part of a score."""

    name: str
    value: float
    """0 to 1; more is better."""
    weight: float
    why: str


class VerdictAnswer(Answer):
    """What routing thinks of one cluster."""

    cluster: str
    score: float
    refusals: list[RefusalAnswer]
    """Empty: the job may go there."""
    parts: list[PartAnswer]


class RouteAnswer(Answer):
    """Where a submission would go, and why."""

    choice: str | None
    """Null: nowhere just now."""
    why: str
    clusters: list[VerdictAnswer]


def cluster_answer(state: ClusterState) -> ClusterAnswer:
    health, view = state.health, state.view
    return ClusterAnswer(
        name=state.name,
        mode=Mode.OPEN if state.switch is None else state.switch.mode,
        switch=_switch(state.switch),
        healthy=None if health is None else health.healthy,
        health_message="" if health is None else health.message,
        breaker=None if health is None else health.breaker,
        create_seconds=None if health is None else health.create_seconds,
        jobs=state.held.jobs,
        unacknowledged=state.unacknowledged,
        vcores=state.held.vcores,
        memory_mib=state.held.memory_mib,
        slots=state.slots,
        weight=None if view is None else view.weight,
        creates_per_minute=None if view is None else view.creates_per_minute,
    )


def forgotten_answer(done: Forgotten) -> ForgottenAnswer:
    return ForgottenAnswer(name=done.name, repeated=done.repeated, ended=done.ended, waiting=done.waiting)


def queue_answer(state: QueueState) -> QueueAnswer:
    queue = state.queue
    return QueueAnswer(
        path=queue.path,
        leaf=queue.leaf,
        mode=Mode.OPEN if state.switch is None else state.switch.mode,
        switch=_switch(state.switch),
        waiting=state.waiting,
        jobs=state.held.jobs,
        vcores=state.held.vcores,
        memory_mib=state.held.memory_mib,
        max_applications=queue.max_applications,
        max_vcores=None if queue.most is None else queue.most.vcores,
        max_memory_mib=None if queue.most is None else queue.most.memory_mib,
        guaranteed_vcores=None if queue.guaranteed is None else queue.guaranteed.vcores,
        guaranteed_memory_mib=None if queue.guaranteed is None else queue.guaranteed.memory_mib,
        weight=queue.weight,
        reason=state.reason,
    )


def route_answer(found: Route) -> RouteAnswer:
    return RouteAnswer(choice=found.choice, why=found.why, clusters=[_verdict(each) for each in found.verdicts])


def _verdict(verdict: Verdict) -> VerdictAnswer:
    return VerdictAnswer(
        cluster=verdict.cluster,
        score=round(verdict.score, 4),
        refusals=[
            RefusalAnswer(filter=refusal.filter, reason=refusal.reason, passing=refusal.passing)
            for refusal in verdict.refusals
        ],
        parts=[
            PartAnswer(name=part.name, value=round(part.value, 4), weight=part.weight, why=part.why)
            for part in verdict.parts
        ],
    )


def _switch(switch: Switch | None) -> SwitchAnswer | None:
    if switch is None:
        return None
    return SwitchAnswer(mode=switch.mode, message=switch.message, actor=switch.actor, at=switch.at)
