"""What the database says about a run that is over: who held what at each moment, what each job came to, how fast it went."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import psycopg

from archer.model import ACTIVE_STATES, FINAL_STATES

if TYPE_CHECKING:
    from testbed.archer_load import Clients, Order
    from testbed.archer_rig import Rig

Peaks = dict[tuple[str, str], int]
"""By kind (`queue`, `user`, `namespace`) and name: the most jobs that were active at once."""

_MOVES: Final = """
    SELECT e.job_id, e.to_state, j.queue, j.user_name, j.namespace, a.cluster
    FROM events e JOIN jobs j ON j.id = e.job_id
    LEFT JOIN attempts a ON a.job_id = e.job_id AND a.number = e.attempt
    WHERE e.kind = 'state' AND e.to_state IS NOT NULL ORDER BY e.id
"""
"""Ids are handed out in the order in which admission sees ends: what it saw was written, so numbered, before it wrote."""
_ACTIVE: Final = frozenset(state.value for state in ACTIVE_STATES)
_FINAL: Final = frozenset(state.value for state in FINAL_STATES)


def peaks(rig: Rig) -> Peaks:
    """The most that each queue, user, and namespace of a cluster ever held, from the event log alone."""
    held: Counter[tuple[str, str]] = Counter()
    most: Peaks = defaultdict(int)
    active: dict[str, list[tuple[str, str]]] = {}
    with rig.connect() as connection:
        for job, state, queue, user, namespace, cluster in connection.execute(_MOVES):
            if state in _ACTIVE and job not in active:
                active[job] = [("queue", queue), ("user", user or ""), ("namespace", f"{cluster}/{namespace}")]
                for each in active[job]:
                    held[each] += 1
                    most[each] = max(most[each], held[each])
            elif state not in _ACTIVE and job in active:
                held.subtract(active.pop(job))
    return dict(most)


def most_of(found: Peaks, kind: str) -> int:
    """The largest peak of that kind."""
    return max((number for (each, _), number in found.items() if each == kind), default=0)


def ends(rig: Rig) -> dict[str, str]:
    """What each job came to, in the words of `Order.ends`."""
    query = "SELECT id, state, diagnosis->>'category' FROM jobs"
    with rig.connect() as connection:
        rows = connection.execute(query).fetchall()
    return {job: f"{state} {category}" if state == "FAILED" else state for job, state, category in rows}


def wrong_ends(rig: Rig, orders: Iterable[Order], clients: Clients) -> dict[str, tuple[str, str, str]]:
    """Jobs that are missing, or came to something else than ordered, by id: what was ordered, what was found, and its history."""
    found = ends(rig)
    wanted = {clients.accepted[order.key]: order.ends for order in orders}
    wrong = {job: end for job, end in wanted.items() if found.get(job, "lost") != end}
    return {job: (end, found.get(job, "lost"), told(rig, job)) for job, end in wrong.items()}


def told(rig: Rig, job: str) -> str:
    """A job's history, in one text."""
    query = "SELECT to_timestamp(at / 1000.0)::time, to_state, actor, message FROM events WHERE job_id = %s ORDER BY id"
    with rig.connect() as connection:
        rows = connection.execute(query, (job,)).fetchall()
    return "; ".join(f"{at} {state or ''} {actor.partition(':')[0]}: {message}" for at, state, actor, message in rows)


def attempts_of(rig: Rig) -> dict[str, list[tuple[str, str, str | None]]]:
    """Name, state and uid of each job's attempts, first to last."""
    query = "SELECT job_id, name, state, backend_ref FROM attempts ORDER BY job_id, number"
    found: dict[str, list[tuple[str, str, str | None]]] = defaultdict(list)
    with rig.connect() as connection:
        for job, *attempt in connection.execute(query):
            found[job].append((attempt[0], attempt[1], attempt[2]))
    return dict(found)


def creates_per_minute(rig: Rig) -> float:
    """Attempts written, over the time from the first to the last of them."""
    query = "SELECT count(*), max(created_at) - min(created_at) FROM attempts"
    with rig.connect() as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    number, milliseconds = row
    return float(number * 60_000 / max(1, milliseconds))


def wait_until_over(rig: Rig, jobs: int, *, seconds: float, cluster: str | None = None) -> float:
    """Wait until `jobs` jobs are there, or go to `cluster`, and all have ended; the seconds it took.

    The database may be away meanwhile.
    """
    begun = time.monotonic()
    states: Mapping[str, int] = {}
    while time.monotonic() - begun < seconds:
        try:
            states = states_of(rig, cluster)
        except psycopg.OperationalError:
            time.sleep(0.5)
            continue
        if sum(states.values()) >= jobs and not set(states) - _FINAL:
            return time.monotonic() - begun
        time.sleep(0.5)
    raise AssertionError(f"not over within {seconds:.0f} s: {dict(states)}; {stragglers(rig)}")


def states_of(rig: Rig, cluster: str | None) -> dict[str, int]:
    """Jobs by state: of one cluster, or all."""
    query = "SELECT state, count(*) FROM jobs WHERE %s::text IS NULL OR cluster = %s GROUP BY state"
    with rig.connect() as connection:
        return dict(connection.execute(query, (cluster, cluster)).fetchall())


def stragglers(rig: Rig, most: int = 5) -> list[Any]:
    """Some jobs that have not ended, and the last word about each."""
    query = """
        SELECT j.id, j.state, j.substate, j.reason, j.claim_owner, (
            SELECT e.message FROM events e WHERE e.job_id = j.id ORDER BY e.id DESC LIMIT 1)
        FROM jobs j WHERE j.finished_at IS NULL ORDER BY j.number LIMIT %s
    """
    with rig.connect() as connection:
        return connection.execute(query, (most,)).fetchall()


def left_behind(rig: Rig, only: str | None = None) -> dict[str, list[str]]:
    """What should not be in the clusters, or in one, when all jobs have ended: finalizers on pods, applications not at their end."""
    found: dict[str, list[str]] = {"finalizers": [], "applications": []}
    for name, cluster in rig.clusters.items():
        if only not in {None, name}:
            continue
        with cluster.plane.client() as client:
            for pod in client.list("v1", "Pod"):
                if pod["metadata"].get("finalizers"):
                    found["finalizers"].append(f"{name}/{pod['metadata']['name']}")
    for name, application in rig.applications():
        state = application.get("status", {}).get("applicationState", {}).get("state", "")
        if only in {None, name} and state not in {"COMPLETED", "FAILED"}:
            found["applications"].append(f"{name}/{application['metadata']['name']} {state}")
    return found


def wait_until_clean(rig: Rig, *, seconds: float, cluster: str | None = None) -> float:
    """Wait until nothing is left behind; the seconds it took."""
    begun = time.monotonic()
    while any((found := left_behind(rig, cluster)).values()):
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"left after {seconds:.0f} s: { {kind: names[:5] for kind, names in found.items()} }")
        time.sleep(0.5)
    return time.monotonic() - begun
