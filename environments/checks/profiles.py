"""Profiles: defaults that jobs ask for must be settings a job may have, and fit a node that exists."""

from typing import Final

from environments.checks.clusters import twice
from environments.clusters import PoolRole
from environments.instances import instance_types
from environments.model import Environment
from environments.problems import Finding, Findings, Path, Words
from environments.service import Profile, ProfileResources

DENIED: Final = (
    "spark.app.id",
    "spark.app.name",
    "spark.archer.*",
    "spark.archives",
    "spark.driver.bindAddress",
    "spark.driver.cores",
    "spark.driver.host",
    "spark.driver.memory",
    "spark.eventLog.*",
    "spark.executor.cores",
    "spark.executor.instances",
    "spark.executor.memory",
    "spark.files",
    "spark.hadoop.fs.s3a.access.key",
    "spark.hadoop.fs.s3a.secret.key",
    "spark.hadoop.fs.s3a.session.token",
    "spark.jars",
    "spark.kubernetes.authenticate.*",
    "spark.kubernetes.container.image",
    "spark.kubernetes.driver.pod.name",
    "spark.kubernetes.driver.podTemplateFile",
    "spark.kubernetes.executor.podNamePrefix",
    "spark.kubernetes.executor.podTemplateFile",
    "spark.kubernetes.namespace",
    "spark.kubernetes.scheduler.name",
    "spark.local.dir",
    "spark.master",
    "spark.submit.*",
    "spark.test.appId",
    "spark.ui.enabled",
    "spark.ui.port",
)
"""Keys that Archer sets for every job (it refuses them in a submission too), and credentials in plain text."""

FIELDS: Final = {
    "spark.driver.cores": "driver.cores",
    "spark.driver.memory": "driver.memory",
    "spark.executor.cores": "executor.cores",
    "spark.executor.instances": "executor.instances",
    "spark.executor.memory": "executor.memory",
}
"""Keys that have a field of their own."""

USABLE: Final = 0.85
"""Share of a node's memory left for a pod after kubelet, system and daemon pods, as a rule of thumb."""
OVERHEAD: Final = 1.1
"""Spark adds a tenth of the heap as memory overhead by default."""
UNITS: Final = {"m": 1 / 1024, "g": 1, "t": 1024}


def unique_profiles(environment: Environment) -> Findings:
    """Profile names given twice."""
    yield from twice(("profiles",), (profile.name for profile in environment.profiles), "profile")


def conf(_: Environment, at: Path, profile: Profile) -> Findings:
    """No key that Archer sets itself."""
    for key in profile.conf:
        for denied in DENIED:
            if key == denied or (denied.endswith("*") and key.startswith(denied[:-1])):
                fix = f"use {FIELDS[key]} of the profile" if key in FIELDS else "remove it"
                yield Finding(
                    path=(*at, "conf", key),
                    value=profile.conf[key],
                    allowed=f"no key that Archer sets for every job ({denied})",
                    fix=fix,
                )


LEAST_HEAP_GIB: Final = 0.5
"""Archer refuses less: Spark stops below 450 MiB of usable heap."""


def heap(_: Environment, at: Path, profile: Profile) -> Findings:
    """A heap that Spark starts with."""
    for part, size in (("driver", profile.driver), ("executor", profile.executor)):
        if size is not None and float(size.memory[:-1]) * UNITS[size.memory[-1]] < LEAST_HEAP_GIB:
            yield Finding(
                path=(*at, part, "memory"),
                value=size.memory,
                allowed="at least 512m, which Spark needs to start",
                fix="write 512m or more",
            )


def one_driver(_: Environment, at: Path, profile: Profile) -> Findings:
    """A job has one driver."""
    if profile.driver is not None and profile.driver.instances is not None:
        path = (*at, "driver", "instances")
        yield Finding(
            path=path,
            value=profile.driver.instances,
            allowed="absent: a job has one driver",
            fix="remove it, or move it to executor",
        )


def fits_a_node(environment: Environment, at: Path, profile: Profile) -> Findings:
    """A driver or executor that no node can hold would wait forever."""
    sizes: list[tuple[PoolRole, ProfileResources | None]] = [("driver", profile.driver), ("executor", profile.executor)]
    for role, size in sizes:
        if size is None:
            continue
        nodes = [
            instance_types()[name]
            for cluster in environment.clusters
            for pool in cluster.pools
            if pool.role == role
            for name in pool.instance_types[:1]
            if name in instance_types()
        ]
        need = float(size.memory[:-1]) * UNITS[size.memory[-1]] * OVERHEAD
        if nodes and not any(size.cores < node.vcpu and need <= node.memory_mib / 1024 * USABLE for node in nodes):
            largest = max(nodes, key=lambda node: (node.memory_mib, node.vcpu))
            room = int(largest.memory_mib / 1024 * USABLE / OVERHEAD)
            allowed = f"at most {largest.vcpu - 1} cores and about {room}g, so that it fits the largest {role} node, {largest.name}"
            fix = f"lower it, or add a pool of role {role} with larger types"
            yield Finding(path=(*at, role), value=Words(f"{size.cores} cores, {size.memory}"), allowed=allowed, fix=fix)
