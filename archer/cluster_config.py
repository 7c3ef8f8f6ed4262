"""Archer's view of an environment, the file `archer.yaml`: which clusters, pools, queues, teams and profiles there are.

`moka render` writes it from the environment file, so that a queue or team is written once; in a cluster it is mounted
from a ConfigMap, on one machine it is a plain file (`ARCHER_CONFIG`). This module knows nothing of environments: it
reads the file, refuses it whole with every problem it has, and answers questions about it. It never writes it. What the
file holds stands in `archer.cluster_views` and `archer.profile_views`.
"""

import json
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from archer.cluster_views import (
    CatalogView,
    CelebornView,
    ClusterConfig,
    ClusterView,
    PoolView,
    QueuesView,
    QueueView,
    Resources,
    SparkImageView,
    StorageView,
    TeamView,
    Toleration,
    UserLimitView,
)
from archer.errors import InvalidClusterConfigError, Problem
from archer.problems import problems_of, shown
from archer.profile_views import ParameterView, ProfileResources, ProfileView
from archer.reserved import RESERVED_ON_KUBERNETES

__all__ = [
    "SCHEMA_FILE",
    "CatalogView",
    "CelebornView",
    "ClusterConfig",
    "ClusterView",
    "ParameterView",
    "PoolView",
    "ProfileResources",
    "ProfileView",
    "QueueView",
    "QueuesView",
    "Resources",
    "SparkImageView",
    "StorageView",
    "TeamView",
    "Toleration",
    "UserLimitView",
    "image_for",
    "load_cluster_config",
    "main",
    "parse_cluster_config",
    "schema_text",
]

SCHEMA_FILE: Final = Path(__file__).with_name("cluster_config.schema.json")
"""The committed schema, for editors and for whoever writes the file by hand."""


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
        found += _context_problems(f"clusters.{number}.context", view)
    found += _conf_problems(config)
    found += _profile_problems(config)
    for number, profile in enumerate(config.profiles):
        if profile.driver is not None and profile.driver.instances is not None:
            path, value = f"profiles.{number}.driver.instances", shown(profile.driver.instances)
            found.append(Problem(path=path, value=value, allowed="absent", fix="remove it: a job has one driver"))
    return found


def _conf_problems(config: ClusterConfig) -> list[Problem]:
    """Spark properties that only a submission's fields, or Archer, may set."""
    places = {"conf": config.conf}
    places |= {f"teams.{number}.conf": team.conf for number, team in enumerate(config.teams)}
    places |= {f"profiles.{number}.conf": profile.conf for number, profile in enumerate(config.profiles)}
    found = []
    for path, conf in places.items():
        for key, value in conf.items():
            reason = RESERVED_ON_KUBERNETES.reason(key)
            if reason is not None:
                allowed = "a key that Archer doesn't set itself"
                found.append(Problem(path=f"{path}.{key}", value=shown(value), allowed=allowed, fix=reason))
    return found


def _profile_problems(config: ClusterConfig) -> list[Problem]:
    """Placeholders that nobody declares, and parameters of one name."""
    found = []
    for number, profile in enumerate(config.profiles):
        at = f"profiles.{number}"
        names = [parameter.name for parameter in profile.parameters]
        found += _repeated(f"{at}.parameters", names)
        for path, name in profile.placeholders():
            if name not in names:
                fix = f"declare it in {at}.parameters, or write another one: {', '.join(names) or 'there is none'}"
                found.append(
                    Problem(
                        path=f"{at}.{path}", value=shown(f"${{{name}}}"), allowed="a parameter of the profile", fix=fix
                    )
                )
    return found


def image_for(config: ClusterConfig, version: str | None) -> SparkImageView | None:
    """The platform's image of that Spark, `4.0` meaning the first of its line; None when there is none.

    Without a version: the first.
    """
    for image in config.spark_images:
        if version is None or image.spark_version == version or image.spark_version.startswith(f"{version}."):
            return image
    return None


def _context_problems(path: str, cluster: ClusterView) -> list[Problem]:
    if (cluster.access == "kubeconfig") == (cluster.context is not None):
        return []
    allowed = "given with access kubeconfig, and with no other"
    fix = "name the context, or change `access`"
    return [Problem(path=path, value=shown(cluster.context), allowed=allowed, fix=fix)]


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
