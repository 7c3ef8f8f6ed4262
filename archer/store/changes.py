"""Changes a job: the one function through which every state change goes.

In one transaction it checks the fence, the version and the table of legal moves, then writes the job, its attempt, the
queue's counters and the history. It decides nothing.
"""

from typing import Any

from sqlalchemy import Connection, insert, select, update

from archer.clock import to_ms
from archer.errors import FencedOutError, IllegalMoveError, NotFoundError, StaleJobError
from archer.model import WAITING_STATES, EventKind, Job, JobState, check_move
from archer.store import schema
from archer.store.counters import count_move
from archer.store.interface import Change, Fence
from archer.store.rows import diagnosis_column, milliseconds, to_job


def change_job(connection: Connection, job_id: str, change: Change, fence: Fence | None) -> Job:
    """Apply `change`; the caller's transaction commits it. Raises as `Store.change` says."""
    check_fence(connection, fence)
    row = connection.execute(select(schema.jobs).where(schema.jobs.c.id == job_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError("job", job_id)
    before = to_job(row)
    if before.version != change.expect_version:
        raise StaleJobError(
            f"job {job_id} is at version {before.version} ({before.state}), the change was decided on {change.expect_version}"
        )
    if change.cluster not in {None, before.cluster} and before.state not in WAITING_STATES:
        raise IllegalMoveError(
            f"job {job_id} is {before.state} in cluster {before.cluster}; only a waiting job may leave it"
        )
    if change.to is not None:
        check_move(before.state, change.to)
        count_move(connection, before.queue, before.state, change.to)
    connection.execute(update(schema.jobs).where(schema.jobs.c.id == job_id).values(_job_columns(before, change)))
    _write_attempt(connection, before, change)
    _write_events(connection, before, change)
    return to_job(connection.execute(select(schema.jobs).where(schema.jobs.c.id == job_id)).one())


def check_fence(connection: Connection, fence: Fence | None) -> None:
    """Raise FencedOutError unless `fence` is the newest epoch of its lease. None: nothing to check."""
    if fence is None:
        return
    leases = schema.leases
    epoch = connection.execute(
        select(leases.c.epoch).where(leases.c.name == fence.lease).with_for_update(read=True)
    ).scalar_one_or_none()
    if epoch != fence.epoch:
        raise FencedOutError(f"lease {fence.lease!r} is at epoch {epoch}, this worker holds {fence.epoch}")


def _job_columns(before: Job, change: Change) -> dict[str, Any]:
    at = to_ms(change.at)
    columns: dict[str, Any] = {
        "version": before.version + 1,
        "updated_at": at,
        "substate": change.substate,
        "reason": change.reason,
    }
    optional = {
        "spark_app_id": change.spark_app_id,
        "ui_url": change.ui_url,
        "memory_rung": change.memory_rung,
        "cluster": change.cluster,
        "retry_at": milliseconds(change.retry_at),
    }
    columns |= {name: value for name, value in optional.items() if value is not None}
    if change.new_attempt is not None:
        # the attempt before has its own row; the job shows the present one
        columns |= {"attempt": change.new_attempt.number, "diagnosis": None, "spark_app_id": None, "ui_url": None}
    if change.diagnosis is not None:
        columns["diagnosis"] = diagnosis_column(change.diagnosis)
    if change.to is None:
        return columns
    columns["state"] = change.to.value
    if change.to in WAITING_STATES:
        columns |= {"queued_at": at, "ui_url": None}
    else:
        columns["retry_at"] = None
    if change.to is JobState.SUBMITTED and before.started_at is None:
        columns["started_at"] = at
    if change.to.final:
        columns |= {"finished_at": at, "ui_url": None}
    return columns


def _write_attempt(connection: Connection, before: Job, change: Change) -> None:
    at = to_ms(change.at)
    if change.new_attempt is not None:
        new = change.new_attempt
        connection.execute(
            insert(schema.attempts).values(
                job_id=before.id,
                number=new.number,
                name=new.name,
                cluster=change.cluster or before.cluster,
                state=(change.to or before.state).value,
                created_at=at,
                memory_rung=new.memory_rung,
                spec=dict(new.spec),
            )
        )
        return
    state = change.attempt_state or change.to
    columns: dict[str, Any] = {
        "backend_ref": change.backend_ref,
        "exit_code": change.exit_code,
        "spark_app_id": change.spark_app_id,
        "ui_url": change.ui_url,
        "diagnosis": diagnosis_column(change.diagnosis),
        "state": None if state is None else state.value,
        "started_at": at if change.to is JobState.SUBMITTED else None,
        "finished_at": at if state is not None and (state.final or state is JobState.LOST) else None,
    }
    columns = {name: value for name, value in columns.items() if value is not None}
    # a job that ends while it waits ends without touching the attempt that failed before
    if before.attempt == 0 or not columns or before.state in WAITING_STATES:
        return
    attempts = schema.attempts
    connection.execute(
        update(attempts).where(attempts.c.job_id == before.id, attempts.c.number == before.attempt).values(columns)
    )


def _write_events(connection: Connection, before: Job, change: Change) -> None:
    attempt = change.new_attempt.number if change.new_attempt else before.attempt or None
    shared: dict[str, Any] = {"job_id": before.id, "at": to_ms(change.at), "attempt": attempt, "actor": change.actor}
    entries = [(kind, text, None, None) for kind, text in change.extra_events]
    if change.diagnosis is not None:
        text = f"{change.diagnosis.category}: {change.diagnosis.summary}; {change.diagnosis.resolution}"
        entries.append((EventKind.DIAGNOSIS, text, None, None))
    if change.to is not None:
        entries.append((EventKind.STATE, change.message, before.state.value, change.to.value))  # type: ignore[arg-type]  # strings
    else:
        entries.append((EventKind.NOTE, change.message, None, None))
    connection.execute(
        insert(schema.events),
        [
            {**shared, "kind": kind.value, "message": text, "from_state": source, "to_state": target}
            for kind, text, source, target in entries
        ],
    )
