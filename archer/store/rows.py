"""Rows to records and back; the only place that knows how a moment or a diagnosis looks in a column."""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from archer.clock import from_ms, to_ms
from archer.model import Attempt, Diagnosis, Event, EventKind, Job, JobState


def moment(value: int | None) -> datetime | None:
    return None if value is None else from_ms(value)


def milliseconds(value: datetime | None) -> int | None:
    return None if value is None else to_ms(value)


def diagnosis_column(value: Diagnosis | None) -> Mapping[str, Any] | None:
    return None if value is None else value.as_json()


def _diagnosis(value: Mapping[str, Any] | None) -> Diagnosis | None:
    return None if value is None else Diagnosis.from_json(value)


def to_job(row: Row[Any] | SimpleNamespace) -> Job:
    """From all columns of `jobs`."""
    return Job(
        id=row.id,
        number=row.number,
        emr_id=row.emr_id,
        name=row.name,
        team=row.team,
        queue=row.queue,
        user=row.user_name,
        cluster=row.cluster or None,
        namespace=row.namespace,
        priority=row.priority,
        vcores=row.vcores,
        memory_mib=row.memory_mib,
        state=JobState(row.state),
        substate=row.substate,
        reason=row.reason,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        created_at=from_ms(row.created_at),
        updated_at=from_ms(row.updated_at),
        queued_at=from_ms(row.queued_at),
        started_at=moment(row.started_at),
        finished_at=moment(row.finished_at),
        retry_at=moment(row.retry_at),
        version=row.version,
        spark_app_id=row.spark_app_id,
        ui_url=row.ui_url,
        diagnosis=_diagnosis(row.diagnosis),
        memory_rung=row.memory_rung,
        labels=row.labels,
        submission=row.submission,
    )


def to_attempt(row: Row[Any]) -> Attempt:
    """From all columns of `attempts`; `spec` may be left out."""
    return Attempt(
        job_id=row.job_id,
        number=row.number,
        name=row.name,
        cluster=row.cluster,
        state=JobState(row.state),
        backend_ref=row.backend_ref,
        created_at=from_ms(row.created_at),
        started_at=moment(row.started_at),
        finished_at=moment(row.finished_at),
        exit_code=row.exit_code,
        spark_app_id=row.spark_app_id,
        ui_url=row.ui_url,
        diagnosis=_diagnosis(row.diagnosis),
        memory_rung=row.memory_rung,
        spec=getattr(row, "spec", {}),
    )


def to_event(row: Row[Any]) -> Event:
    """From all columns of `events`."""
    return Event(
        id=row.id,
        job_id=row.job_id,
        at=from_ms(row.at),
        kind=EventKind(row.kind),
        from_state=None if row.from_state is None else JobState(row.from_state),
        to_state=None if row.to_state is None else JobState(row.to_state),
        attempt=row.attempt,
        actor=row.actor,
        message=row.message,
    )
