"""Judges a submission by the environment: is the queue a leaf, may the team use it, is there such a profile.

What the file says (`ARCHER_CONFIG`) holds at every door and for every backend alike; what a place can honour is the
backend's. Fills in what was left out and says so in the job's history; never changes what the owner wrote. A server
without a file knows one queue and no profile, and takes any team: nobody has said which there are.
"""

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from archer import features, profiles
from archer.cluster_config import ClusterConfig, TeamView
from archer.errors import Problem
from archer.problems import shown
from archer.profiles import Profiled
from archer.spark_application import asked_sizes
from archer.spark_application.bounds import bounds_of_queue, exceeded
from archer.store.interface import WaitingLimit
from archer.submission import DEFAULT_QUEUE, Submission

_LISTED: Final = 6
"""Names that a refusal lists: enough to choose from, few enough to read. Of more, the ones that look most alike."""
_NO_CONFIG: Final = "or start the server with ARCHER_CONFIG naming an archer.yaml (from `moka render ENV`) that has it"


@dataclass(frozen=True, kw_only=True)
class Admission:
    """What became of a submission."""

    profiled: Profiled
    """As it will run: the queue filled in, the profile's values under the job's own."""
    queue: str
    problems: Sequence[Problem] = ()
    """Everything that the environment forbids; empty when it may run."""
    notes: Sequence[str] = ()
    """What was filled in, for the job's history."""
    namespace: str | None = None
    """Of the team; None where there are no namespaces."""
    waiting_limits: Sequence[WaitingLimit] = ()
    """How many jobs may wait where this one wants to."""

    @property
    def submission(self) -> Submission:
        return self.profiled.submission


class Tenancy:
    """The queues, teams and profiles of one environment."""

    def __init__(self, config: ClusterConfig | None) -> None:
        self._config = config

    def admit(self, submission: Submission) -> Admission:
        """The submission as it will run, with all that is wrong with it."""
        if self._config is None:
            return _admit_without_config(submission)
        config = self._config
        queue = submission.queue or config.queues.default
        team = config.team(submission.team)
        problems = [*_team_problems(config, submission, team), *_queue_problems(config, submission, team)]
        notes = []
        if submission.queue is None:
            notes.append(f"queue {queue} is the default of environment {config.environment}; the job names none")
        profiled = Profiled(submission=submission.model_copy(update={"queue": queue}))
        profile = config.profile(submission.profile)
        if profile is not None:
            profiled = profiles.apply(profile, profiled.submission)
            problems += profiled.problems
            notes.append(profiled.note())
        elif submission.profile is not None:
            problems.append(_unknown_profile(config, submission.profile))
        lacking = features.missing(profiled.submission, config.spark_features)
        problems += map(profiled.attributed, lacking)
        if not problems:
            problems += map(profiled.attributed, _size_problems(config, profiled.submission, queue))
        return Admission(
            profiled=profiled,
            queue=queue,
            problems=problems,
            notes=notes,
            namespace=None if team is None else team.namespace,
            waiting_limits=_waiting_limits(config, queue, submission.user),
        )


def _size_problems(config: ClusterConfig, submission: Submission, queue: str) -> Iterator[Problem]:
    """What would keep the job waiting for ever. A team's quota is its clusters' to tell."""
    bounds = bounds_of_queue(config, queue, submission.user)
    return exceeded(submission, asked_sizes(submission, config), bounds)


def _waiting_limits(config: ClusterConfig, queue: str, user: str | None) -> list[WaitingLimit]:
    limits = [
        WaitingLimit(queue=view.path, most=view.max_waiting)
        for view in config.queues.tree
        if view.path == queue and view.max_waiting is not None
    ]
    of_user = config.queues.user_limit
    if user is not None and of_user is not None and of_user.max_waiting is not None:
        limits.append(WaitingLimit(user=user, most=of_user.max_waiting))
    return limits


def _admit_without_config(submission: Submission) -> Admission:
    queue = submission.queue or DEFAULT_QUEUE
    problems = []
    if queue != DEFAULT_QUEUE:
        allowed = f"`{DEFAULT_QUEUE}`, the only queue of a server that knows no environment"
        problems.append(_problem("queue", queue, allowed, f"leave it out, {_NO_CONFIG}"))
    if submission.profile is not None:
        allowed = "absent: a server that knows no environment has no profiles"
        problems.append(_problem("profile", submission.profile, allowed, f"leave it out, {_NO_CONFIG}"))
    return Admission(
        profiled=Profiled(submission=submission.model_copy(update={"queue": queue})), queue=queue, problems=problems
    )


def _team_problems(config: ClusterConfig, submission: Submission, team: TeamView | None) -> list[Problem]:
    if submission.team is None or team is not None:
        return []
    known = [team.name for team in config.teams]
    return [_unknown("team", submission.team, f"a team of environment {config.environment}", known)]


def _queue_problems(config: ClusterConfig, submission: Submission, team: TeamView | None) -> list[Problem]:
    """At most one: a queue that takes no jobs, or one that the team may not use."""
    queue = submission.queue or config.queues.default
    if queue not in config.leaves:
        below = [leaf for leaf in config.leaves if leaf.startswith(f"{queue}.")]
        if below:
            fix = f"name a leaf below it: {_some(below, queue)}"
            return [_problem("queue", queue, "a leaf of the queue tree, which alone takes jobs", fix)]
        open_to_team = [leaf for leaf in config.leaves if team is None or config.team_may_use(team, leaf)]
        what = f"a leaf of environment {config.environment}'s queue tree"
        if team is not None:
            what = f"{what} that team {team.name} may use"
        return [_unknown("queue", queue, what, open_to_team)]
    if team is None or config.team_may_use(team, queue):
        return []
    own = _some([leaf for leaf in config.leaves if config.team_may_use(team, leaf)], queue)
    allowed = f"a queue that team {team.name} may use: {own}"
    if submission.queue is None:
        fix = f"name one of them: the default, {queue}, is not for this team"
        return [Problem(path="queue", value="absent", allowed=allowed, fix=fix)]
    owners = [other.name for other in config.teams if config.team_may_use(other, queue)]
    fix = (
        f"use one of them, or ask a team that may use {queue}: {_some(owners, team.name)}"
        if owners
        else "use one of them"
    )
    return [_problem("queue", queue, allowed, fix)]


def _unknown_profile(config: ClusterConfig, name: str) -> Problem:
    known = [profile.name for profile in config.profiles]
    if not known:
        allowed = f"absent: environment {config.environment} has no profiles"
        return _problem("profile", name, allowed, "leave it out, or define it in the environment file")
    return _unknown("profile", name, f"a profile of environment {config.environment}", known)


def _unknown(path: str, value: str, what: str, known: Collection[str]) -> Problem:
    near = difflib.get_close_matches(value, sorted(known), n=1)
    fix = f"did you mean `{near[0]}`?" if near else "use one of them"
    return _problem(path, value, f"{what}: {_some(known, value)}", fix)


def _some(names: Collection[str], wanted: str) -> str:
    """All of a few names, sorted; of many, those most like `wanted` and how many more there are."""
    if len(names) <= _LISTED:
        return ", ".join(sorted(names))
    nearest = difflib.get_close_matches(wanted, sorted(names), n=_LISTED, cutoff=0.0)
    return f"{', '.join(nearest)} and {len(names) - len(nearest)} more"


def _problem(path: str, value: str, allowed: str, fix: str) -> Problem:
    return Problem(path=path, value=shown(value), allowed=allowed, fix=fix)
