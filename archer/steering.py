"""What operators do with clusters and queues, and what routing thinks of a submission before it is one.

Reads what admission reads, so it can't tell another story. A switch is a row of the store: every server sees it at its
next round.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from archer import spark_application
from archer.backends.interface import Backend
from archer.clock import Clock
from archer.cluster_config import ClusterConfig, ClusterView
from archer.errors import InvalidSubmissionError, NotFoundError
from archer.forgetting import Forgetting, Forgotten
from archer.model import WAITING_STATES, Job, JobState
from archer.scheduling.amounts import NOTHING, ROOT, Amount, Ledger
from archer.scheduling.judge import Judge, Surroundings
from archer.scheduling.limits import Bounds
from archer.scheduling.queue_tree import Queue, QueueTree
from archer.scheduling.routing import Route
from archer.scheduling.targets import lately, targets_of
from archer.store.interface import ClusterHealth, Mode, Store, Switch
from archer.submission import DEFAULT_QUEUE, Submission
from archer.tenancy import Tenancy

_ID = "j-00000000000000000000000000"
"""Of a job that there isn't."""


class UnknownNameError(NotFoundError):
    """No such cluster or queue; the message names those that there are."""

    def __init__(self, kind: str, key: str, known: list[str]) -> None:
        super().__init__(kind, key)
        self.args = (f"no {kind} {key!r}; there are {', '.join(known)}",)


@dataclass(frozen=True, kw_only=True)
class ClusterState:
    """One cluster: what it holds, whether it takes jobs, how it answers."""

    name: str
    switch: Switch | None
    """None: it is open."""
    health: ClusterHealth | None
    """None: no launcher has reported lately."""
    held: Amount
    unacknowledged: int
    slots: int | None
    view: ClusterView | None


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """One queue: what waits, what runs, within which limits."""

    queue: Queue
    switch: Switch | None
    waiting: int
    """Jobs of it and of those below it that wait."""
    held: Amount
    reason: str | None
    """Why its jobs wait, as far as it is the same for all."""


class Steering:
    """The use cases. Safe to use from many threads."""

    def __init__(
        self, store: Store, backends: Mapping[str, Backend], clock: Clock, config: ClusterConfig | None
    ) -> None:
        self._store = store
        self._backends = backends
        self._clock = clock
        self._config = config

    def clusters(self) -> list[ClusterState]:
        """In the order of the environment."""
        switches = self._switches("cluster")
        health, now = self._store.health(), self._clock.now()
        ledger = Ledger.of(self._store.usage())
        views = {} if self._config is None else {view.name: view for view in self._config.clusters}
        return [
            ClusterState(
                name=name,
                switch=switches.get(name),
                health=lately(health.get(name), now),
                held=ledger.clusters.get(name, NOTHING),
                unacknowledged=ledger.unacknowledged.get(name, 0),
                slots=backend.capacity,
                view=views.get(name),
            )
            for name, backend in self._backends.items()
        ]

    def set_cluster(self, name: str, mode: Mode, message: str, *, actor: str) -> ClusterState:
        """Open, drain or pause a cluster. Raises UnknownNameError."""
        if name not in self._backends:
            raise UnknownNameError("cluster", name, list(self._backends))
        self._set("cluster", name, mode, message, actor)
        return next(state for state in self.clusters() if state.name == name)

    def forget_cluster(self, name: str, *, actor: str) -> Forgotten:
        """Write off what is known to run in a cluster that left the configuration.

        Raises ClusterInUseError, UnknownNameError.
        """
        configured = [] if self._config is None else [view.name for view in self._config.clusters]
        known = list(dict.fromkeys([*self._backends, *configured]))
        forgetting = Forgetting(store=self._store, clock=self._clock, name=name, actor=actor, known=known)
        if name not in known and not forgetting.was_there():
            raise UnknownNameError("cluster", name, known)
        return forgetting.run()

    def queues(self) -> list[QueueState]:
        """A parent before its children."""
        tree = self._tree()
        switches = self._switches("queue")
        ledger = Ledger.of(self._store.usage())
        waiting: dict[str, int] = {}
        for (queue, state), number in self._store.counters().items():
            if state in WAITING_STATES:
                for path in tree.chain(queue):
                    waiting[path.path] = waiting.get(path.path, 0) + number
        return [
            QueueState(
                queue=queue,
                switch=switches.get(queue.path),
                waiting=waiting.get(queue.path, 0),
                held=ledger.queues.get(queue.path, NOTHING),
                reason=self._store.wait_reason(queue.path, None) if queue.leaf else None,
            )
            for queue in tree.queues.values()
        ]

    def set_queue(self, path: str, mode: Mode, message: str, *, actor: str) -> QueueState:
        """Open or pause a queue and all below it. Raises UnknownNameError."""
        tree = self._tree()
        if path not in tree.queues:
            raise UnknownNameError("queue", path, list(tree.queues))
        self._set("queue", path, mode, message, actor)
        return next(state for state in self.queues() if state.queue.path == path)

    def route(self, submission: Submission) -> Route:
        """Where the submission would go just now; nothing is submitted. Raises InvalidSubmissionError."""
        admitted = Tenancy(self._config).admit(submission)
        if admitted.problems:
            raise InvalidSubmissionError(admitted.problems)
        now = self._clock.now()
        switches = self._store.switches()
        around = Surroundings(
            tree=self._tree(),
            bounds=Bounds.of(self._config),
            targets=targets_of(
                self._backends,
                self._config,
                switches=switches,
                health=self._store.health(),
                buckets={},
                trials={},
                now=now,
            ),
            switches=switches,
            config=self._config,
        )
        judge = Judge(around, Ledger.of(self._store.usage()))
        return judge.routed(self._as_job(admitted.submission, admitted.queue, admitted.namespace))

    def _as_job(self, submission: Submission, queue: str, namespace: str | None) -> Job:
        now = self._clock.now()
        vcores, memory_mib = spark_application.amount(submission, self._config)
        return Job(
            id=_ID,
            number=0,
            emr_id="",
            name=submission.name,
            team=submission.team,
            queue=queue,
            user=submission.user,
            cluster=submission.cluster,
            namespace=namespace,
            vcores=vcores,
            memory_mib=memory_mib,
            state=JobState.QUEUED,
            substate=None,
            reason=None,
            attempt=0,
            max_attempts=1,
            created_at=now,
            updated_at=now,
            queued_at=now,
            started_at=None,
            finished_at=None,
            retry_at=None,
            version=0,
            spark_app_id=None,
            ui_url=None,
            diagnosis=None,
            memory_rung=1.0,
            labels={},
            submission=submission.model_dump(mode="json"),
        )

    def _tree(self) -> QueueTree:
        if self._config is not None:
            return QueueTree.of(self._config)
        known = {queue for queue, _ in self._store.counters()}
        return QueueTree.flat(queue for queue in known | {DEFAULT_QUEUE} if queue.startswith(f"{ROOT}."))

    def _switches(self, kind: str) -> dict[str, Switch]:
        return {switch.name: switch for switch in self._store.switches() if switch.kind == kind}

    def _set(self, kind: str, name: str, mode: Mode, message: str, actor: str) -> None:
        now = self._clock.now()
        self._store.set_switch(Switch(kind=kind, name=name, mode=mode, message=message, actor=actor, at=now))
