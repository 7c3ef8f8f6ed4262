"""Writes new jobs: idempotency keys, jobs, labels, first events and counters in one transaction (D13).

Many at once cost hardly more than one: each kind of row is one statement. What is refused is refused before anything is
written, so it spoils nothing for the others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, tuple_

from archer.clock import to_ms
from archer.errors import ArcherError, IdempotencyKeyReusedError
from archer.model import EventKind, Job, JobState
from archer.store import schema
from archer.store.counters import Tally
from archer.store.interface import WAITS_FOR_ITS_TURN, IdempotencyKey, NewJob, SubmitResult
from archer.store.rows import milliseconds, to_job
from archer.store.waiting_limits import WaitingRoom


def bear_jobs(connection: Connection, new: Sequence[NewJob]) -> list[SubmitResult | ArcherError]:
    """An answer for each, in order: the new job, or the one that its key or its id already stands for, or a refusal."""
    # before anything is read: what is read stays true until the commit
    room = WaitingRoom(connection, new)
    known = _Known(connection, new)
    answers: list[SubmitResult | ArcherError | None] = []
    born: dict[str, NewJob] = {}
    repeated: dict[int, tuple[str, bool]] = {}
    for place, one in enumerate(new):
        answer = known.answer(one)
        if answer is None and one.id in born:
            repeated[place] = (one.id, False)
        elif answer is None and one.key is not None and (twin := known.twin(one.key)) is not None:
            if twin.request_hash == one.key.request_hash:
                repeated[place] = (twin.job_id, True)
            else:
                answer = IdempotencyKeyReusedError(one.key.key, twin.job_id)
        elif answer is None:
            answer = room.refusal(one)
            if answer is None:
                room.enter(one)
                known.remember(one)
                born[one.id] = one
        answers.append(answer)
    made = _write(connection, list(born.values()))
    for place, one in enumerate(new):
        if answers[place] is None:
            job_id, replayed = repeated.get(place, (one.id, False))
            answers[place] = SubmitResult(job=made[job_id], replayed=replayed)
    return [answer for answer in answers if answer is not None]


class _Twin:
    def __init__(self, request_hash: str, job_id: str) -> None:
        self.request_hash = request_hash
        self.job_id = job_id


class _Known:
    """Keys and jobs that are in the database already, and keys of this batch."""

    def __init__(self, connection: Connection, new: Sequence[NewJob]) -> None:
        keys = schema.idempotency_keys
        wanted = sorted({(one.key.scope, one.key.key) for one in new if one.key is not None})
        self._keys: dict[tuple[str, str], _Twin] = {}
        if wanted:
            query = select(keys).where(tuple_(keys.c.scope, keys.c.key).in_(wanted))
            self._keys = {
                (row.scope, row.key): _Twin(row.request_hash, row.job_id) for row in connection.execute(query)
            }
        self._here: dict[tuple[str, str], _Twin] = {}
        ids = {one.id for one in new} | {twin.job_id for twin in self._keys.values()}
        rows = connection.execute(select(schema.jobs).where(schema.jobs.c.id.in_(sorted(ids))))
        self._jobs: Mapping[str, Job] = {row.id: to_job(row) for row in rows}

    def answer(self, new: NewJob) -> SubmitResult | ArcherError | None:
        """None for a job that is really new."""
        if new.id in self._jobs:
            # the answer to this very submission was lost
            return SubmitResult(job=self._jobs[new.id], replayed=False)
        twin = None if new.key is None else self._keys.get((new.key.scope, new.key.key))
        if new.key is None or twin is None:
            return None
        if twin.request_hash != new.key.request_hash:
            return IdempotencyKeyReusedError(new.key.key, twin.job_id)
        return SubmitResult(job=self._jobs[twin.job_id], replayed=True)

    def twin(self, key: IdempotencyKey) -> _Twin | None:
        """A job of this batch with the same key."""
        return self._here.get((key.scope, key.key))

    def remember(self, new: NewJob) -> None:
        if new.key is not None:
            self._here[new.key.scope, new.key.key] = _Twin(new.key.request_hash, new.id)


def _write(connection: Connection, new: Sequence[NewJob]) -> Mapping[str, Job]:
    """The jobs by id, numbered in the order given."""
    if not new:
        return {}
    jobs = schema.jobs
    rows = connection.execute(
        insert(jobs).returning(jobs, sort_by_parameter_order=True), [_columns(one, to_ms(one.at)) for one in new]
    )
    made = {row.id: to_job(row) for row in rows}
    labels = [
        {"job_number": made[one.id].number, "key": key, "value": value}
        for one in new
        for key, value in one.labels.items()
    ]
    if labels:
        connection.execute(insert(schema.job_labels), labels)
    connection.execute(insert(schema.events), [entry for one in new for entry in _first_events(one, to_ms(one.at))])
    # in one order: two servers that insert the same keys wait for each other one way round
    keys = sorted(
        (
            {
                "scope": one.key.scope,
                "key": one.key.key,
                "request_hash": one.key.request_hash,
                "job_id": one.id,
                "created_at": to_ms(one.at),
            }
            for one in new
            if one.key is not None
        ),
        key=lambda row: (row["scope"], row["key"]),
    )
    if keys:
        connection.execute(insert(schema.idempotency_keys), keys)
    tally = Tally()
    for one in new:
        tally.birth(one.queue)
    tally.write(connection)
    return made


def _columns(new: NewJob, at: int) -> dict[str, object]:
    return {
        "id": new.id,
        "emr_id": new.emr_id,
        "name": new.name,
        "team": new.team,
        "queue": new.queue,
        "user_name": new.user,
        "cluster": new.cluster or "",
        "namespace": new.namespace,
        "priority": new.priority,
        "vcores": new.vcores,
        "memory_mib": new.memory_mib,
        "state": JobState.QUEUED.value,
        "attempt": 0,
        "max_attempts": new.max_attempts,
        "created_at": at,
        "updated_at": at,
        "queued_at": at,
        "queue_deadline": milliseconds(new.queue_deadline),
        "reason": WAITS_FOR_ITS_TURN,
        "version": 1,
        "memory_rung": 1.0,
        "labels": dict(new.labels),
        "submission": dict(new.submission),
    }


def _first_events(new: NewJob, at: int) -> list[dict[str, Any]]:
    shared: dict[str, Any] = {"job_id": new.id, "at": at, "attempt": None, "actor": new.actor, "from_state": None}
    born: dict[str, Any] = {"kind": EventKind.STATE.value, "to_state": JobState.QUEUED.value, "message": "accepted"}
    notes: list[dict[str, Any]] = [
        {"kind": EventKind.NOTE.value, "to_state": None, "message": note} for note in new.notes
    ]
    return [{**shared, **entry} for entry in (born, *notes)]
