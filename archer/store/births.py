"""Writes a new job: idempotency key, job, labels, first events and counter in one transaction (D13)."""

from typing import Any

from sqlalchemy import Connection, insert, select

from archer.clock import to_ms
from archer.errors import IdempotencyKeyReusedError
from archer.model import EventKind, Job, JobState
from archer.store import schema
from archer.store.counters import count_birth
from archer.store.interface import IdempotencyKey, NewJob, SubmitResult
from archer.store.rows import milliseconds, to_job


def bear_job(connection: Connection, new: NewJob) -> SubmitResult:
    """The new job, or the one that its idempotency key already stands for. Raises IdempotencyKeyReusedError."""
    if new.key is not None:
        known = _job_of_key(connection, new.key)
        if known is not None:
            return SubmitResult(job=known, replayed=True)
    at = to_ms(new.at)
    number = connection.execute(
        insert(schema.jobs).values(_columns(new, at)).returning(schema.jobs.c.number)
    ).scalar_one()
    if new.labels:
        connection.execute(
            insert(schema.job_labels),
            [{"job_number": number, "key": key, "value": value} for key, value in new.labels.items()],
        )
    _write_first_events(connection, new, at)
    count_birth(connection, new.queue, JobState.QUEUED)
    if new.key is not None:
        connection.execute(
            insert(schema.idempotency_keys).values(
                scope=new.key.scope,
                key=new.key.key,
                request_hash=new.key.request_hash,
                job_id=new.id,
                created_at=at,
            )
        )
    row = connection.execute(select(schema.jobs).where(schema.jobs.c.number == number)).one()
    return SubmitResult(job=to_job(row), replayed=False)


def _columns(new: NewJob, at: int) -> dict[str, object]:
    return {
        "id": new.id,
        "emr_id": new.emr_id,
        "name": new.name,
        "team": new.team,
        "queue": new.queue,
        "user_name": new.user,
        "cluster": new.cluster or "",
        "state": JobState.QUEUED.value,
        "attempt": 0,
        "max_attempts": new.max_attempts,
        "created_at": at,
        "updated_at": at,
        "queued_at": at,
        "queue_deadline": milliseconds(new.queue_deadline),
        "reason": "waits for a slot",
        "version": 1,
        "memory_rung": 1.0,
        "labels": dict(new.labels),
        "submission": dict(new.submission),
    }


def _write_first_events(connection: Connection, new: NewJob, at: int) -> None:
    shared: dict[str, Any] = {"job_id": new.id, "at": at, "attempt": None, "actor": new.actor, "from_state": None}
    born: dict[str, Any] = {"kind": EventKind.STATE.value, "to_state": JobState.QUEUED.value, "message": "accepted"}
    notes: list[dict[str, Any]] = [
        {"kind": EventKind.NOTE.value, "to_state": None, "message": note} for note in new.notes
    ]
    connection.execute(insert(schema.events), [{**shared, **entry} for entry in (born, *notes)])


def _job_of_key(connection: Connection, key: IdempotencyKey) -> Job | None:
    keys = schema.idempotency_keys
    known = connection.execute(select(keys).where(keys.c.scope == key.scope, keys.c.key == key.key)).one_or_none()
    if known is None:
        return None
    if known.request_hash != key.request_hash:
        raise IdempotencyKeyReusedError(key.key, known.job_id)
    return to_job(connection.execute(select(schema.jobs).where(schema.jobs.c.id == known.job_id)).one())
