"""The queue tree as scheduling sees it: parents, children, guarantees, limits.

A server without an environment has no tree to check against: whatever queues its jobs name are equal leaves below root.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from archer.cluster_config import ClusterConfig, Resources
from archer.scheduling.amounts import ROOT, Amount, lineage

MIB_PER_GIB = 1024


@dataclass(frozen=True, kw_only=True)
class Queue:
    """One queue."""

    path: str
    leaf: bool = True
    weight: float = 1.0
    """Its share among its siblings beyond the guarantees."""
    guaranteed: Amount | None = None
    most: Amount | None = None
    """vCPU and memory that its jobs may hold together; None: no bound."""
    max_applications: int | None = None
    """Jobs that may run at once; None: no bound."""


@dataclass(frozen=True)
class QueueTree:
    """Queues by full path. `root` itself has no limits and is left out."""

    queues: Mapping[str, Queue]

    @classmethod
    def of(cls, config: ClusterConfig) -> "QueueTree":
        """The environment's tree."""
        return cls(
            {
                view.path: Queue(
                    path=view.path,
                    leaf=view.leaf,
                    weight=view.share,
                    guaranteed=_amount(view.guaranteed),
                    most=_amount(view.max),
                    max_applications=view.max_applications,
                )
                for view in config.queues.tree
            }
        )

    @classmethod
    def flat(cls, paths: Iterable[str]) -> "QueueTree":
        """A tree without limits that has these leaves."""
        leaves = set(paths)
        every = {inner for leaf in leaves for inner in lineage(leaf)[1:]}
        return cls({path: Queue(path=path, leaf=path in leaves) for path in sorted(every)})

    @cached_property
    def children(self) -> Mapping[str, tuple[Queue, ...]]:
        """By parent, `root` included, each in the order of the file."""
        found: dict[str, list[Queue]] = {}
        for queue in self.queues.values():
            found.setdefault(queue.path.rpartition(".")[0] or ROOT, []).append(queue)
        return {parent: tuple(queues) for parent, queues in found.items()}

    def takes_jobs(self, path: str) -> bool:
        """Whether it is a leaf of the tree."""
        return path in self.queues and self.queues[path].leaf

    def chain(self, path: str) -> tuple[Queue, ...]:
        """The queue and all above it, the highest first."""
        return tuple(self.queues[name] for name in lineage(path) if name in self.queues)


def _amount(resources: Resources | None) -> Amount | None:
    if resources is None:
        return None
    return Amount(vcores=resources.vcores, memory_mib=resources.memory_gib * MIB_PER_GIB)
