"""Records as answers: the same job, in the shape that the API promises, secrets masked."""

from archer.api.schemas import AttemptAnswer, DiagnosisAnswer, EventAnswer, JobAnswer, Links, TokenAnswer
from archer.auth.guarded import Guarded
from archer.model import Attempt, Diagnosis, Event, Job
from archer.redaction import redact_json, redact_text
from archer.store.interface import Token


def job_answer(job: Job, service: Guarded) -> JobAnswer:
    path = f"/api/v1/jobs/{job.id}"
    return JobAnswer(
        id=job.id,
        number=job.number,
        emr_id=job.emr_id,
        name=job.name,
        team=job.team,
        queue=job.queue,
        user=job.user,
        state=job.state,
        substate=job.substate,
        reason=job.reason,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        created_at=job.created_at,
        updated_at=job.updated_at,
        queued_at=job.queued_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        duration_seconds=job.duration_seconds(service.now()),
        version=job.version,
        spark_app_id=job.spark_app_id,
        ui_url=job.ui_url,
        history_url=service.history_url(job),
        diagnosis=diagnosis_answer(job.diagnosis),
        cluster=job.cluster,
        labels=dict(job.labels),
        submission=redact_json(dict(job.submission)),
        links=Links(
            self=path,
            events=f"{path}/events",
            attempts=f"{path}/attempts",
            logs=f"{path}/logs",
            page=f"/jobs/{job.id}",
        ),
    )


def attempt_answer(attempt: Attempt) -> AttemptAnswer:
    return AttemptAnswer(
        number=attempt.number,
        name=attempt.name,
        cluster=attempt.cluster,
        state=attempt.state,
        backend_ref=attempt.backend_ref,
        created_at=attempt.created_at,
        started_at=attempt.started_at,
        finished_at=attempt.finished_at,
        exit_code=attempt.exit_code,
        spark_app_id=attempt.spark_app_id,
        diagnosis=diagnosis_answer(attempt.diagnosis),
        memory_rung=attempt.memory_rung,
        spec=redact_json(dict(attempt.spec)),
    )


def event_answer(event: Event) -> EventAnswer:
    return EventAnswer(
        id=event.id,
        job_id=event.job_id,
        at=event.at,
        kind=event.kind,
        from_state=event.from_state,
        to_state=event.to_state,
        attempt=event.attempt,
        actor=event.actor,
        message=redact_text(event.message),
    )


def diagnosis_answer(diagnosis: Diagnosis | None) -> DiagnosisAnswer | None:
    if diagnosis is None:
        return None
    return DiagnosisAnswer(
        category=diagnosis.category,
        summary=redact_text(diagnosis.summary),
        detail=redact_text(diagnosis.detail),
        resolution=diagnosis.resolution,
        exit_code=diagnosis.exit_code,
        role=diagnosis.role,
    )


def token_answer(token: Token) -> TokenAnswer:
    return TokenAnswer(
        id=token.id,
        subject=token.subject,
        roles=list(token.roles),
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
    )
