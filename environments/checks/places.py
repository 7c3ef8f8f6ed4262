"""Where the pods of a profile could go: a cluster, one architecture of its nodes, a team that may use it.

The arithmetic is Archer's own at its door (`archer/spark_application`), written twice because neither package may import the
other; a test compares the two. A job may ask for more than its profile, so pods count as small as they can be: Spark's overhead
for the JVM (Python's is larger), and nothing for a value that a parameter fills in.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from environments.clusters import Cluster, PoolRole
from environments.instances import Architecture, InstanceType, instance_types
from environments.model import Environment
from environments.names import team_workload
from environments.service import Profile, ProfileResources
from environments.tenancy import Team

USABLE: Final = 0.85
"""Share of a node's memory left for a pod after kubelet, system and daemon pods, as a rule of thumb."""
OVERHEAD: Final = 0.1
"""Spark adds a tenth of the heap as memory overhead by default."""
LEAST_OVERHEAD_MIB: Final = 384
"""It adds no less."""
JOB_ROLES: Final[tuple[PoolRole, ...]] = ("driver", "executor")
UNITS: Final = {"m": 1, "g": 1024, "t": 1024 * 1024}
"""Of a heap, in MiB."""
DEFAULT: Final = ProfileResources(cores=1, memory="1g", instances=1)
"""What a job gets where neither it nor its profile says."""
ARCHITECTURES: Final[tuple[Architecture, ...]] = ("amd64", "arm64")
"""Of the platform's own image. A job that brings its own for a version that nobody lists is not held to any."""

OFF_HEAP_SWITCH: Final = "spark.memory.offHeap.enabled"
OFF_HEAP: Final = "spark.memory.offHeap.size"
_SIZE: Final = re.compile(r"(\d{1,15})([kmgtp]?)b?", re.IGNORECASE)
_FACTORS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4, "p": 1024**5}


@dataclass(frozen=True, kw_only=True)
class PodSize:
    """A driver or an executor."""

    cores: int
    memory_mib: int
    """Heap, overhead and off-heap memory."""

    def fits(self, node: InstanceType) -> bool:
        """Whether an empty node has room; it keeps a part of a core for itself, and Spark asks for whole ones."""
        return self.cores < node.vcpu and self.memory_mib <= int(node.memory_mib * USABLE)


@dataclass(frozen=True, kw_only=True)
class Place:
    """One way to run the jobs of a profile."""

    environment: Environment
    profile: Profile
    cluster: Cluster
    architecture: Architecture
    team: Team | None
    """None where no team may use the cluster."""

    @property
    def driver(self) -> PodSize:
        """The driver, as large as the profile says."""
        return pod_size(self.profile.driver)

    @property
    def executor(self) -> PodSize:
        """Each executor; executors alone have off-heap memory."""
        team_conf = {} if self.team is None else self.team.conf
        off_heap = off_heap_mib({**self.environment.spark.conf, **team_conf, **self.profile.conf})
        return pod_size(self.profile.executor, off_heap_mib=off_heap)

    @property
    def executors(self) -> int:
        """Number of executors."""
        return (self.profile.executor or DEFAULT).instances or 1

    @property
    def vcores(self) -> int:
        """The whole job's vCPU."""
        return self.driver.cores + self.executors * self.executor.cores

    @property
    def memory_mib(self) -> int:
        """The whole job's memory."""
        return self.driver.memory_mib + self.executors * self.executor.memory_mib

    def nodes(self, role: PoolRole) -> list[InstanceType]:
        """The cluster's nodes of that role and of the place's architecture, one of each pool."""
        return [node for node in nodes_of(self.cluster, role) if node.architecture == self.architecture]

    def holds(self, role: PoolRole) -> bool:
        """Whether a node of that role has room for the profile's pod."""
        size = self.driver if role == "driver" else self.executor
        return any(size.fits(node) for node in self.nodes(role))

    def identity(self) -> str | None:
        """How the team's jobs get AWS credentials."""
        if self.team is None:
            return None
        identity = self.environment.identity
        return identity.overrides.get(team_workload(self.team), identity.mechanism)


def places_of(environment: Environment, profile: Profile) -> Iterator[Place]:
    """Yield every cluster of the environment with each architecture of its pools for jobs and each of its teams."""
    for cluster in environment.clusters:
        known = {node.architecture: None for role in JOB_ROLES for node in nodes_of(cluster, role)}
        for architecture in known:
            for team in environment.teams_on(cluster) or (None,):
                yield Place(
                    environment=environment, profile=profile, cluster=cluster, architecture=architecture, team=team
                )


def nodes_of(cluster: Cluster, role: PoolRole) -> list[InstanceType]:
    """The nodes of the cluster's pools of that role; the types of a pool are equal, and unknown ones are another check's."""
    names = [pool.instance_types[0] for pool in cluster.pools if pool.role == role]
    return [instance_types()[name] for name in names if name in instance_types()]


def image_architectures(environment: Environment, profile: Profile) -> tuple[Architecture, ...]:
    """What the image of the profile's Spark version is built for."""
    for image in environment.spark.images:
        if image.version == profile.spark_version:
            return image.architectures
    return ARCHITECTURES


def pod_size(part: ProfileResources | None, *, off_heap_mib: int = 0) -> PodSize:
    """The pod of a driver or an executor."""
    size = part or DEFAULT
    heap = int(size.memory[:-1]) * UNITS[size.memory[-1]]
    overhead = max(LEAST_OVERHEAD_MIB, int(heap * OVERHEAD))
    return PodSize(cores=size.cores, memory_mib=heap + overhead + off_heap_mib)


def off_heap_mib(conf: Mapping[str, str]) -> int:
    """Memory outside the heap that the properties give each executor. What Spark could not read counts nothing."""
    found = _SIZE.fullmatch(conf.get(OFF_HEAP, "").strip())
    if found is None or conf.get(OFF_HEAP_SWITCH, "").strip().lower() != "true":
        return 0
    return math.ceil(int(found[1]) * _FACTORS[found[2].lower()] / 1024**2)
