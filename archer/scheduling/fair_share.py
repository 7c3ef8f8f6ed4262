"""Weighted fair share over the queue tree: which jobs start next.

At each level a child that holds less than its guarantee goes before any that doesn't, the one with the smallest part of
its guarantee first; then the child that holds the least for its weight. Within a leaf the higher priority, then the
lower number. What a queue holds is its dominant resource: against a guarantee the larger part, against a weight the
larger of vCPU and of memory counted as 4 GiB for a vCPU. Each pick counts before the next, so the order is the same
for the same input, and a queue with waiting jobs can't be passed over for ever: those that are served grow past it.

A job that doesn't fit under its queue's limit closes the queue for this round: smaller ones behind it would otherwise
keep it waiting for ever. Cost: O((picks + candidates) x depth x children).
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from archer.model import Job
from archer.scheduling.amounts import NOTHING, ROOT, Amount, Ledger, lineage
from archer.scheduling.limits import Hold, Scope
from archer.scheduling.queue_tree import Queue, QueueTree

MIB_PER_VCORE: Final = 4096
"""Of the general-purpose instances: what makes vCPU and memory comparable where nothing was guaranteed."""

Placement = TypeVar("Placement")


@dataclass(kw_only=True)
class Round(Generic[Placement]):
    """What came of one round."""

    picked: list[tuple[Job, Placement]] = field(default_factory=list)
    """In the order in which they were picked."""
    waits: dict[tuple[str, str | None], str] = field(default_factory=dict)
    """Why the others wait: by queue, or by queue and user."""
    reasons: dict[str, str] = field(default_factory=dict)
    """By job id, where the reason is the job's own."""
    exhausted: set[str] = field(default_factory=set)
    """Leaves of which every candidate was picked or set aside."""
    full: bool = False
    """As many were picked as may be in one round: there may be more."""


def pick(
    waiting: Iterable[Job],
    tree: QueueTree,
    ledger: Ledger,
    *,
    most: int,
    admit: Callable[[Job], Hold | Placement],
) -> Round[Placement]:
    """Up to `most` jobs of `waiting`, in the order of fairness.

    `admit` judges a job by every limit and finds its place; when it returns one, it has counted the job in `ledger`.
    """
    return _Picking(waiting, tree, ledger, admit).run(most)


def route_key(job: Job) -> tuple[str | None, str | None]:
    """Jobs of the same key may go to the same clusters, and share a team's quotas there."""
    return job.team, job.submission.get("cluster")


class _Picking(Generic[Placement]):
    def __init__(
        self, waiting: Iterable[Job], tree: QueueTree, ledger: Ledger, admit: Callable[[Job], Hold | Placement]
    ) -> None:
        self._tree = tree
        self._ledger = ledger
        self._admit = admit
        self._lines = _lines(waiting)
        self._open = _sizes(self._lines)
        self._typical = _typical(self._lines, self._open)
        self._closed: dict[str, str] = {}
        self._users: dict[str, str] = {}
        self._routes: dict[tuple[str | None, str | None], str] = {}
        self._round: Round[Placement] = Round()

    def run(self, most: int) -> Round[Placement]:
        self._close_unknown()
        while len(self._round.picked) < most:
            leaf = self._next_leaf()
            if leaf is None:
                break
            self._serve(leaf)
        self._round.full = len(self._round.picked) >= most > 0
        for leaf, line in self._lines.items():
            closed = next((self._closed[path] for path in lineage(leaf) if path in self._closed), None)
            if not line:
                self._round.exhausted.add(leaf)
            elif closed is not None:
                self._round.waits[leaf, None] = closed
        return self._round

    def _close_unknown(self) -> None:
        """A queue that is in no tree is asked about once: the answer says why."""
        for leaf, line in self._lines.items():
            if not self._tree.takes_jobs(leaf):
                answer = self._admit(line[0])
                reason = answer.reason if isinstance(answer, Hold) else f"queue {leaf} takes no jobs"
                self._round.waits[leaf, None] = reason
                for path in lineage(leaf):
                    self._open[path] -= len(line)
                self._lines[leaf] = deque()

    def _next_leaf(self) -> str | None:
        """Down the tree, at each level to the child that is owed most."""
        path = ROOT
        if ROOT in self._closed:
            return None
        while not self._tree.takes_jobs(path):
            children = [child for child in self._tree.children.get(path, ()) if self._open.get(child.path, 0) > 0]
            if not children:
                return None
            path = min(children, key=self._claim).path
        return path

    def _claim(self, queue: Queue) -> tuple[int, float, str]:
        """Smaller goes first."""
        return claim(queue, self._ledger.queues.get(queue.path, NOTHING), self._typical[queue.path])

    def _serve(self, leaf: str) -> None:
        """Pick the leaf's first job that may start; none is left when it has none."""
        line = self._lines[leaf]
        while line and not self._is_closed(leaf):
            job = line[0]
            answer = self._known_hold(job) or self._admit(job)
            if isinstance(answer, Hold):
                if answer.scope in {Scope.ALL, Scope.QUEUE}:
                    self._close(ROOT if answer.scope is Scope.ALL else answer.key, answer.reason)
                    return
                self._set_aside(job, answer)
                self._pop(leaf)
                continue
            self._pop(leaf)
            self._round.picked.append((job, answer))
            return

    def _known_hold(self, job: Job) -> Hold | None:
        if job.user is not None and job.user in self._users:
            return Hold(Scope.USER, self._users[job.user], job.user)
        if route_key(job) in self._routes:
            return Hold(Scope.ROUTE, self._routes[route_key(job)])
        return None

    def _set_aside(self, job: Job, hold: Hold) -> None:
        if hold.scope is Scope.JOB:
            self._round.reasons[job.id] = hold.reason
            return
        if hold.scope is Scope.USER:
            self._users[hold.key] = hold.reason
        else:
            self._routes[route_key(job)] = hold.reason
            if job.submission.get("cluster") is not None:
                # it named its cluster: the user's other jobs may wait for something else
                self._round.reasons[job.id] = hold.reason
                return
        self._round.waits.setdefault((job.queue, job.user), hold.reason)

    def _pop(self, leaf: str) -> None:
        self._lines[leaf].popleft()
        for path in lineage(leaf):
            self._open[path] -= 1

    def _is_closed(self, leaf: str) -> bool:
        return any(path in self._closed for path in lineage(leaf))

    def _close(self, path: str, reason: str) -> None:
        self._closed[path] = reason
        size = self._open.get(path, 0)
        for above in lineage(path):
            self._open[above] = self._open.get(above, 0) - size


def claim(queue: Queue, held: Amount, typical: float = 0.0) -> tuple[int, float, str]:
    """How much the queue is owed, as a sort key: the smallest is owed most. `typical`: a job's size in vCPU.

    Half a job on top of what a queue holds rounds to the nearest: shares are within one job of the weights at every
    step (Sainte-Lague), where the bare sum would let the small queues begin.
    """
    # a job of unknown size counts as one of 1 vCPU
    vcores = max(held.vcores, held.jobs)
    if queue.guaranteed is not None:
        part = max(vcores / max(1, queue.guaranteed.vcores), held.memory_mib / max(1, queue.guaranteed.memory_mib))
        if part < 1:
            return 0, part, queue.path
    return 1, (_size(vcores, held.memory_mib) + typical / 2) / queue.weight, queue.path


def _size(vcores: float, memory_mib: float) -> float:
    """Of the dominant resource, in vCPU."""
    return max(vcores, memory_mib / MIB_PER_VCORE)


def _typical(lines: Mapping[str, deque[Job]], sizes: Mapping[str, int]) -> dict[str, float]:
    """Mean size of the waiting jobs of each queue and those below it, in vCPU."""
    sums: dict[str, float] = {}
    for leaf, line in lines.items():
        whole = sum(_size(max(1, job.vcores), job.memory_mib) for job in line)
        for path in lineage(leaf):
            sums[path] = sums.get(path, 0.0) + whole
    return {path: whole / sizes[path] for path, whole in sums.items() if sizes[path]}


def _lines(waiting: Iterable[Job]) -> dict[str, deque[Job]]:
    """By leaf, in the order in which they may start."""
    found: dict[str, list[Job]] = {}
    for job in waiting:
        found.setdefault(job.queue, []).append(job)
    return {leaf: deque(sorted(jobs, key=lambda job: (-job.priority, job.number))) for leaf, jobs in found.items()}


def _sizes(lines: Mapping[str, deque[Job]]) -> dict[str, int]:
    """Waiting jobs of each queue and those below it."""
    sizes: dict[str, int] = {}
    for leaf, line in lines.items():
        for path in lineage(leaf):
            sizes[path] = sizes.get(path, 0) + len(line)
    return sizes
