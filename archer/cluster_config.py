"""Archer's view of an environment, the file `archer.yaml`: which clusters, pools, queues, teams and profiles there are.

`moka render` writes it from the environment file, so that a queue or team is written once; in a cluster it is mounted
from a ConfigMap, on one machine it is a plain file (`ARCHER_CONFIG`). This module knows nothing of environments: it
reads the file, refuses it whole with every problem it has, and answers questions about it. It never writes it.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from archer.errors import InvalidClusterConfigError, Problem
from archer.problems import problems_of, shown
from archer.submission import ConfKey, Heap, Text

SCHEMA_FILE: Final = Path(__file__).with_name("cluster_config.schema.json")
"""The committed schema, for editors and for whoever writes the file by hand."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)]
QueuePath = Annotated[str, Field(pattern=r"^root(\.[a-z][a-z0-9_-]{0,29})+$", max_length=253)]
S3Location = Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$")]


def _not_empty(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    if not entries:
        raise PydanticCustomError("empty", "a list of at least one entry")
    return entries


# with Field(min_length=1) pydantic calls the list too short as soon as one of its entries is wrong
_SOME: Final = AfterValidator(_not_empty)
_SOME_IN_SCHEMA: Final = Field(json_schema_extra={"minItems": 1})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Resources(_Part):
    """An amount of compute."""

    vcores: Annotated[int, Field(ge=1)]
    """vCPU."""
    memory_gib: Annotated[int, Field(ge=1)]
    """Memory, GiB."""


class Toleration(_Part):
    """A toleration as Kubernetes writes it."""

    key: str
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class PoolView(_Part):
    """Nodes that jobs may be put on."""

    name: Name
    role: Literal["driver", "executor"]
    capacity: Literal["on_demand", "spot"]
    architecture: Literal["amd64", "arm64"]
    """What the job's image and its native libraries must be made for."""
    node_vcpu: Annotated[int, Field(ge=1)]
    """vCPU of each node; a pod that asks for more never starts."""
    node_memory_mib: Annotated[int, Field(ge=1)]
    """Memory of each node, MiB, before what Kubernetes keeps for itself."""
    max_nodes: Annotated[int, Field(ge=1)]
    """Nodes at most, over all zones."""
    local_disk: bool
    """Whether an emptyDir lies on the instance's NVMe."""
    node_selector: dict[str, str]
    """Goes into the pod template as it is."""
    tolerations: tuple[Toleration, ...] = ()
    """Go into the pod template as they are."""


class ClusterView(_Part):
    """A cluster that Archer submits to."""

    name: Name
    eks_name: Annotated[str, Field(min_length=1, max_length=100)]
    """Name in EKS, for the API server's address and a token."""
    kubernetes_version: Annotated[str, Field(pattern=r"^1\.\d{2}$")]
    creates_per_minute: Annotated[int, Field(ge=1, le=1000)]
    """SparkApplications that Archer creates there per minute."""
    pools: tuple[PoolView, ...]
    """At least one for drivers and one for executors."""


class QueueView(_Part):
    """A queue of the tree. Only leaves take jobs."""

    path: QueuePath
    """Full path from root."""
    leaf: bool
    tier: Literal["tier1", "tier2", "tier3"] | None = None
    """Tier of a leaf, which decides its jobs' priority classes; tier3 for a leaf that names none."""
    max_applications: Annotated[int, Field(ge=1)] | None = None
    """Jobs that run at once; no bound when absent."""
    guaranteed: Resources | None = None
    max: Resources | None = None


class QueuesView(_Part):
    """The queue tree, flattened: a parent stands before its children."""

    default: QueuePath
    """Leaf for jobs that name no queue."""
    tree: Annotated[tuple[QueueView, ...], _SOME, _SOME_IN_SCHEMA]


class TeamView(_Part):
    """A team: who may submit what, and where its pods live."""

    name: Name
    namespace: Name
    service_account: Name
    clusters: Annotated[tuple[Name, ...], _SOME, _SOME_IN_SCHEMA]
    queues: Annotated[tuple[QueuePath, ...], _SOME, _SOME_IN_SCHEMA]
    """Queues or subtrees that the team may submit to."""
    submitters: tuple[str, ...] = ()
    """Groups whose members may submit and kill the team's jobs."""
    quota: Resources
    pods: Annotated[int, Field(ge=1)]
    """Pods in the namespace at once."""


class ProfileResources(_Part):
    """Size of a driver or of each executor."""

    cores: Annotated[int, Field(ge=1, le=192)]
    memory: Heap
    """JVM heap as Spark writes it: 8g."""
    instances: Annotated[int, Field(ge=1, le=5000)] | None = None
    """Executors; not for drivers."""


class ProfileView(_Part):
    """Named defaults that a job may ask for."""

    name: Name
    description: str = ""
    spark_version: str | None = None
    driver: ProfileResources | None = None
    executor: ProfileResources | None = None
    conf: dict[ConfKey, Text] = Field(default_factory=dict)
    """Spark properties, by the rules of submissions."""


class StorageView(_Part):
    """Where files of jobs are kept."""

    event_logs: S3Location
    container_logs: S3Location
    artifacts: S3Location
    staging: S3Location


class ClusterConfig(_Part):
    """The whole file. Shape: `archer/cluster_config.schema.json`."""

    schema_version: Literal[1]
    environment: Name
    region: Annotated[str, Field(min_length=1)]
    clusters: Annotated[tuple[ClusterView, ...], _SOME, _SOME_IN_SCHEMA]
    queues: QueuesView
    teams: Annotated[tuple[TeamView, ...], _SOME, _SOME_IN_SCHEMA]
    profiles: tuple[ProfileView, ...] = ()
    storage: StorageView
    spark_features: tuple[Name, ...] | None = None
    """What the platform's Spark image can do beyond Spark itself; absent: nobody has said, and no job is refused for it."""
    job_retention_days: Annotated[int, Field(ge=1)]
    """Days that finished jobs stay in the database."""

    @cached_property
    def leaves(self) -> frozenset[str]:
        """Full paths of the queues that take jobs."""
        return frozenset(queue.path for queue in self.queues.tree if queue.leaf)

    def team_may_use(self, team: TeamView, queue: str) -> bool:
        """Return whether `queue` is a leaf that is one of the team's queues or lies below one."""
        return queue in self.leaves and any(queue == own or queue.startswith(f"{own}.") for own in team.queues)


def load_cluster_config(path: Path) -> ClusterConfig:
    """Return the configuration in the file.

    Raises InvalidClusterConfigError, which names the file, with all problems at once: a file that cannot be read, text that is not YAML,
    unknown fields, wrong types, names that nobody defines.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        problem = Problem(
            path="config",
            value=shown(str(path)),
            allowed=f"a file that can be read ({reason})",
            fix="point ARCHER_CONFIG or --config at an archer.yaml; `moka render ENV` writes one",
        )
        raise InvalidClusterConfigError([problem]) from error
    try:
        return parse_cluster_config(text)
    except InvalidClusterConfigError as error:
        raise InvalidClusterConfigError(error.problems, file=str(path)) from error.__cause__


def parse_cluster_config(text: str) -> ClusterConfig:
    """Return the configuration in `text`, YAML. Raises InvalidClusterConfigError with all problems at once."""
    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        fix = "render it again: moka render ENV"
        problem = Problem(path="(document)", value="something else", allowed=f"YAML ({where})", fix=fix)
        raise InvalidClusterConfigError([problem]) from error
    try:
        config = ClusterConfig.model_validate(content)
    except ValidationError as error:
        raise InvalidClusterConfigError(problems_of(error, ClusterConfig)) from None
    problems = _reference_problems(config)
    if problems:
        raise InvalidClusterConfigError(problems)
    return config


def _reference_problems(config: ClusterConfig) -> list[Problem]:
    """Return what names something that the file does not define, or defines twice."""
    paths = [queue.path for queue in config.queues.tree]
    clusters = [cluster.name for cluster in config.clusters]
    found = _repeated("queues.tree", paths) + _repeated("clusters", clusters)
    found += _repeated("teams", [team.name for team in config.teams])
    found += _repeated("profiles", [profile.name for profile in config.profiles])
    if config.queues.default not in config.leaves:
        found.append(_unknown("queues.default", config.queues.default, "a leaf of `queues.tree`", config.leaves))
    for number, team in enumerate(config.teams):
        for queue in team.queues:
            if queue not in paths:
                found.append(_unknown(f"teams.{number}.queues", queue, "a path of `queues.tree`", paths))
        for cluster in team.clusters:
            if cluster not in clusters:
                found.append(_unknown(f"teams.{number}.clusters", cluster, "a name of `clusters`", clusters))
    for number, view in enumerate(config.clusters):
        found += _pool_problems(f"clusters.{number}.pools", view)
    for number, profile in enumerate(config.profiles):
        if profile.driver is not None and profile.driver.instances is not None:
            path, value = f"profiles.{number}.driver.instances", shown(profile.driver.instances)
            found.append(Problem(path=path, value=value, allowed="absent", fix="remove it: a job has one driver"))
    return found


def _pool_problems(path: str, cluster: ClusterView) -> list[Problem]:
    roles = {pool.role for pool in cluster.pools}
    return [
        Problem(
            path=path,
            value=shown([pool.name for pool in cluster.pools]),
            allowed=f"pools with at least one of role {role}",
            fix=f"add a pool of role {role} to cluster {cluster.name} in the environment file",
        )
        for role in ("driver", "executor")
        if role not in roles
    ]


def _repeated(path: str, names: list[str]) -> list[Problem]:
    twice = sorted({name for name in names if names.count(name) > 1})
    return [
        Problem(path=path, value=shown(name), allowed="a name that is there once", fix="rename one of them")
        for name in twice
    ]


def _unknown(path: str, value: str, allowed: str, known: frozenset[str] | list[str]) -> Problem:
    return Problem(path=path, value=shown(value), allowed=allowed, fix=f"use one of {', '.join(sorted(known))}")


def schema_text() -> str:
    """Return the file's JSON schema (2020-12) as it is committed in `cluster_config.schema.json`."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ClusterConfig.model_json_schema(),
        "title": "archer.yaml",
    }
    return json.dumps(schema, indent=2) + "\n"


def main() -> None:
    """Write `cluster_config.schema.json` again: `python -m archer.cluster_config`."""
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
