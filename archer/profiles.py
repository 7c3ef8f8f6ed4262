"""Applies an environment's profile: named sizes and Spark properties that stand in for what a job leaves out.

A value that the owner wrote always wins, also when it equals a default. The file's values obey the rules of submissions
(`archer.cluster_config` sees to it), so nothing is checked again here; whether they fit is the backend's question.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archer.cluster_config import ProfileView
from archer.errors import Problem
from archer.submission import Submission


@dataclass(frozen=True, kw_only=True)
class Profiled:
    """A submission with a profile under it."""

    submission: Submission
    lent: Mapping[str, Any] = field(default_factory=dict)
    """What is the profile's and not the job's: `{"driver.memory": "8g", "conf.spark.sql.shuffle.partitions": "64"}`."""

    def note(self) -> str:
        """For the job's history. Names Spark properties without their values: those may be secret."""
        name = self.submission.profile
        if not self.lent:
            return f"profile {name} adds nothing: the job says all of it itself"
        values = (path if path.startswith("conf.") else f"{path} {value}" for path, value in self.lent.items())
        return f"from profile {name}: {', '.join(values)}"

    def attributed(self, problem: Problem) -> Problem:
        """The problem, which says so when the value is one that the owner never wrote."""
        if problem.path not in self.lent:
            return problem
        return replace(problem, fix=f"{problem.fix}; the value is profile {self.submission.profile}'s")


def apply(profile: ProfileView, submission: Submission) -> Profiled:
    """The submission with the profile's values where it has none of its own."""
    lent: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for part, sizes in (("driver", profile.driver), ("executor", profile.executor)):
        own = getattr(submission, part)
        values = {} if sizes is None else sizes.model_dump(exclude_none=True)
        missing = {key: value for key, value in values.items() if key not in own.model_fields_set}
        changes[part] = own.model_copy(update=missing)
        lent.update({f"{part}.{key}": value for key, value in missing.items()})
    if profile.spark_version is not None and submission.spark_version is None:
        changes["spark_version"] = lent["spark_version"] = profile.spark_version
    changes["conf"] = {**profile.conf, **submission.conf}
    lent.update({f"conf.{key}": value for key, value in profile.conf.items() if key not in submission.conf})
    return Profiled(submission=submission.model_copy(update=changes), lent=lent)
