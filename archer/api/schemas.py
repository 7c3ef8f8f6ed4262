"""Shapes of the API's answers. What comes in is `archer.submission.Submission`.

Times are RFC 3339 in UTC with milliseconds. Fields may be added in later versions, never renamed.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer

from archer.model import Category, EventKind, JobState, Role


def rfc3339(moment: datetime) -> str:
    """`2026-11-23T10:00:00.000Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


Moment = Annotated[datetime, PlainSerializer(rfc3339, return_type=str)]


class Answer(BaseModel):
    """A shape that holds nothing but what it names."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class DiagnosisAnswer(Answer):
    """Why an attempt failed and what to do."""

    category: Category
    summary: str
    detail: str
    resolution: str
    exit_code: int | None
    role: Role | None
    """Whose memory, node or pod it is about, where that is known."""


class Links(Answer):
    """Where to go from here; paths on the same server."""

    self: str
    events: str
    attempts: str
    logs: str
    page: str


class JobAnswer(Answer):
    """One job."""

    id: str
    number: int
    """The same job for clients that want an integer."""
    emr_id: str
    """The same job for clients that want `[0-9a-z]+`."""
    name: str
    team: str | None
    queue: str
    user: str | None
    state: JobState
    substate: str | None
    reason: str | None
    """Why it waits."""
    attempt: int
    """The latest attempt; 0 before the first."""
    max_attempts: int
    created_at: Moment
    updated_at: Moment
    queued_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    duration_seconds: float | None
    version: int
    """Increases with every change; give it back to wait for the next one."""
    spark_app_id: str | None
    ui_url: str | None
    """Spark's own page while the job runs."""
    history_url: str | None
    """Spark's History Server, once there is something to see."""
    diagnosis: DiagnosisAnswer | None
    cluster: str | None
    """Where it runs; null until Archer has chosen."""
    labels: dict[str, str]
    submission: dict[str, Any]
    """As accepted, defaults filled in, secrets masked."""
    links: Links


class JobsAnswer(Answer):
    """One page of jobs, newest first."""

    jobs: list[JobAnswer]
    next_cursor: str | None
    """Give it back to get the next page; null on the last."""


class AttemptAnswer(Answer):
    """One try at running a job."""

    number: int
    name: str
    """Name of its object in the cluster."""
    cluster: str | None
    state: JobState
    backend_ref: str | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    exit_code: int | None
    spark_app_id: str | None
    diagnosis: DiagnosisAnswer | None
    memory_rung: float
    """Factor on the requested memory."""
    spec: dict[str, Any]
    """What was launched, secrets masked."""


class AttemptsAnswer(Answer):
    """A job's attempts, first to last."""

    attempts: list[AttemptAnswer]


class EventAnswer(Answer):
    """One entry of a job's history."""

    id: int
    """Increases over all jobs; a cursor for `after`."""
    job_id: str
    at: Moment
    kind: EventKind
    from_state: JobState | None
    to_state: JobState | None
    attempt: int | None
    actor: str
    message: str


class EventsAnswer(Answer):
    """A job's history, oldest first."""

    events: list[EventAnswer]


class LogsAnswer(Answer):
    """A piece of a log; offsets in bytes."""

    text: str
    offset: int
    next_offset: int
    """Give it back as `offset` to read on."""
    complete: bool
    """True when nothing will follow: the attempt has ended and the end has been read."""


class TokenAnswer(Answer):
    """A token, without its secret, which is nowhere kept."""

    id: str
    """For revoking it."""
    subject: str
    """The user that it stands for."""
    roles: list[str]
    """`viewer`, `submitter:<queue>`, `team:<name>`, `operator`, `admin`."""
    created_at: Moment
    expires_at: Moment | None
    """Null: never."""
    revoked_at: Moment | None
    """Null: not revoked."""


class TokensAnswer(Answer):
    """All tokens, ended ones included."""

    tokens: list[TokenAnswer]


class NewTokenAnswer(Answer):
    """A token just made."""

    secret: str
    """Shown here and never again."""
    token: TokenAnswer


class ProblemAnswer(Answer):
    """One thing wrong with the request."""

    path: str
    value: str
    allowed: str
    fix: str


class ProblemDocument(Answer):
    """Every error, as RFC 9457 `application/problem+json`."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    """For programs; never changes."""
    detail: str
    problems: list[ProblemAnswer] = []
