"""How large driver and executors are: cores, and each part of the memory, times the rung of the memory ladder.

A pod's memory is the heap, the overhead, off-heap memory and Python's own limit (executors alone have the last two):
https://spark.apache.org/docs/4.0.0/configuration.html#application-properties. All parts climb with the rung, as nobody
knows which of them was too small, and the shares between them stay as their owner chose them.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from archer.cluster_config import ClusterConfig
from archer.memory import parse_mib, with_overhead_mib
from archer.submission import Driver, Executor, Submission

OFF_HEAP_SWITCH: Final = "spark.memory.offHeap.enabled"
OFF_HEAP: Final = "spark.memory.offHeap.size"
PYTHON_MEMORY: Final = "spark.executor.pyspark.memory"
_BYTES_PER_MIB: Final = 1024 * 1024
_SIZE = re.compile(r"(\d{1,15})([kmgtp]?)b?", re.IGNORECASE)
_FACTORS: Final = {"k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4, "p": 1024**5}


@dataclass(frozen=True, kw_only=True)
class PodSize:
    """A driver or an executor."""

    cores: int
    heap_mib: int
    overhead_mib: int
    off_heap_mib: int = 0
    python_mib: int = 0

    @property
    def memory_mib(self) -> int:
        """Memory of the pod: request and limit."""
        return self.heap_mib + self.overhead_mib + self.off_heap_mib + self.python_mib


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """All pods of a job."""

    driver: PodSize
    executor: PodSize
    instances: int
    """Executors at the start."""
    least: int
    most: int
    """Executors at least and at most; both equal `instances` without dynamic allocation."""

    @property
    def vcores(self) -> int:
        """vCPU at most."""
        return self.driver.cores + self.most * self.executor.cores

    @property
    def memory_mib(self) -> int:
        """Memory at most, MiB."""
        return self.driver.memory_mib + self.most * self.executor.memory_mib


def sizes_of(submission: Submission, *, conf: Mapping[str, str] | None = None, rung: float = 1.0) -> Sizes:
    """The job's sizes on that rung. `conf` is all of its Spark properties, its own when None."""
    conf = submission.conf if conf is None else conf
    python = submission.application.type == "python"
    executor = submission.executor
    return Sizes(
        driver=_size(submission.driver, rung, python=python),
        executor=_size(
            executor,
            rung,
            python=python,
            off_heap_mib=_off_heap_mib(conf),
            python_mib=_conf_mib(conf.get(PYTHON_MEMORY), unit="m") if python else 0,
        ),
        **_instances(executor),
    )


def asked_sizes(submission: Submission, config: ClusterConfig | None, *, rung: float = 1.0) -> Sizes:
    """As `sizes_of`, with the properties that the environment and the job's team give every job.

    One answer for all clusters: these layers are the environment's, the same wherever the job goes, and what the platform
    itself adds, which may differ between clusters, states no memory. Off-heap memory and Python's limit are all that a layer
    can add: overheads and their factors are reserved (`archer.reserved`). Without an environment: the job's own alone.
    """
    team = None if config is None else config.team(submission.team)
    below = {} if config is None else config.conf
    return sizes_of(submission, conf={**below, **({} if team is None else team.conf), **submission.conf}, rung=rung)


def amount(submission: Submission, config: ClusterConfig | None) -> tuple[int, int]:
    """vCPU and memory in MiB that the whole job asks for at most, on the first rung, as `asked_sizes` has it."""
    sizes = asked_sizes(submission, config)
    return sizes.vcores, sizes.memory_mib


def _instances(executor: Executor) -> dict[str, int]:
    most = executor.max_instances
    if most is None:
        return {"instances": executor.instances, "least": executor.instances, "most": executor.instances}
    least = executor.min_instances or 0
    return {"instances": min(max(executor.instances, least), most), "least": least, "most": most}


def _size(part: Driver | Executor, rung: float, *, python: bool, off_heap_mib: int = 0, python_mib: int = 0) -> PodSize:
    heap = parse_mib(part.memory)
    overhead = with_overhead_mib(part.memory, part.memory_overhead, python=python) - heap
    return PodSize(
        cores=part.cores,
        heap_mib=_climbed(heap, rung),
        overhead_mib=_climbed(overhead, rung),
        off_heap_mib=_climbed(off_heap_mib, rung),
        python_mib=_climbed(python_mib, rung),
    )


def _climbed(mib: int, rung: float) -> int:
    return math.ceil(mib * rung)


def _off_heap_mib(conf: Mapping[str, str]) -> int:
    if conf.get(OFF_HEAP_SWITCH, "").strip().lower() != "true":
        return 0
    return _conf_mib(conf.get(OFF_HEAP), unit="")


def _conf_mib(text: str | None, *, unit: str) -> int:
    """A property's size; `unit` is Spark's for a number alone. What Spark could not read counts nothing: Spark refuses it."""
    found = _SIZE.fullmatch((text or "").strip())
    if found is None:
        return 0
    factor = _FACTORS.get((found[2] or unit).lower(), 1)
    return math.ceil(int(found[1]) * factor / _BYTES_PER_MIB)
