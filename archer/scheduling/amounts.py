"""What jobs ask for and hold: how many, vCPU, memory. Added up over queues, users, teams and clusters in a ledger."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from archer.model import Job
from archer.store.interface import Usage

ROOT = "root"


@dataclass(frozen=True, kw_only=True)
class Amount:
    """Jobs, vCPU and MiB of memory together."""

    jobs: int = 0
    vcores: int = 0
    memory_mib: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(
            jobs=self.jobs + other.jobs,
            vcores=self.vcores + other.vcores,
            memory_mib=self.memory_mib + other.memory_mib,
        )


NOTHING = Amount()


def demand(job: Job, rung: float | None = None) -> Amount:
    """What the job will hold from its start on; memory times `rung`, the job's own by default."""
    factor = job.memory_rung if rung is None else rung
    return Amount(jobs=1, vcores=job.vcores, memory_mib=round(job.memory_mib * factor))


def lineage(path: str) -> tuple[str, ...]:
    """`root.a.b` -> `root`, `root.a`, `root.a.b`."""
    words = path.split(".")
    return tuple(".".join(words[: depth + 1]) for depth in range(len(words)))


@dataclass(kw_only=True)
class Ledger:
    """What active jobs hold, counted for everything that has a limit. Grows with each job that is picked."""

    queues: dict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))
    """By full path; a queue holds what the queues below it hold."""
    users: dict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))
    """By user, over all queues and clusters."""
    namespaces: dict[tuple[str, str], Amount] = field(default_factory=lambda: defaultdict(Amount))
    """By (cluster, namespace)."""
    clusters: dict[str, Amount] = field(default_factory=lambda: defaultdict(Amount))
    unacknowledged: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By cluster: attempts of which Spark hasn't shown up yet."""

    @classmethod
    def of(cls, usage: Iterable[Usage]) -> "Ledger":
        """The ledger of what the store adds up."""
        ledger = cls()
        for held in usage:
            ledger._add(held)
        return ledger

    def charge(self, job: Job, cluster: str, amount: Amount) -> None:
        """Count a job that is about to start in a cluster."""
        held = Usage(
            queue=job.queue,
            user=job.user,
            cluster=cluster,
            namespace=job.namespace,
            jobs=amount.jobs,
            unacknowledged=1,
            vcores=amount.vcores,
            memory_mib=amount.memory_mib,
        )
        self._add(held)

    def _add(self, held: Usage) -> None:
        amount = Amount(jobs=held.jobs, vcores=held.vcores, memory_mib=held.memory_mib)
        for path in lineage(held.queue):
            self.queues[path] += amount
        if held.user is not None:
            self.users[held.user] += amount
        if held.namespace is not None:
            self.namespaces[held.cluster, held.namespace] += amount
        self.clusters[held.cluster] += amount
        self.unacknowledged[held.cluster] += held.unacknowledged
