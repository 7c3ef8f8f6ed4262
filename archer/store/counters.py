"""Jobs per queue and state, kept in the transaction of every change.

Counting rows would read the whole table each time a scraper or an admission rule asks. A transaction writes its sum of
each counter once, at its end and in one order, so that two of them neither deadlock nor wait for longer than a commit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from archer.model import JobState
from archer.store.schema import queue_counters
from archer.store.upserts import upsert


class Tally:
    """What one transaction adds to the counters and takes away."""

    def __init__(self) -> None:
        self._sums: Counter[tuple[str, JobState]] = Counter()

    def birth(self, queue: str) -> None:
        self._sums[queue, JobState.QUEUED] += 1

    def move(self, queue: str, before: JobState, after: JobState) -> None:
        self._sums[queue, before] -= 1
        self._sums[queue, after] += 1

    def end(self, queue: str, state: JobState) -> None:
        """A job is forgotten."""
        self._sums[queue, state] -= 1

    def write(self, connection: Connection) -> None:
        """The transaction's last statement."""
        rows = [
            {"queue": queue, "state": state.value, "jobs": number}
            for (queue, state), number in sorted(self._sums.items())
            if number
        ]
        upsert(connection, queue_counters, rows, add="jobs")


def read_counters(connection: Connection) -> Mapping[tuple[str, JobState], int]:
    """`{("root.default", JobState.QUEUED): 3}`."""
    rows = connection.execute(select(queue_counters).where(queue_counters.c.jobs != 0))
    return {(row.queue, JobState(row.state)): row.jobs for row in rows}


def queued_of(connection: Connection, queues: Iterable[str]) -> Mapping[str, int]:
    """QUEUED jobs of each of the queues."""
    table = queue_counters
    query = select(table.c.queue, table.c.jobs).where(
        table.c.state == JobState.QUEUED.value, table.c.queue.in_(sorted(queues))
    )
    return {row.queue: row.jobs for row in connection.execute(query)}
