"""Changes jobs: the one function through which every state change goes.

In one transaction it checks the fence, the versions and the table of legal moves, then writes the jobs, their attempts,
the queues' counters and the histories, each kind of row in one statement however many jobs there are. It decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from archer.clock import to_ms
from archer.errors import ArcherError, FencedOutError, IllegalMoveError, NotFoundError, StaleJobError
from archer.model import WAITING_STATES, EventKind, Job, JobState, check_move
from archer.store import schema
from archer.store.chunks import chunks
from archer.store.counters import Tally
from archer.store.interface import Change, Fence
from archer.store.memory_rungs import remember_rungs
from archer.store.rows import diagnosis_column, milliseconds, to_job
from archer.store.schema import fit_text
from archer.store.texts import PackedTexts, write_texts


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A change and its job, with the long texts made small before any row is locked."""

    job_id: str
    change: Change
    texts: PackedTexts


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A change that may happen, and the job as it was and will be."""

    before: Job
    change: Change
    after: dict[str, Any]
    """Columns of the job that changes may touch, all of them, so that one statement serves every change."""
    changed: Job
    texts: PackedTexts

    @property
    def attempt(self) -> int:
        """The latest attempt after the change; 0 for none."""
        number: int = self.after["attempt"]
        return number


def change_jobs(connection: Connection, wanted: Sequence[Wanted], fence: Fence | None) -> list[Job | ArcherError]:
    """An answer for each, in order; the caller's transaction commits them. Raises FencedOutError."""
    check_fence(connection, fence)
    found = _locked(connection, [one.job_id for one in wanted])
    answers: list[Job | ArcherError | None] = []
    steps: list[_Step] = []
    seen: set[str] = set()
    for one in wanted:
        try:
            steps.append(_judge(found.get(one.job_id), one, twice=one.job_id in seen))
            seen.add(one.job_id)
            answers.append(None)
        except (StaleJobError, IllegalMoveError, NotFoundError) as refusal:
            answers.append(refusal)
    if steps:
        _write(connection, steps)
    changed = iter([step.changed for step in steps])
    return [next(changed) if answer is None else answer for answer in answers]


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


def _locked(connection: Connection, job_ids: Sequence[str]) -> dict[str, Any]:
    """Rows by job id. Everybody locks jobs in the order of their numbers, so that nobody waits in a circle."""
    jobs = schema.jobs
    rows: dict[str, Any] = {}
    for some in chunks(sorted(set(job_ids))):
        query = select(jobs).where(jobs.c.id.in_(some)).order_by(jobs.c.number).with_for_update()
        rows |= {row.id: row for row in connection.execute(query)}
    return rows


def _judge(row: Any, wanted: Wanted, *, twice: bool) -> _Step:
    if row is None:
        raise NotFoundError("job", wanted.job_id)
    if twice:
        raise StaleJobError(f"job {wanted.job_id} is changed by another change of the same batch")
    before, change = to_job(row), wanted.change
    if before.version != change.expect_version:
        raise StaleJobError(
            f"job {before.id} is at version {before.version} ({before.state}), the change was decided on {change.expect_version}"
        )
    if change.cluster not in {None, before.cluster} and before.state not in WAITING_STATES:
        raise IllegalMoveError(
            f"job {before.id} is {before.state} in cluster {before.cluster}; only a waiting job may leave it"
        )
    if change.to is not None:
        check_move(before.state, change.to)
    after = {column: getattr(row, column) for column in _CHANGING} | _job_columns(before, change)
    changed = to_job(SimpleNamespace(**{**row._mapping, **after}))  # noqa: SLF001  # public, in spite of its name
    return _Step(before=before, change=change, after=after, changed=changed, texts=wanted.texts)


_CHANGING = (
    *("state", "substate", "reason", "attempt", "updated_at", "queued_at", "started_at", "finished_at", "retry_at"),
    *("claim_owner", "claim_until", "version", "spark_app_id", "ui_url", "diagnosis", "memory_rung", "cluster"),
)


def _job_columns(before: Job, change: Change) -> dict[str, Any]:
    at = to_ms(change.at)
    columns: dict[str, Any] = {
        "version": before.version + 1,
        "updated_at": at,
        "substate": fit_text(change.substate),
        "reason": fit_text(change.reason),
    }
    optional = {
        "spark_app_id": change.spark_app_id,
        "ui_url": fit_text(change.ui_url),
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
    if change.to is not None:
        columns |= {"claim_owner": None, "claim_until": None}
    if change.claim is not None:
        columns |= {"claim_owner": change.claim.owner, "claim_until": to_ms(change.claim.until)}
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


def _write(connection: Connection, steps: Sequence[_Step]) -> None:
    jobs = schema.jobs
    # by its key, with values of which every row has one: the driver sends them all at once
    connection.execute(
        update(jobs)
        .where(jobs.c.number == bindparam("this_number"))
        .values({column: bindparam(f"new_{column}", type_=jobs.c[column].type) for column in _CHANGING}),
        [
            {"this_number": step.before.number, **{f"new_{name}": value for name, value in step.after.items()}}
            for step in sorted(steps, key=lambda step: step.before.number)
        ],
    )
    _write_attempts(connection, steps)
    connection.execute(insert(schema.events), [entry for step in steps for entry in _events(step)])
    write_texts(connection, [(step.before.id, step.attempt, step.texts) for step in steps if step.texts])
    remember_rungs(connection, [(step.before, step.change.at) for step in steps if step.change.remember_rung])
    tally = Tally()
    for step in steps:
        if step.change.to is not None:
            tally.move(step.before.queue, step.before.state, step.change.to)
    tally.write(connection)


def _write_attempts(connection: Connection, steps: Sequence[_Step]) -> None:
    attempts = schema.attempts
    new = [_new_attempt(step) for step in steps if step.change.new_attempt is not None]
    if new:
        connection.execute(insert(attempts), new)
    changed = [columns for step in steps if (columns := _attempt_columns(step)) is not None]
    if not changed:
        return
    kept = {
        column: func.coalesce(bindparam(f"new_{column}", type_=attempts.c[column].type), attempts.c[column])
        for column in _ATTEMPT
    }
    here = (attempts.c.job_id == bindparam("this_job"), attempts.c.number == bindparam("this_attempt"))
    connection.execute(update(attempts).where(*here).values(kept), changed)


def _new_attempt(step: _Step) -> dict[str, Any]:
    before, change, new = step.before, step.change, step.change.new_attempt
    if new is None:
        raise AssertionError  # the caller asked for those that have one
    return {
        "job_id": before.id,
        "number": new.number,
        "name": new.name,
        "cluster": change.cluster or before.cluster,
        "state": (change.to or before.state).value,
        "created_at": to_ms(change.at),
        "memory_rung": new.memory_rung,
        "spec": dict(new.spec),
    }


_ATTEMPT = ("backend_ref", "exit_code", "spark_app_id", "ui_url", "diagnosis", "state", "started_at", "finished_at")


def _attempt_columns(step: _Step) -> dict[str, Any] | None:
    """What becomes of the latest attempt; None stands for "as it is"."""
    before, change, at = step.before, step.change, to_ms(step.change.at)
    # a job that ends while it waits ends without touching the attempt that failed before
    if change.new_attempt is not None or before.attempt == 0 or before.state in WAITING_STATES:
        return None
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
    if all(value is None for value in columns.values()):
        return None
    new = {f"new_{name}": value for name, value in columns.items()}
    return {"this_job": before.id, "this_attempt": before.attempt, **new}


def _events(step: _Step) -> list[dict[str, Any]]:
    before, change = step.before, step.change
    shared: dict[str, Any] = {
        "job_id": before.id,
        "at": to_ms(change.at),
        "attempt": step.attempt or None,
        "actor": change.actor,
        "from_state": None,
        "to_state": None,
    }
    entries: list[dict[str, Any]] = [{"kind": kind.value, "message": text} for kind, text in change.extra_events]
    if change.diagnosis is not None:
        text = f"{change.diagnosis.category}: {change.diagnosis.summary}; {change.diagnosis.resolution}"
        entries.append({"kind": EventKind.DIAGNOSIS.value, "message": text})
    if change.to is None:
        entries.append({"kind": EventKind.NOTE.value, "message": change.message})
    else:
        moved = {"from_state": before.state.value, "to_state": change.to.value}
        entries.append({"kind": EventKind.STATE.value, "message": change.message, **moved})
    return [{**shared, **entry} for entry in entries]
