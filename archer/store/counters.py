"""Jobs per queue and state, kept in the transaction of every change.

Counting rows would read the whole table each time a scraper or an admission rule asks.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, insert, select, update

from archer.model import JobState
from archer.store.schema import queue_counters


def count_birth(connection: Connection, queue: str, state: JobState) -> None:
    _add(connection, queue, state, 1)


def count_move(connection: Connection, queue: str, before: JobState, after: JobState) -> None:
    # in one order whichever way a job goes: two transactions that wait for each other's row would both fail
    for state, number in sorted(((before, -1), (after, 1))):
        _add(connection, queue, state, number)


def read_counters(connection: Connection) -> Mapping[tuple[str, JobState], int]:
    """`{("root.default", JobState.QUEUED): 3}`."""
    rows = connection.execute(select(queue_counters).where(queue_counters.c.jobs != 0))
    return {(row.queue, JobState(row.state)): row.jobs for row in rows}


def _add(connection: Connection, queue: str, state: JobState, number: int) -> None:
    table = queue_counters
    found = connection.execute(
        update(table).where(table.c.queue == queue, table.c.state == state.value).values(jobs=table.c.jobs + number)
    )
    if found.rowcount == 0:
        connection.execute(insert(table).values(queue=queue, state=state.value, jobs=number))
