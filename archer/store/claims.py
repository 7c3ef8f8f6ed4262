"""Claims: whose it is to create an attempt in its cluster. One that is over is anybody's, and each is given to one."""

from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from archer.clock import to_ms
from archer.model import Attempt, Job
from archer.store.queries import with_latest
from archer.store.rows import to_job
from archer.store.schema import IS_SUBMITTING, jobs

LONGEST_CLAIM_MS = 3_600_000
"""A claim that ends later than this was made before the clock was set back."""


def claim_unclaimed(
    connection: Connection, cluster: str, *, owner: str, now: datetime, seconds: float, limit: int
) -> list[tuple[Job, Attempt]]:
    """Rows that another dispatcher has locked are passed over; SQLite has one writer at a time and locks no rows."""
    now_ms = to_ms(now)
    over = or_(
        jobs.c.claim_until.is_(None), jobs.c.claim_until <= now_ms, jobs.c.claim_until > now_ms + LONGEST_CLAIM_MS
    )
    query = (
        select(jobs)
        .where(jobs.c.cluster == cluster, IS_SUBMITTING, over)
        .order_by(jobs.c.number)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [to_job(row) for row in connection.execute(query)]
    if found:
        # neither a version nor an event: the job is where it was
        connection.execute(
            update(jobs)
            .where(jobs.c.number.in_([job.number for job in found]))
            .values(claim_owner=owner, claim_until=now_ms + int(seconds * 1000))
        )
    return with_latest(connection, found)
