"""What a launcher has in hand, what became of a create, and the change of the job that follows from it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from archer import retries
from archer.errors import BackendUnavailableError, LaunchRefusedError
from archer.model import Category, Diagnosis, Job, JobState
from archer.store.interface import Change, Claim


@dataclass(kw_only=True)
class Held:
    """An attempt in hand."""

    job: Job
    name: str
    spec: Mapping[str, Any]
    until: datetime
    read_at: datetime
    """When the job was known to be as it is here."""
    tries: int = 0
    round: int = 0
    """Of its launcher, in which it was tried last."""
    after: datetime | None = None
    """Not to be tried before."""
    trouble_since: datetime | None = None
    tried_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one create."""

    held: Held
    reference: str | None = None
    error: BaseException | None = None
    lapsed: bool = False
    """Nothing was sent: the claim is about to end, or the job changed."""
    seconds: float | None = None


def change_for(
    result: Result,
    *,
    actor: str,
    at: datetime,
    claim: Claim,
    earlier: Callable[[], Sequence[Category]] = tuple,
    pause_seconds: float = 5.0,
) -> Change | None:
    """What to write down of a create; None where that is nothing. `claim` goes on with a job that is tried again.

    `earlier`: why the attempts before failed, asked for when this one is refused. `pause_seconds`: before a second one.
    """
    job, error = result.held.job, result.error
    if result.reference is not None:
        return Change(
            expect_version=job.version,
            actor=actor,
            at=at,
            to=JobState.SUBMITTED,
            message=f"attempt {result.held.name} exists: {result.reference}",
            backend_ref=result.reference,
        )
    if isinstance(error, LaunchRefusedError):
        return _refused(job, error, earlier(), actor=actor, at=at, pause_seconds=pause_seconds)
    trouble = f"start is being tried again: {error}"
    if not isinstance(error, BackendUnavailableError) or job.substate == trouble:
        return None
    return Change(expect_version=job.version, actor=actor, at=at, message=trouble, substate=trouble, claim=claim)


def _refused(
    job: Job, error: LaunchRefusedError, earlier: Sequence[Category], *, actor: str, at: datetime, pause_seconds: float
) -> Change:
    """The end, or another attempt where the category says that there may be room later."""
    diagnosis = refusal(error)
    decision = retries.decide(
        [*earlier, diagnosis.category],
        max_attempts=job.max_attempts,
        memory_rung=job.memory_rung,
        first_pause_seconds=pause_seconds,
    )
    return Change(
        expect_version=job.version,
        actor=actor,
        at=at,
        to=JobState.RETRY_WAIT if decision.retry else JobState.FAILED,
        message=f"could not be started; {decision.why}" if decision.retry else "could not be started",
        attempt_state=JobState.FAILED,
        retry_at=at + timedelta(seconds=decision.pause_seconds) if decision.retry else None,
        reason=decision.why if decision.retry else None,
        diagnosis=diagnosis,
    )


def refusal(error: LaunchRefusedError) -> Diagnosis:
    """Why an attempt can't be started."""
    return Diagnosis(
        category=Category(error.category), summary=error.summary, detail=error.detail, resolution=error.resolution
    )


def elsewhere(held: Held, cluster: str, seconds: float, *, actor: str, at: datetime) -> Change:
    """Lets a job wait again that the cluster did not take within `seconds`, and that certainly isn't there."""
    summary = f"cluster {cluster} did not take the application within {seconds:g} s"
    return Change(
        expect_version=held.job.version,
        actor=actor,
        at=at,
        to=JobState.RETRY_WAIT,
        message=f"{summary}; it isn't there, so the job may go elsewhere",
        attempt_state=JobState.FAILED,
        retry_at=at,
        diagnosis=Diagnosis(
            # what its tracker stops, should it come late after all
            category=Category.LOST,
            summary=summary,
            detail=held.job.substate or "",
            resolution="nothing to do: another attempt follows, in whatever cluster takes it",
        ),
    )
