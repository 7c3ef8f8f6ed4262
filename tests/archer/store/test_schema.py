"""What is asked all the time is found by an index, however many jobs have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from archer.model import ACTIVE_STATES, FINAL_STATES, WAITING_STATES, JobState
from archer.store import schema
from archer.store.interface import JobFilter, WaitingLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.archer.store.conftest import StoreKit

S = JobState

ASKED: dict[str, Callable[[StoreKit], Any]] = {
    "waiting": lambda kit: kit.store.waiting(now=kit.clock.now(), per_queue=5),
    "overdue": lambda kit: kit.store.overdue(["east", "local"], now=kit.clock.now(), limit=5),
    "usage": lambda kit: kit.store.usage(),
    "begun_since": lambda kit: kit.store.begun_since("local", kit.clock.now()),
    "oldest_queued": lambda kit: kit.store.oldest_queued(),
    "standing": lambda kit: kit.store.standing(kit.store.job("1")),
    "unclaimed": lambda kit: kit.store.unclaimed("local", owner="o", now=kit.clock.now(), seconds=1, limit=5),
    "in_states": lambda kit: kit.store.in_states("local", [S.RUNNING, S.LOST], namespace="spark-a"),
    "by_attempts": lambda kit: kit.store.by_attempts([kit.store.attempts(kit.store.job("2").id)[0].name]),
    "versions": lambda kit: kit.store.versions([kit.store.job("1").id, kit.store.job("2").id]),
    "limits": lambda kit: kit.submit(waiting_limits=[WaitingLimit(most=9, user="ada")]),
    "prune_jobs": lambda kit: kit.store.prune_jobs(before=kit.clock.now()),
    "change": lambda kit: kit.store.change(kit.store.job("2").id, kit.change(kit.store.job("2"), substate="x")),
}


@pytest.fixture
def postgresql_url(unused_postgresql_url: str) -> str:
    """Plans follow the sizes of tables and of indexes."""
    return unused_postgresql_url


def plans(kit: StoreKit, ask: Callable[[StoreKit], Any]) -> list[str]:
    """How the database would run each statement on tables of a size at which reading all of one is no choice."""
    seen: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "INSERT")) and "advisory" not in statement:
            seen[statement] = parameters[0] if isinstance(parameters, list) else parameters

    event.listen(kit.database.engine, "before_cursor_execute", note)
    ask(kit)
    event.remove(kit.database.engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if kit.database.is_sqlite else "EXPLAIN "
    found = []
    with kit.database.write() as connection:
        if not kit.database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, parameters in seen.items():
            rows = connection.exec_driver_sql(explain + statement, parameters)
            found.append("\n".join(str(row[-1]) for row in rows))
    return found


@pytest.mark.parametrize("name", ASKED)
def test_no_question_reads_a_whole_table(kit: StoreKit, name: str) -> None:
    kit.submit()
    kit.move(kit.submit(namespace="spark-a"), S.SUBMITTING)

    found = plans(kit, ASKED[name])

    assert found
    for plan in found:
        for table in ("jobs", "attempts", "events", "idempotency_keys"):
            assert f"Seq Scan on {table}" not in plan, plan
            # an index with the states' condition holds few rows; another one as many as the table
            scanned = [line for line in plan.splitlines() if line.startswith(f"SCAN {table}")]
            assert all("USING" in line and "ix_jobs_" in line for line in scanned), plan


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (JobFilter(states=frozenset({S.RUNNING})), "ix_jobs_state_number"),
        (JobFilter(name="nightly"), "ix_jobs_name_number"),
        (JobFilter(queue="root.nightly"), "ix_jobs_queue_number"),
        (JobFilter(user="ada"), "ix_jobs_user_name_number"),
        (JobFilter(team="ads"), "ix_jobs_team_number"),
    ],
    ids=["state", "name", "queue", "user", "team"],
)
def test_each_filter_of_the_list_of_jobs_has_its_index(kit: StoreKit, wanted: JobFilter, index: str) -> None:
    kit.store.submit_many([kit.new_job(name="hourly", queue="root.hourly", user="eve", team="ml") for _ in range(200)])
    if not kit.database.is_sqlite:
        with kit.database.write() as connection:
            connection.exec_driver_sql("ANALYZE jobs")

    (plan,) = plans(kit, lambda kit: kit.store.jobs(wanted, limit=50))

    assert index in plan


def test_the_conditions_of_partial_indexes_name_the_states_that_the_model_does() -> None:
    def named(condition: Any) -> set[str]:
        return {state for state in JobState if f"'{state}'" in str(condition)}

    assert named(schema.IS_WAITING) == WAITING_STATES
    assert named(schema.IS_ACTIVE) == ACTIVE_STATES
    assert not named(schema.IS_ACTIVE) & FINAL_STATES
    assert named(schema.IS_QUEUED) == {S.QUEUED}
    assert named(schema.IS_SUBMITTING) == {S.SUBMITTING}
