"""Forgets what has served its time: finished jobs with all that belongs to them, and idempotency keys.

One small batch in a transaction of its own. Rows that somebody has locked are left for the next batch, so nobody waits.
"""

from datetime import datetime

from sqlalchemy import Connection, delete, exists, select, tuple_

from archer.clock import to_ms
from archer.model import JobState
from archer.store.counters import Tally
from archer.store.schema import IS_FINISHED, idempotency_keys, jobs


def delete_jobs(connection: Connection, *, before: datetime, limit: int) -> int:
    """How many went. A job whose idempotency key is still kept stays: the same request again must find it."""
    promised = exists().where(idempotency_keys.c.job_id == jobs.c.id)
    query = (
        select(jobs.c.number, jobs.c.queue, jobs.c.state)
        .where(IS_FINISHED, jobs.c.finished_at < to_ms(before), ~promised)
        .order_by(jobs.c.finished_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=jobs)
    )
    found = connection.execute(query).all()
    if not found:
        return 0
    # labels, attempts, events and texts go with them: foreign keys cascade
    connection.execute(delete(jobs).where(jobs.c.number.in_([row.number for row in found])))
    tally = Tally()
    for row in found:
        tally.end(row.queue, JobState(row.state))
    tally.write(connection)
    return len(found)


def delete_keys(connection: Connection, *, before: datetime, limit: int) -> int:
    keys = idempotency_keys
    old = (
        select(keys.c.scope, keys.c.key)
        .where(keys.c.created_at < to_ms(before))
        .order_by(keys.c.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [tuple(row) for row in connection.execute(old)]
    if found:
        connection.execute(delete(keys).where(tuple_(keys.c.scope, keys.c.key).in_(found)))
    return len(found)
