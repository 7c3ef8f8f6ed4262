"""Applies an environment's profile: named sizes and Spark properties that stand in for what a job leaves out.

A value that the owner wrote always wins, also when it equals a default. The file's values obey the rules of submissions
(`archer.cluster_config` sees to it), so only what parameters put into them is checked here; whether they fit is the
backend's question.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from archer.cluster_config import ProfileView
from archer.errors import Problem
from archer.problems import problems_of, shown
from archer.profile_views import PLACEHOLDER, ParameterView
from archer.submission import Submission


@dataclass(frozen=True, kw_only=True)
class Profiled:
    """A submission with a profile under it."""

    submission: Submission
    lent: Mapping[str, Any] = field(default_factory=dict)
    """What is the profile's and not the job's: `{"driver.memory": "8g", "conf.spark.sql.shuffle.partitions": "64"}`."""
    problems: Sequence[Problem] = ()
    """What is wrong with the parameters; then nothing was lent."""

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
    """The submission with the profile's values, its parameters filled in, where it has none of its own."""
    values, problems = _parameter_values(profile, submission.parameters)
    filled = None if problems else _filled(profile, values, problems)
    if filled is None:
        return Profiled(submission=submission, problems=problems)
    lent: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for part, sizes in (("driver", filled.driver), ("executor", filled.executor)):
        own = getattr(submission, part)
        lendable = {} if sizes is None else sizes.model_dump(exclude_none=True)
        missing = {key: value for key, value in lendable.items() if key not in own.model_fields_set}
        changes[part] = own.model_copy(update=missing)
        lent.update({f"{part}.{key}": value for key, value in missing.items()})
    if filled.spark_version is not None and submission.spark_version is None:
        changes["spark_version"] = lent["spark_version"] = filled.spark_version
    changes["conf"] = {**filled.conf, **submission.conf}
    lent.update({f"conf.{key}": value for key, value in filled.conf.items() if key not in submission.conf})
    return Profiled(submission=submission.model_copy(update=changes), lent=lent)


def _parameter_values(profile: ProfileView, given: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """Each parameter's value, and all that is wrong with what was given."""
    known = {parameter.name: parameter for parameter in profile.parameters}
    problems = [_unknown(profile, name, value) for name, value in given.items() if name not in known]
    values = {}
    for name, parameter in known.items():
        value = given.get(name, parameter.default)
        wanted = _described("present", parameter) if value is None else parameter.refusal(value)
        if wanted is not None:
            value_shown = "absent" if value is None else shown(value)
            fix = f"give it: `{name}` of profile {profile.name}" if value is None else "change it"
            problems.append(Problem(path=f"parameters.{name}", value=value_shown, allowed=wanted, fix=fix))
        elif value is not None:
            values[name] = value
    return values, problems


def _described(wanted: str, parameter: ParameterView) -> str:
    return f"{wanted}: {parameter.description}" if parameter.description else wanted


def _unknown(profile: ProfileView, name: str, value: str) -> Problem:
    names = [parameter.name for parameter in profile.parameters]
    near = difflib.get_close_matches(name, names, n=1)
    allowed = (
        f"a parameter of profile {profile.name}: {', '.join(names)}"
        if names
        else f"absent: profile {profile.name} has no parameters"
    )
    fix = f"did you mean `{near[0]}`?" if near else "leave it out"
    return Problem(path=f"parameters.{name}", value=shown(value), allowed=allowed, fix=fix)


def _filled(profile: ProfileView, values: Mapping[str, str], problems: list[Problem]) -> ProfileView | None:
    """The profile without placeholders; None, and the reasons in `problems`, when a value doesn't fit where it stands."""

    def fill(text: object) -> object:
        return PLACEHOLDER.sub(lambda found: values[found[1]], text) if isinstance(text, str) else text

    document = profile.model_dump(exclude={"parameters"})
    document["conf"] = {key: fill(value) for key, value in profile.conf.items()}
    for part in ("driver", "executor"):
        sizes = getattr(profile, part)
        if sizes is None:
            continue
        document[part] = {key: fill(value) for key, value in sizes.model_dump().items()}
        for key in ("cores", "instances"):
            text = document[part][key]
            if isinstance(text, str) and text.isdecimal():
                document[part][key] = int(text)
    try:
        return ProfileView.model_validate(document)
    except ValidationError as error:
        names = dict(profile.placeholders())
        for problem in problems_of(error, ProfileView):
            name = names.get(problem.path, "")
            fix = f"change it; it becomes {problem.path} of profile {profile.name}"
            problems.append(replace(problem, path=f"parameters.{name}", fix=fix))
        return None
