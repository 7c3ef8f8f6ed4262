"""Who asks: a subject, what was granted to it, and how it was proven. Pure data.

Nothing makes an identity from a request's own words alone: each comes from a token, from a trusted proxy, or from the
local door, which asks nobody and therefore stays on one machine.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from archer.errors import Problem
from archer.problems import shown

_SUBJECT = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
_QUEUE = re.compile(r"root(\.[A-Za-z0-9_-]{1,64}){0,8}")
_SUBMITTER = "submitter:"
_MEMBER = "team:"
_TEAM = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


class Proof(StrEnum):
    """How an identity was proven."""

    NONE = "none"
    """Not at all: whoever is on this machine."""
    TOKEN = "token"  # noqa: S105  # a word, no secret
    """By a token in the `Authorization` header."""
    COOKIE = "cookie"
    """By a token in the cookie of the web page."""
    PROXY = "proxy"
    """By a proxy that this server trusts."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Somebody who asks for something."""

    subject: str | None
    """The user. None only at the local door, where a submission may name any."""
    roles: frozenset[str] = frozenset()
    """`viewer`, `submitter:<queue>`, `team:<name>`, `operator`, `admin`."""
    groups: frozenset[str] = frozenset()
    """As the proxy said."""
    teams: frozenset[str] = frozenset()
    """Teams that it may act for: by a role, or because the environment names one of its groups among their submitters."""
    proof: Proof

    @property
    def actor(self) -> str:
        """Who did it, in a job's history."""
        return f"api:{self.subject or 'anonymous'}"

    @property
    def queues(self) -> frozenset[str]:
        """Queues whose subtrees it may submit to."""
        return frozenset(role.removeprefix(_SUBMITTER) for role in self.roles if role.startswith(_SUBMITTER))


def teams_of(roles: frozenset[str]) -> frozenset[str]:
    """Teams that are granted by role."""
    return frozenset(role.removeprefix(_MEMBER) for role in roles if role.startswith(_MEMBER))


ANYBODY = Identity(subject=None, proof=Proof.NONE)
"""Whoever knocks at the local door."""


def is_subject(text: str) -> bool:
    """Whether a user may be called that: what a submission's `user` may be, without blanks at its ends."""
    return _SUBJECT.fullmatch(text) is not None and text == text.strip()


def is_role(text: str) -> bool:
    """Whether there is such a role."""
    if text.startswith(_SUBMITTER):
        return _QUEUE.fullmatch(text.removeprefix(_SUBMITTER)) is not None
    if text.startswith(_MEMBER):
        return _TEAM.fullmatch(text.removeprefix(_MEMBER)) is not None
    return text in {"viewer", "operator", "admin"}


ROLE_WORDS = "viewer, submitter:<queue>, team:<name>, operator, admin"
"""What may be granted, for messages."""


def grant_problems(subject: str, roles: list[str]) -> list[Problem]:
    """All that is wrong with a grant."""
    problems = []
    if not is_subject(subject):
        allowed = "1 to 128 characters, without control characters and without blanks at the ends"
        problems.append(Problem(path="subject", value=shown(subject), allowed=allowed, fix="name the user"))
    if not roles:
        fix = "name one or more: without a role a token opens nothing"
        problems.append(Problem(path="roles", value=shown(roles), allowed=f"one or more of {ROLE_WORDS}", fix=fix))
    problems += [
        Problem(
            path="roles", value=shown(role), allowed=f"one of {ROLE_WORDS}", fix="write submitter:root.etl for a queue"
        )
        for role in roles
        if not is_role(role)
    ]
    return problems
