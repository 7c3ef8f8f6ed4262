"""What a manifest is made from: the submission, and the parts of the environment that concern it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from archer.cluster_config import ClusterConfig, ClusterView, SparkImageView, TeamView, image_for
from archer.errors import Problem
from archer.problems import shown
from archer.submission import Submission

OLDEST_SPARK: Final = (3, 3)
"""Older ones know no rolling event logs on S3 and no node decommissioning worth the name."""
NEWEST_SPARK: Final = (4, 99)
LOWEST_TIER: Final = "tier3"
_MECHANISMS: Final = {"irsa": "IRSA", "pod_identity": "EKS Pod Identity"}


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """One job on one cluster."""

    submission: Submission
    config: ClusterConfig
    cluster: ClusterView
    team: TeamView
    queue: str
    spark_version: str
    """Whole, as 4.0.5."""
    image: str
    platform_image: SparkImageView | None
    """None for an image of the job's own."""

    @property
    def spark(self) -> tuple[int, int]:
        """Major and minor version."""
        return _line(self.spark_version)

    @property
    def tier(self) -> str:
        """Tier of its queue."""
        found = next((queue.tier for queue in self.config.queues.tree if queue.path == self.queue), None)
        return found or LOWEST_TIER

    @property
    def python(self) -> bool:
        return self.submission.application.type == "python"

    @property
    def dynamic(self) -> bool:
        """Whether the number of executors changes."""
        return self.submission.executor.max_instances is not None

    @property
    def celeborn(self) -> bool:
        return self.submission.shuffle == "celeborn"

    def image_has(self, feature: str) -> bool:
        """Whether the image can do it. One of the job's own is taken to be made from the platform's."""
        features = self.config.spark_features
        return features is None or feature in features


def resolve(submission: Submission, *, config: ClusterConfig, cluster: ClusterView) -> Inputs | Sequence[Problem]:
    """The inputs, or everything that is missing to have them."""
    team = config.team(submission.team)
    problems = _team_problems(submission, config, cluster, team)
    image = None if submission.image is not None else image_for(config, submission.spark_version)
    problems += _image_problems(submission, config, image)
    if problems or team is None:
        return problems
    inputs = Inputs(
        submission=submission,
        config=config,
        cluster=cluster,
        team=team,
        queue=submission.queue or config.queues.default,
        spark_version=_whole(submission.spark_version) if image is None else image.spark_version,
        image=submission.image or (image.image if image else ""),
        platform_image=image,
    )
    if team.identity == "pod_identity" and inputs.spark < (4, 0):
        allowed = f"4.0 or newer: team {team.name} gets its AWS role by {_MECHANISMS[team.identity]}, which the SDK of 3.x lacks"
        fix = "use Spark 4, or give the team IRSA in the environment file (identity.overrides)"
        return [_problem("spark_version", inputs.spark_version, allowed, fix)]
    return inputs


def _team_problems(
    submission: Submission, config: ClusterConfig, cluster: ClusterView, team: TeamView | None
) -> list[Problem]:
    if team is None:
        names = ", ".join(sorted(team.name for team in config.teams if cluster.name in team.clusters))
        allowed = f"a team with a namespace on cluster {cluster.name}: {names or 'none has one'}"
        value = "absent" if submission.team is None else shown(submission.team)
        return [Problem(path="team", value=value, allowed=allowed, fix="name the team whose job it is")]
    if cluster.name not in team.clusters:
        allowed = (
            f"a team with a namespace on cluster {cluster.name}; {team.name} has one on {', '.join(team.clusters)}"
        )
        return [_problem("team", team.name, allowed, "name one of these in `cluster`, or leave `cluster` out")]
    return []


def _image_problems(submission: Submission, config: ClusterConfig, image: SparkImageView | None) -> list[Problem]:
    version = submission.spark_version
    if submission.image is None:
        if image is not None:
            return []
        known = ", ".join(image.spark_version for image in config.spark_images)
        if not known:
            allowed = f"an image: environment {config.environment} has none of its own"
            return [Problem(path="image", value="absent", allowed=allowed, fix="name an image with Spark in it")]
        fix = "use one of these, or name an image of your own"
        return [_problem("spark_version", version, f"a version that the platform has an image of: {known}", fix)]
    if version is None:
        fix = "say which Spark the image has, for example 4.0.5"
        return [Problem(path="spark_version", value="absent", allowed="present beside `image`", fix=fix)]
    if not OLDEST_SPARK <= _line(version) <= NEWEST_SPARK:
        allowed = f"{'.'.join(map(str, OLDEST_SPARK))} or newer, and 3.x or 4.x"
        return [_problem("spark_version", version, allowed, "use another Spark")]
    return []


def _line(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _whole(version: str | None) -> str:
    # the operator wants three numbers
    return f"{version}.0" if version is not None and version.count(".") == 1 else version or ""


def _problem(path: str, value: object, allowed: str, fix: str) -> Problem:
    return Problem(path=path, value=shown(value), allowed=allowed, fix=fix)
