"""What an observation means for a job: the tracker's decisions, without the tracker's hands.

Pure: job, attempt and observation in, the next change out. One change at a time, so that each is one event in the
history; the tracker looks again after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from archer import retries
from archer.backends.interface import STOPPED_FOR, Observation, Outcome, Phase, StopReason
from archer.diagnosis import diagnose, lost
from archer.model import Attempt, Category, Diagnosis, Job, JobState
from archer.store.interface import Change

Failures = Callable[[], Sequence[Category]]
"""Categories of the job's attempts before this one; asked for only when an attempt failed."""


def next_change(
    job: Job,
    attempt: Attempt,
    seen: Observation,
    *,
    now: datetime,
    actor: str,
    earlier: Failures,
    pause_seconds: float,
    top_rung: Callable[[], float] = lambda: retries.TOP_RUNG,
) -> Change | None:
    """The change that brings `job` nearer to what was seen; None when it is there."""
    verdict = _Verdict(
        job=job, attempt=attempt, now=now, actor=actor, earlier=earlier, pause_seconds=pause_seconds, top_rung=top_rung
    )
    if job.state is JobState.LOST:
        return verdict.after_loss()
    if seen.phase is Phase.ENDED and seen.outcome is not None:
        return verdict.ended(seen, seen.outcome)
    if seen.phase is Phase.VANISHED:
        return verdict.vanished(seen)
    return verdict.lives(seen)


def stop_reason(job: Job, attempt: Attempt, now: datetime) -> StopReason | None:
    """Why the attempt must be stopped now; None while it may run."""
    if job.state is JobState.CANCELLING:
        return StopReason.CANCEL
    limits = job.submission.get("timeouts", {})
    if attempt.started_at is None:
        return None
    age = now - attempt.started_at
    if _exceeded(age, limits.get("run_seconds")):
        return StopReason.RUN_TIMEOUT
    if job.state is JobState.SUBMITTED and _exceeded(age, limits.get("start_seconds")):
        return StopReason.START_TIMEOUT
    return None


_WHY: Final = {
    StopReason.RUN_TIMEOUT: "it ran for longer than `timeouts.run_seconds`",
    StopReason.START_TIMEOUT: "Spark was not up within `timeouts.start_seconds`",
    StopReason.STUCK: "it waited too long for what does not come",
}


def note_of_stop(job: Job, why: StopReason, *, now: datetime, actor: str) -> Change | None:
    """What to write down before the end is asked for; None for a kill, which the job's state says already."""
    if why not in _WHY:
        return None
    return Change(
        expect_version=job.version,
        actor=actor,
        at=now,
        message=f"its end is asked for: {_WHY[why]}",
        substate=job.substate,
        reason=job.reason,
        texts={STOPPED_FOR: why.value},
    )


def _exceeded(age: timedelta, seconds: int | None) -> bool:
    return seconds is not None and age > timedelta(seconds=seconds)


class _Verdict:
    def __init__(
        self,
        *,
        job: Job,
        attempt: Attempt,
        now: datetime,
        actor: str,
        earlier: Failures,
        pause_seconds: float,
        top_rung: Callable[[], float],
    ) -> None:
        self.job = job
        self.attempt = attempt
        self.now = now
        self.actor = actor
        self.earlier = earlier
        self.pause_seconds = pause_seconds
        self.top_rung = top_rung

    def lives(self, seen: Observation) -> Change | None:
        links = {"spark_app_id": seen.spark_app_id, "ui_url": seen.ui_url, "substate": seen.substate}
        if self.job.state is JobState.SUBMITTED and seen.phase is Phase.RUNNING:
            named = f" {seen.spark_app_id}" if seen.spark_app_id else ""
            message = f"Spark's application{named} is up"
            return self._change(to=JobState.RUNNING, message=message, **links)
        news = [name for name, value in links.items() if value is not None and getattr(self.job, name) != value]
        if news:
            return self._change(message=", ".join(f"{name} is {links[name]}" for name in news), **links)
        running = self.job.state is JobState.RUNNING and seen.phase is Phase.RUNNING
        if running and seen.substate is None and self.job.substate is not None:
            return self._change(message=f"no longer: {self.job.substate}", **links)
        return None

    def vanished(self, seen: Observation) -> Change:
        diagnosis = lost(seen.last_seen)
        if self.job.state is JobState.CANCELLING:
            return self._change(to=JobState.CANCELLED, message=f"gone after the kill: {seen.last_seen}")
        return self._change(to=JobState.LOST, message=seen.last_seen, diagnosis=diagnosis)

    def after_loss(self) -> Change:
        diagnosis = self.job.diagnosis or lost("nothing was seen")
        change = self._failed(diagnosis)
        # it is written already, with the move to LOST: once in the history is enough
        return replace(change, diagnosis=None if self.job.diagnosis else diagnosis, attempt_state=JobState.FAILED)

    def ended(self, seen: Observation, outcome: Outcome) -> Change:
        links: dict[str, Any] = {
            "spark_app_id": seen.spark_app_id,
            "exit_code": outcome.exit_code,
            "texts": outcome.texts,
        }
        if outcome.succeeded:
            late = "; the kill came too late" if self.job.state is JobState.CANCELLING else ""
            return self._change(
                to=JobState.SUCCEEDED,
                message=f"the driver ended with exit code 0{late}{outcome.note}",
                # what was not enough before is not tried first the next time
                remember_rung=self.attempt.memory_rung > 1,
                **links,
            )
        if self.job.state is JobState.CANCELLING and outcome.stopped_for == StopReason.CANCEL:
            return self._change(to=JobState.CANCELLED, message="the end is confirmed", **links)
        return self._failed(diagnose(replace(outcome.evidence, seconds_allowed=self._allowed(outcome))), **links)

    def _allowed(self, outcome: Outcome) -> int | None:
        field = "start_seconds" if outcome.stopped_for == StopReason.START_TIMEOUT else "run_seconds"
        seconds: int | None = self.job.submission.get("timeouts", {}).get(field)
        return seconds

    def _failed(self, diagnosis: Diagnosis, **links: Any) -> Change:
        decision = retries.decide(
            [*self.earlier(), diagnosis.category],
            max_attempts=self.job.max_attempts,
            memory_rung=self.attempt.memory_rung,
            first_pause_seconds=self.pause_seconds,
            top_rung=self.top_rung() if diagnosis.category in retries.MEMORY else retries.TOP_RUNG,
        )
        ended = f"attempt {self.attempt.number} failed"
        if self.job.state is JobState.CANCELLING or not decision.retry:
            why = "the job was being killed" if self.job.state is JobState.CANCELLING else decision.why
            return self._change(to=JobState.FAILED, message=f"{ended}; {why}", diagnosis=diagnosis, **links)
        return self._change(
            to=JobState.RETRY_WAIT,
            message=f"{ended}; {decision.why}",
            reason=decision.why,
            diagnosis=diagnosis,
            attempt_state=JobState.FAILED,
            retry_at=self.now + timedelta(seconds=decision.pause_seconds),
            memory_rung=decision.memory_rung,
            **links,
        )

    def _change(self, **fields: Any) -> Change:
        return Change(expect_version=self.job.version, actor=self.actor, at=self.now, **fields)
