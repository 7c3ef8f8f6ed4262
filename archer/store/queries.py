"""Reads of jobs, attempts and events; every list is paged by a key, never by an offset."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, select, tuple_

from archer.clock import to_ms
from archer.errors import NotFoundError
from archer.ids import job_id_of
from archer.model import ACTIVE_STATES, Attempt, Event, Job, JobState
from archer.store.chunks import chunks
from archer.store.interface import JobFilter, JobPage
from archer.store.rows import to_attempt, to_event, to_job
from archer.store.schema import IS_ACTIVE, attempts, events, job_labels, jobs

_MAX_NUMBER = 2**63 - 1

_WITHOUT_SPEC: Final = tuple(column for column in attempts.c if column.name != "spec")
"""A specification is many times larger than all the rest of its attempt, and those who follow attempts don't need it."""


def find_job(connection: Connection, key: str) -> Job:
    """By job id, EMR id or number. Raises NotFoundError."""
    job_id = job_id_of(key)
    if job_id is not None:
        condition = jobs.c.id == job_id
    elif key.isascii() and key.isdigit() and len(key) <= len(str(_MAX_NUMBER)) and int(key) <= _MAX_NUMBER:
        condition = jobs.c.number == int(key)
    else:
        raise NotFoundError("job", key)
    row = connection.execute(select(jobs).where(condition)).one_or_none()
    if row is None:
        raise NotFoundError("job", key)
    return to_job(row)


def find_version(connection: Connection, job_id: str) -> int:
    version: int | None = connection.execute(select(jobs.c.version).where(jobs.c.id == job_id)).scalar_one_or_none()
    if version is None:
        raise NotFoundError("job", job_id)
    return version


def find_versions(connection: Connection, job_ids: Collection[str]) -> Mapping[str, int]:
    """By id."""
    found: dict[str, int] = {}
    for some in chunks(sorted(set(job_ids))):
        rows = connection.execute(select(jobs.c.id, jobs.c.version).where(jobs.c.id.in_(some)))
        found |= {row.id: row.version for row in rows}
    return found


def list_jobs(connection: Connection, wanted: JobFilter, *, limit: int, before: int | None) -> JobPage:
    """One page, newest first; one job more is read to know whether another page follows."""
    query = _filtered(wanted).order_by(jobs.c.number.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(jobs.c.number < before)
    found = [to_job(row) for row in connection.execute(query)]
    more = len(found) > limit
    return JobPage(jobs=found[:limit], next_before=found[limit - 1].number if more else None)


def _filtered(wanted: JobFilter) -> Select[Any]:
    query = select(jobs)
    if wanted.states:
        query = query.where(jobs.c.state.in_([state.value for state in wanted.states]))
    equal = {"name": wanted.name, "queue": wanted.queue, "user_name": wanted.user, "team": wanted.team}
    for column, value in equal.items():
        if value is not None:
            query = query.where(jobs.c[column] == value)
    for key, value in wanted.labels.items():
        label = and_(job_labels.c.job_number == jobs.c.number, job_labels.c.key == key, job_labels.c.value == value)
        query = query.where(exists().where(label))
    return query


def list_attempts(connection: Connection, job_id: str) -> Sequence[Attempt]:
    query = select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.number)
    return [to_attempt(row) for row in connection.execute(query)]


def list_events(connection: Connection, job_id: str, *, after: int, limit: int) -> Sequence[Event]:
    query = select(events).where(events.c.job_id == job_id, events.c.id > after).order_by(events.c.id).limit(limit)
    return [to_event(row) for row in connection.execute(query)]


def list_overdue(connection: Connection, clusters: Collection[str], *, now: datetime, limit: int) -> Sequence[Job]:
    query = (
        select(jobs)
        .where(
            jobs.c.cluster.in_([*clusters, ""]),
            jobs.c.state == JobState.QUEUED.value,
            jobs.c.queue_deadline <= to_ms(now),
        )
        .limit(limit)
    )
    return [to_job(row) for row in connection.execute(query)]


def list_in_states(
    connection: Connection,
    cluster: str,
    states: Collection[JobState],
    *,
    namespace: str | None,
    after: int,
    limit: int,
) -> Sequence[tuple[Job, Attempt | None]]:
    query = (
        select(jobs)
        .where(jobs.c.cluster == cluster, jobs.c.state.in_([state.value for state in states]), jobs.c.number > after)
        .order_by(jobs.c.number)
        .limit(limit)
    )
    if namespace is not None:
        query = query.where(jobs.c.namespace == namespace)
    if ACTIVE_STATES.issuperset(states):
        query = query.where(IS_ACTIVE)
    found = [to_job(row) for row in connection.execute(query)]
    return list(zip(found, _latest(connection, found, _WITHOUT_SPEC), strict=True))


def _latest(
    connection: Connection, found: Sequence[Job], columns: Sequence[ColumnElement[Any]] = tuple(attempts.c)
) -> list[Attempt | None]:
    """The latest attempt of each of the jobs."""
    of_job: dict[tuple[str, int], Attempt] = {}
    for some in chunks([(job.id, job.attempt) for job in found if job.attempt]):
        query = select(*columns).where(tuple_(attempts.c.job_id, attempts.c.number).in_(some))
        of_job |= {(row.job_id, row.number): to_attempt(row) for row in connection.execute(query)}
    return [of_job.get((job.id, job.attempt)) for job in found]


def with_latest(connection: Connection, found: Sequence[Job]) -> list[tuple[Job, Attempt]]:
    """The jobs that have an attempt, with the latest one."""
    pairs = zip(found, _latest(connection, found), strict=True)
    return [(job, attempt) for job, attempt in pairs if attempt is not None]


def find_attempts(
    connection: Connection, names: Collection[str], columns: Sequence[ColumnElement[Any]] = tuple(attempts.c)
) -> Mapping[str, Attempt]:
    """By name."""
    found: dict[str, Attempt] = {}
    for some in chunks(sorted(set(names))):
        rows = connection.execute(select(*columns).where(attempts.c.name.in_(some)))
        found |= {row.name: to_attempt(row) for row in rows}
    return found


def find_by_attempts(connection: Connection, names: Collection[str]) -> Mapping[str, tuple[Job, Attempt]]:
    """Jobs whose latest attempt has one of the names."""
    known = find_attempts(connection, names, _WITHOUT_SPEC)
    of_id: dict[str, Job] = {}
    for some in chunks(sorted({attempt.job_id for attempt in known.values()})):
        of_id |= {row.id: to_job(row) for row in connection.execute(select(jobs).where(jobs.c.id.in_(some)))}
    return {
        name: (of_id[attempt.job_id], attempt)
        for name, attempt in known.items()
        if of_id[attempt.job_id].attempt == attempt.number
    }


def count_in_states(connection: Connection, cluster: str, states: Collection[JobState]) -> int:
    words = [state.value for state in states]
    query = select(func.count()).select_from(jobs).where(jobs.c.cluster == cluster, jobs.c.state.in_(words))
    return int(connection.execute(query).scalar_one())
