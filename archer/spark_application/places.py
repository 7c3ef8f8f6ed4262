"""Which pools a job's pods go to: the first of the cluster's, in the file's order, on which they fit.

Driver and executors always share one architecture: wheels, archives and native libraries of a job are made for one. A pool
is named, not described, in the pod's node selector, so the autoscaler has one kind of node to think about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from archer.cluster_config import PoolView
from archer.errors import Problem
from archer.problems import shown
from archer.retries import TOP_RUNG
from archer.spark_application.bounds import bound_of_team, bounds_of_queue, exceeded
from archer.spark_application.inputs import Inputs
from archer.spark_application.sizes import PodSize, Sizes, sizes_of

USABLE: Final = 0.85
"""Share of a node's memory that a job's pod may have: the rest is the kernel's, the kubelet's and the daemons'. The same
rule of thumb as the environment file's own check."""
RUNGS: Final = tuple(float(rung) for rung in range(1, int(TOP_RUNG) + 1))


@dataclass(frozen=True, kw_only=True)
class Places:
    """A pool for the driver, one for the executors."""

    driver: PoolView
    executor: PoolView


def holds(pool: PoolView, size: PodSize) -> bool:
    """Whether an empty node of the pool has room for such a pod."""
    # a node keeps a part of a core for itself, and Spark asks for whole ones
    return size.cores < pool.node_vcpu and size.memory_mib <= usable_mib(pool)


def usable_mib(pool: PoolView) -> int:
    """Memory of one of the pool's nodes that a job's pod may have."""
    return int(pool.node_memory_mib * USABLE)


def places_for(inputs: Inputs, sizes: Sizes) -> Places | None:
    """Where the pods go; None when there is no such place."""
    for architecture in _architectures(inputs):
        driver = next((pool for pool in _pools(inputs, "driver", architecture) if holds(pool, sizes.driver)), None)
        executor = next(
            (pool for pool in _pools(inputs, "executor", architecture) if holds(pool, sizes.executor)), None
        )
        if driver is not None and executor is not None:
            return Places(driver=driver, executor=executor)
    return None


def place_problems(inputs: Inputs, sizes: Sizes) -> Iterator[Problem]:
    """Yield why there is no place, each part by itself."""
    if places_for(inputs, sizes) is not None:
        return
    wanted = _architectures(inputs)
    if not wanted:
        yield _no_architecture(inputs)
        return
    lonely = True
    for role, size in (("driver", sizes.driver), ("executor", sizes.executor)):
        pools = [pool for architecture in wanted for pool in _pools(inputs, role, architecture)]
        if not pools:
            lonely = False
            yield _no_pool(inputs, role)
        elif not any(holds(pool, size) for pool in pools):
            lonely = False
            yield _too_large(inputs, role, size, pools)
    if lonely:
        allowed = "sizes that one architecture has nodes for: the driver only fits one, the executors only another"
        yield Problem(path="executor", value=_words(sizes.executor), allowed=allowed, fix="make one of them smaller")


def highest_rung(inputs: Inputs, conf: dict[str, str] | None = None) -> float:
    """The highest rung of the memory ladder on which the job fits nodes, the team's quota, the queue's maximum and the user's limit."""
    fitting = [rung for rung in RUNGS if _fits(inputs, sizes_of(inputs.submission, conf=conf, rung=rung))]
    return max(fitting, default=RUNGS[0])


def _fits(inputs: Inputs, sizes: Sizes) -> bool:
    submission = inputs.submission
    bounds = [bound_of_team(inputs.team), *bounds_of_queue(inputs.config, inputs.queue, submission.user)]
    return places_for(inputs, sizes) is not None and not list(exceeded(submission, sizes, bounds))


def _pools(inputs: Inputs, role: str, architecture: str) -> list[PoolView]:
    wanted = inputs.submission.executor.capacity if role == "executor" else None
    return [
        pool
        for pool in inputs.cluster.pools
        if pool.role == role and pool.architecture == architecture and wanted in {None, pool.capacity}
    ]


def _architectures(inputs: Inputs) -> list[str]:
    """Architectures that may be used, in the order of the cluster's pools."""
    image = inputs.platform_image
    wanted = inputs.submission.architecture
    known = dict.fromkeys(pool.architecture for pool in inputs.cluster.pools)
    return [each for each in known if wanted in {None, each} and (image is None or each in image.architectures)]


def _no_architecture(inputs: Inputs) -> Problem:
    known = ", ".join(dict.fromkeys(pool.architecture for pool in inputs.cluster.pools))
    allowed = f"one that cluster {inputs.cluster.name} has nodes of: {known}"
    if inputs.platform_image is not None:
        allowed += f", and Spark {inputs.spark_version} an image for: {', '.join(inputs.platform_image.architectures)}"
    value = inputs.submission.architecture
    return Problem(
        path="architecture",
        value="absent" if value is None else shown(value),
        allowed=allowed,
        fix="use one of these, or another cluster",
    )


def _no_pool(inputs: Inputs, role: str) -> Problem:
    submission = inputs.submission
    wanted = [
        word for word in (submission.architecture, submission.executor.capacity if role == "executor" else None) if word
    ]
    path = "executor.capacity" if role == "executor" and submission.executor.capacity else "architecture"
    pools = ", ".join(
        f"{pool.name} ({pool.architecture}, {pool.capacity})" for pool in inputs.cluster.pools if pool.role == role
    )
    return Problem(
        path=path,
        value=" ".join(wanted) or "absent",
        allowed=f"what a pool for {role}s of cluster {inputs.cluster.name} is: {pools}",
        fix="change it, leave it out, or use another cluster",
    )


def _too_large(inputs: Inputs, role: str, size: PodSize, pools: list[PoolView]) -> Problem:
    largest = max(pools, key=lambda pool: (pool.node_memory_mib, pool.node_vcpu))
    return Problem(
        path=role,
        value=_words(size),
        allowed=f"at most {largest.node_vcpu - 1} vCPU and {usable_mib(largest)} MiB with overheads, to fit a node of pool "
        f"{largest.name}, the largest for {role}s of cluster {inputs.cluster.name} that may be used",
        fix=f"lower {role}.cores, {role}.memory or {role}.memory_overhead",
    )


def _words(size: PodSize) -> str:
    return f"{size.cores} vCPU and {size.memory_mib} MiB (heap {size.heap_mib}, the rest {size.memory_mib - size.heap_mib})"
