"""Judges how many jobs may wait, exactly: also when several API servers add to one queue at the same moment.

Only submissions make jobs QUEUED, so they alone must take turns: on PostgreSQL each transaction locks the names that
its limits are about, in one order, before it counts (SQLite has one writer at a time anyway).
"""

from collections import Counter
from collections.abc import Sequence
from zlib import crc32

from sqlalchemy import Connection, func, select, text

from archer.errors import QueueFullError
from archer.store.counters import queued_of
from archer.store.interface import NewJob, WaitingLimit
from archer.store.schema import IS_QUEUED, jobs

_LOCKS = 0x61726368
"""Class of our advisory locks ("arch"); the second half of the lock is a hash of the name."""


class WaitingRoom:
    """How many wait where, counted under lock and kept up to date while a batch is judged."""

    def __init__(self, connection: Connection, new: Sequence[NewJob]) -> None:
        limits = [limit for one in new for limit in one.waiting_limits]
        queues = {limit.queue for limit in limits if limit.queue is not None}
        users = {limit.user for limit in limits if limit.user is not None}
        _take_turns(connection, [*(f"queue {name}" for name in queues), *(f"user {name}" for name in users)])
        self._of_queue = Counter(queued_of(connection, queues) if queues else {})
        self._of_user = Counter(_queued_of_users(connection, users) if users else {})

    def refusal(self, new: NewJob) -> QueueFullError | None:
        """Of the first limit that is reached."""
        for limit in new.waiting_limits:
            if self._number(limit) >= limit.most:
                what = f"queue {limit.queue}" if limit.queue is not None else f"user {limit.user}"
                return QueueFullError(what, limit.most)
        return None

    def _number(self, limit: WaitingLimit) -> int:
        if limit.queue is not None:
            return self._of_queue[limit.queue]
        return self._of_user[limit.user or ""]

    def enter(self, new: NewJob) -> None:
        """It waits from now on, also for the next ones of the batch."""
        self._of_queue[new.queue] += 1
        if new.user is not None:
            self._of_user[new.user] += 1


def _take_turns(connection: Connection, names: Sequence[str]) -> None:
    if connection.dialect.name == "sqlite" or not names:
        return
    # two names with one number only wait for each other without need; rows of an array come in its order
    numbers = sorted({crc32(name.encode()) - 2**31 for name in names})
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:locks, name) FROM unnest(CAST(:names AS integer[])) AS name"),
        {"locks": _LOCKS, "names": numbers},
    )


def _queued_of_users(connection: Connection, users: set[str]) -> dict[str, int]:
    query = (
        select(jobs.c.user_name, func.count().label("jobs"))
        .where(jobs.c.user_name.in_(sorted(users)), IS_QUEUED)
        .group_by(jobs.c.user_name)
    )
    return {row.user_name: row.jobs for row in connection.execute(query)}
