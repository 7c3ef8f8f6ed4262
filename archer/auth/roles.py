"""What each standing may do: one table, and the function that reads it. Pure: no I/O, no configuration.

A standing is how an identity relates to what it asks for: by a role (viewer, operator, admin, submitter of the queue), as
the owner of the job, or as a submitter of the job's team. One that the table allows is enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from archer.auth.identity import Identity, Proof
from archer.errors import NotAllowedError
from archer.model import Job


class Verb(StrEnum):
    """What can be asked for."""

    READ = "read"
    """See a job: its state, attempts, events and submission, in the list and alone."""
    LOGS = "logs"
    """Read a job's logs."""
    SUBMIT = "submit"
    """Submit a job in one's own name."""
    SUBMIT_FOR = "submit-for"
    """Submit as a team to a queue that other teams may use too; the job gets that team's AWS role."""
    SUBMIT_AS = "submit-as"
    """Submit a job in somebody else's name."""
    KILL = "kill"
    """End a job."""
    STEER = "steer"
    """Drain a cluster, pause a queue, and open them again; forget a cluster that is gone."""
    TOKENS = "tokens"
    """Create, list and revoke tokens."""


class Standing(StrEnum):
    """How an identity relates to what it asks for."""

    VIEWER = "viewer"
    """Role `viewer`."""
    OWNER = "owner"
    """The job runs under this user's name."""
    TEAM = "team"
    """Role `team:<name>` for the job's team, or a group that is among its `submitters` in the environment file."""
    SUBMITTER = "submitter"
    """Role `submitter:<queue>` for the job's queue or one above it."""
    OPERATOR = "operator"
    """Role `operator`."""
    ADMIN = "admin"
    """Role `admin`."""


_S = Standing
_EVERYBODY = frozenset(Standing)

ALLOWED: Mapping[Verb, frozenset[Standing]] = {
    Verb.READ: _EVERYBODY,
    Verb.LOGS: _EVERYBODY,
    Verb.SUBMIT: frozenset({_S.SUBMITTER, _S.TEAM, _S.OPERATOR, _S.ADMIN}),
    Verb.SUBMIT_FOR: frozenset({_S.TEAM, _S.OPERATOR, _S.ADMIN}),
    Verb.SUBMIT_AS: frozenset({_S.OPERATOR, _S.ADMIN}),
    # to submit to a queue is not to end what others run there
    Verb.KILL: frozenset({_S.OWNER, _S.TEAM, _S.OPERATOR, _S.ADMIN}),
    Verb.STEER: frozenset({_S.OPERATOR, _S.ADMIN}),
    Verb.TOKENS: frozenset({_S.ADMIN}),
}
"""The one table."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a verb is about; nothing of it is known for verbs about the whole server."""

    queue: str | None = None
    owner: str | None = None
    team: str | None = None

    @classmethod
    def of(cls, job: Job) -> "Target":
        return cls(queue=job.queue, owner=job.user, team=job.team)


SERVER = Target()
"""The server as a whole."""


def standings(identity: Identity, target: Target) -> frozenset[Standing]:
    """All ways in which the identity relates to the target."""
    held = {Standing(role) for role in identity.roles & {"viewer", "operator", "admin"}}
    if identity.subject is not None and identity.subject == target.owner:
        held.add(_S.OWNER)
    if target.team is not None and target.team in identity.teams:
        held.add(_S.TEAM)
    queue = target.queue
    if queue is not None and any(queue == own or queue.startswith(f"{own}.") for own in identity.queues):
        held.add(_S.SUBMITTER)
    return frozenset(held)


def may(identity: Identity, verb: Verb, target: Target = SERVER) -> bool:
    """Whether the identity may do that; the local door's may do all."""
    return identity.proof is Proof.NONE or bool(standings(identity, target) & ALLOWED[verb])


def require(identity: Identity, verb: Verb, target: Target = SERVER) -> None:
    """Raise NotAllowedError, which says whom to ask, unless the identity may do that."""
    if not may(identity, verb, target):
        raise NotAllowedError(f"{identity.subject} may not {_DEED[verb]}; that takes {_needed(verb, target)}")


_DEED: Mapping[Verb, str] = {
    Verb.READ: "see this job",
    Verb.LOGS: "read this job's logs",
    Verb.SUBMIT: "submit this job",
    Verb.SUBMIT_FOR: "submit as a team to a queue of several",
    Verb.SUBMIT_AS: "submit in another user's name",
    Verb.KILL: "kill this job",
    Verb.STEER: "drain or forget clusters, or pause queues",
    Verb.TOKENS: "manage tokens",
}


def _needed(verb: Verb, target: Target) -> str:
    words = {
        _S.VIEWER: "role viewer",
        _S.OWNER: "being the job's owner",
        _S.TEAM: f"being a submitter of team {target.team}" if target.team else "",
        _S.SUBMITTER: f"role submitter:{target.queue}" if target.queue else "",
        _S.OPERATOR: "role operator",
        _S.ADMIN: "role admin",
    }
    needed = [words[standing] for standing in Standing if standing in ALLOWED[verb] and words[standing]]
    return needed[0] if len(needed) == 1 else f"{', '.join(needed[:-1])} or {needed[-1]}"
