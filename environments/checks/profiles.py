"""Profiles: defaults that jobs ask for must be settings a job may have. Whether they have a place is `profile_places`' question."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from environments.checks.clusters import twice
from environments.checks.places import UNITS
from environments.model import Environment
from environments.problems import Finding, Findings, Path
from environments.service import Profile
from environments.tenancy import Team

DENIED: Final = (
    "spark.app.id",
    "spark.app.name",
    "spark.archer.*",
    "spark.archives",
    "spark.celeborn.master.endpoints",
    "spark.decommission.enabled",
    "spark.driver.bindAddress",
    "spark.driver.blockManager.port",
    "spark.driver.cores",
    "spark.driver.host",
    "spark.driver.memory",
    "spark.driver.memoryOverhead",
    "spark.driver.memoryOverheadFactor",
    "spark.driver.minMemoryOverhead",
    "spark.driver.port",
    "spark.dynamicAllocation.enabled",
    "spark.dynamicAllocation.initialExecutors",
    "spark.dynamicAllocation.maxExecutors",
    "spark.dynamicAllocation.minExecutors",
    "spark.dynamicAllocation.shuffleTracking.enabled",
    "spark.eventLog.*",
    "spark.executor.cores",
    "spark.executor.decommission.signal",
    "spark.executor.instances",
    "spark.executor.memory",
    "spark.executor.memoryOverhead",
    "spark.executor.memoryOverheadFactor",
    "spark.executor.minMemoryOverhead",
    "spark.executorEnv.*",
    "spark.files",
    "spark.hadoop.fs.s3a.access.key",
    "spark.hadoop.fs.s3a.secret.key",
    "spark.hadoop.fs.s3a.session.token",
    "spark.jars",
    "spark.jars.excludes",
    "spark.jars.ivy",
    "spark.jars.ivySettings",
    "spark.jars.packages",
    "spark.jars.repositories",
    "spark.kubernetes.allocation.pods.allocator",
    "spark.kubernetes.authenticate.*",
    "spark.kubernetes.container.image",
    "spark.kubernetes.container.image.pullPolicy",
    "spark.kubernetes.decommission.script",
    "spark.kubernetes.driver.annotation.*amazonaws.com/*",
    "spark.kubernetes.driver.annotation.*archer.moka.dev/*",
    "spark.kubernetes.driver.annotation.*k8s.io/*",
    "spark.kubernetes.driver.annotation.*karpenter.sh/*",
    "spark.kubernetes.driver.annotation.*kubernetes.io/*",
    "spark.kubernetes.driver.annotation.*yunikorn.apache.org/*",
    "spark.kubernetes.driver.container.image",
    "spark.kubernetes.driver.label.*",
    "spark.kubernetes.driver.limit.cores",
    "spark.kubernetes.driver.master",
    "spark.kubernetes.driver.node.selector.*",
    "spark.kubernetes.driver.pod.excludedFeatureSteps",
    "spark.kubernetes.driver.pod.featureSteps",
    "spark.kubernetes.driver.pod.name",
    "spark.kubernetes.driver.podTemplate*",
    "spark.kubernetes.driver.request.cores",
    "spark.kubernetes.driver.scheduler.name",
    "spark.kubernetes.driver.secretKeyRef.*",
    "spark.kubernetes.driver.secrets.*",
    "spark.kubernetes.driver.service.*",
    "spark.kubernetes.driver.volumes.*",
    "spark.kubernetes.driverEnv.*",
    "spark.kubernetes.executor.annotation.*amazonaws.com/*",
    "spark.kubernetes.executor.annotation.*archer.moka.dev/*",
    "spark.kubernetes.executor.annotation.*k8s.io/*",
    "spark.kubernetes.executor.annotation.*karpenter.sh/*",
    "spark.kubernetes.executor.annotation.*kubernetes.io/*",
    "spark.kubernetes.executor.annotation.*yunikorn.apache.org/*",
    "spark.kubernetes.executor.container.image",
    "spark.kubernetes.executor.deleteOnTermination",
    "spark.kubernetes.executor.label.*",
    "spark.kubernetes.executor.limit.cores",
    "spark.kubernetes.executor.node.selector.*",
    "spark.kubernetes.executor.pod.featureSteps",
    "spark.kubernetes.executor.podNamePrefix",
    "spark.kubernetes.executor.podTemplate*",
    "spark.kubernetes.executor.request.cores",
    "spark.kubernetes.executor.scheduler.name",
    "spark.kubernetes.executor.secretKeyRef.*",
    "spark.kubernetes.executor.secrets.*",
    "spark.kubernetes.executor.volumes.*",
    "spark.kubernetes.hadoop.*",
    "spark.kubernetes.kerberos.*",
    "spark.kubernetes.local.dirs.tmpfs",
    "spark.kubernetes.memoryOverheadFactor",
    "spark.kubernetes.namespace",
    "spark.kubernetes.node.selector.*",
    "spark.kubernetes.pyspark.pythonVersion",
    "spark.kubernetes.report.interval",
    "spark.kubernetes.scheduler.name",
    "spark.kubernetes.submission.*",
    "spark.local.dir",
    "spark.master",
    "spark.shuffle.manager",
    "spark.shuffle.service.*",
    "spark.shuffle.sort.io.plugin.class",
    "spark.submit.*",
    "spark.test.appId",
    "spark.ui.enabled",
    "spark.ui.port",
    "spark.ui.proxyBase",
    "spark.ui.reverseProxy*",
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

PLACEHOLDER: Final = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")
"""Stands for a parameter. Spark's own substitutions have a colon or a dot inside."""


def unique_profiles(environment: Environment) -> Findings:
    """Profile names given twice."""
    yield from twice(("profiles",), (profile.name for profile in environment.profiles), "profile")


def conf(_: Environment, at: Path, profile: Profile) -> Findings:
    """No key that Archer sets itself."""
    yield from _denied((*at, "conf"), profile.conf, "use {} of the profile")


def team_conf(_: Environment, at: Path, team: Team) -> Findings:
    """No key that Archer sets itself."""
    yield from _denied((*at, "conf"), team.conf, "remove it: {} is each job's or its profile's")


def environment_conf(environment: Environment) -> Findings:
    """No key that Archer sets itself."""
    yield from _denied(("spark", "conf"), environment.spark.conf, "remove it: {} is each job's or its profile's")


def _denied(at: Path, properties: Mapping[str, str], instead: str) -> Findings:
    for key in properties:
        for denied in DENIED:
            if key == denied or ("*" in denied and fnmatchcase(key, denied)):
                yield Finding(
                    path=(*at, key),
                    value=properties[key],
                    allowed=f"no key that Archer sets for every job ({denied})",
                    fix=instead.format(FIELDS[key]) if key in FIELDS else "remove it",
                )


def parameters(_: Environment, at: Path, profile: Profile) -> Findings:
    """A parameter for every placeholder, each name once."""
    names = [parameter.name for parameter in profile.parameters]
    for name in sorted({name for name in names if names.count(name) > 1}):
        allowed = "a name that no other parameter of the profile has"
        yield Finding(path=(*at, "parameters"), value=name, allowed=allowed, fix="rename one of them")
    for key, value in profile.conf.items():
        for name in PLACEHOLDER.findall(value):
            if name not in names:
                allowed = f"a value whose ${{{name}}} is a parameter of the profile"
                fix = "add it to `parameters`, or correct the name"
                yield Finding(path=(*at, "conf", key), value=value, allowed=allowed, fix=fix)


LEAST_HEAP_MIB: Final = 512
"""Archer refuses less: Spark stops below 450 MiB of usable heap."""


def heap(_: Environment, at: Path, profile: Profile) -> Findings:
    """A heap that Spark starts with."""
    for part, size in (("driver", profile.driver), ("executor", profile.executor)):
        if size is not None and int(size.memory[:-1]) * UNITS[size.memory[-1]] < LEAST_HEAP_MIB:
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
