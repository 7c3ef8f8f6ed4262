"""What admission reads: who waits in each queue, what runs hold, and why somebody waits."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    tuple_,
    union_all,
    update,
)

from archer.clock import from_ms, to_ms
from archer.model import WAITING_STATES, Job, JobState
from archer.retries import MAX_PAUSE_SECONDS
from archer.store.chunks import chunks
from archer.store.interface import MOST_COUNTED, Usage
from archer.store.rows import to_job
from archer.store.schema import IS_ACTIVE, IS_WAITING, attempts, jobs, queue_counters, waits
from archer.store.upserts import upsert

_QUEUES_AT_ONCE = 100
"""SQLite puts at most 500 queries together."""


def list_waiting(connection: Connection, *, now: datetime, per_queue: int) -> list[Job]:
    """The first jobs of each queue, read from the index: it costs as much as is taken, not as much as waits."""
    words = [state.value for state in WAITING_STATES]
    table = queue_counters
    counted = select(table.c.queue).where(table.c.state.in_(words), table.c.jobs > 0).distinct().order_by(table.c.queue)
    found: list[Job] = []
    for queues in chunks(list(connection.execute(counted).scalars()), _QUEUES_AT_ONCE):
        firsts = [
            select(
                select(jobs)
                .where(jobs.c.queue == queue, IS_WAITING, _may_start(now))
                .order_by(jobs.c.priority.desc(), jobs.c.number)
                .limit(per_queue)
                .subquery()
            )
            for queue in queues
        ]
        found += [to_job(row) for row in connection.execute(union_all(*firsts))]
    return sorted(found, key=lambda job: (job.queue, -job.priority, job.number))


def _may_start(now: datetime) -> ColumnElement[bool]:
    """Of waiting jobs: QUEUED, or in a pause that is over."""
    # a pause longer than any: the clock was set back since it began
    over = or_(jobs.c.retry_at <= to_ms(now), jobs.c.retry_at > to_ms(now + timedelta(seconds=MAX_PAUSE_SECONDS)))
    return or_(jobs.c.state == JobState.QUEUED.value, and_(jobs.c.state == JobState.RETRY_WAIT.value, over))


def add_up_usage(connection: Connection) -> list[Usage]:
    groups = (jobs.c.queue, jobs.c.user_name, jobs.c.cluster, jobs.c.namespace)
    begun = jobs.c.state.in_([JobState.SUBMITTING.value, JobState.SUBMITTED.value])
    query = (
        select(
            *groups,
            func.count().label("jobs"),
            func.sum(case((begun, 1), else_=0)).label("unacknowledged"),
            func.sum(jobs.c.vcores).label("vcores"),
            # what admission charged: the whole job on its rung
            func.sum(jobs.c.memory_mib * jobs.c.memory_rung).label("memory_mib"),
        )
        .where(IS_ACTIVE)
        .group_by(*groups)
    )
    return [
        Usage(
            queue=row.queue,
            user=row.user_name,
            cluster=row.cluster,
            namespace=row.namespace,
            jobs=int(row.jobs),
            unacknowledged=int(row.unacknowledged),
            vcores=int(row.vcores),
            memory_mib=round(row.memory_mib),
        )
        for row in connection.execute(query)
    ]


def count_begun(connection: Connection, cluster: str, since: datetime) -> int:
    latest = and_(attempts.c.job_id == jobs.c.id, attempts.c.number == jobs.c.attempt)
    query = select(func.count()).select_from(jobs.join(attempts, latest))
    found = query.where(IS_ACTIVE, jobs.c.cluster == cluster, attempts.c.created_at > to_ms(since))
    return int(connection.execute(found).scalar_one())


def find_oldest(connection: Connection) -> dict[str, datetime]:
    """The lowest number of each queue among those that wait, by indexes alone; then those rows."""
    pausing = select(jobs.c.number).where(jobs.c.state == JobState.RETRY_WAIT.value)
    firsts = (
        select(func.min(jobs.c.number).label("number"))
        .where(IS_WAITING, jobs.c.number.not_in(pausing))
        .group_by(jobs.c.queue)
        .subquery()
    )
    query = select(jobs.c.queue, jobs.c.queued_at).join(firsts, jobs.c.number == firsts.c.number)
    return {row.queue: from_ms(row.queued_at) for row in connection.execute(query)}


def count_before(connection: Connection, job: Job) -> int:
    """QUEUED jobs of its queue that stand before it; more than MOST_COUNTED are not counted."""
    before = or_(jobs.c.priority > job.priority, and_(jobs.c.priority == job.priority, jobs.c.number < job.number))
    # a submission asks this, and a queue may be long
    some = (
        select(jobs.c.number)
        .where(jobs.c.queue == job.queue, IS_WAITING, jobs.c.state == JobState.QUEUED.value, before)
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def replace_waits(connection: Connection, wanted: Mapping[tuple[str, str | None], str]) -> None:
    """Writes what differs: it is called every second and seldom has news."""
    new = {(queue, user or ""): reason for (queue, user), reason in wanted.items()}
    known = {(row.queue, row.user_name): row.reason for row in connection.execute(select(waits))}
    for gone in chunks(sorted(known.keys() - new.keys())):
        connection.execute(delete(waits).where(tuple_(waits.c.queue, waits.c.user_name).in_(gone)))
    rows = [
        {"queue": queue, "user_name": user, "reason": reason}
        for (queue, user), reason in sorted(new.items())
        if known.get((queue, user)) != reason
    ]
    upsert(connection, waits, rows)


def read_wait(connection: Connection, queue: str, user: str | None) -> str | None:
    query = select(waits.c.user_name, waits.c.reason).where(
        waits.c.queue == queue, waits.c.user_name.in_(["", user or ""])
    )
    of_user: dict[str, str] = {row.user_name: row.reason for row in connection.execute(query)}
    return of_user.get(user or "", of_user.get(""))


def write_reasons(connection: Connection, reasons: Mapping[str, str]) -> None:
    """Of waiting jobs; one that somebody changes at this moment no longer waits for what was found."""
    changed: list[dict[str, Any]] = []
    for some in chunks(sorted(reasons)):
        query = (
            select(jobs.c.number, jobs.c.id, jobs.c.reason)
            .where(jobs.c.id.in_(some), IS_WAITING)
            .order_by(jobs.c.number)
            .with_for_update(skip_locked=True)
        )
        changed += [
            {"this_number": row.number, "new_reason": reasons[row.id]}
            for row in connection.execute(query)
            if row.reason != reasons[row.id]
        ]
    if changed:
        statement = update(jobs).where(jobs.c.number == bindparam("this_number"))
        connection.execute(statement.values(reason=bindparam("new_reason")), changed)
