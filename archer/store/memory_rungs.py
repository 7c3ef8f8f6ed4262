"""Which rung of the memory ladder worked last, by team and job name: the next run begins there (D16)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, tuple_

from archer.clock import to_ms
from archer.model import Job
from archer.store.chunks import chunks
from archer.store.schema import attempts, memory_rungs
from archer.store.upserts import upsert

FIRST_RUNG = 1.0


def remember_rungs(connection: Connection, worked: Sequence[tuple[Job, datetime]]) -> None:
    """The latest attempt of each job worked. Writes only what is news: most jobs run again as they did before."""
    if not worked:
        return
    latest = [(job.id, job.attempt) for job, _ in worked]
    ran = select(attempts.c.job_id, attempts.c.memory_rung).where(
        tuple_(attempts.c.job_id, attempts.c.number).in_(latest)
    )
    rung_of = {row.job_id: row.memory_rung for row in connection.execute(ran)}
    wanted = {(job.team or "", job.name): (rung_of[job.id], to_ms(at)) for job, at in worked if job.id in rung_of}
    known = _read(connection, sorted(wanted))
    rows = [
        {"team": team, "name": name, "rung": rung, "at": at}
        for (team, name), (rung, at) in sorted(wanted.items())
        if rung != known.get((team, name), FIRST_RUNG)
    ]
    upsert(connection, memory_rungs, rows)


def read_rungs(
    connection: Connection, of: Collection[tuple[str | None, str]]
) -> Mapping[tuple[str | None, str], float]:
    """Of these teams' jobs of these names, where one is known."""
    known = _read(connection, sorted({(team or "", name) for team, name in of}))
    return {(team or None, name): rung for (team, name), rung in known.items()}


def _read(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    table = memory_rungs
    found: dict[tuple[str, str], float] = {}
    for some in chunks(keys):
        query = select(table).where(tuple_(table.c.team, table.c.name).in_(some))
        found |= {(row.team, row.name): row.rung for row in connection.execute(query)}
    return found
