"""The one function that changes a job: all of it or nothing, only on the version it was decided on, only when legal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, func, select

from archer.errors import FencedOutError, IllegalMoveError, NotFoundError, StaleJobError, StoreUnavailableError
from archer.model import Category, Diagnosis, EventKind, Job, JobState
from archer.store import schema

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit

S = JobState
DIAGNOSIS = Diagnosis(category=Category.USER_ERROR, summary="s", detail="d", resolution="r", exit_code=1)


def break_the_history(kit: StoreKit) -> None:
    """Every insert of an event fails from now on."""
    if kit.database.is_sqlite:
        rules = ["CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no history today'); END"]
    else:
        body = "BEGIN RAISE EXCEPTION 'no history today'; END"
        rules = [
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            "CREATE TRIGGER broken BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION fail()",
        ]
    with kit.database.write() as connection:
        for rule in rules:
            connection.exec_driver_sql(rule)


def test_a_whole_life_is_one_event_per_move_and_one_version_each(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED, S.RUNNING, S.SUCCEEDED, exit_code=0)

    states = [event.to_state for event in kit.store.events(job.id)]
    assert states == [S.QUEUED, S.SUBMITTING, S.SUBMITTED, S.RUNNING, S.SUCCEEDED]
    assert job.version == 5
    assert job.started_at is not None
    assert job.finished_at is not None
    (attempt,) = kit.store.attempts(job.id)
    assert (attempt.state, attempt.exit_code, attempt.spec) == (S.SUCCEEDED, 0, {"n": 1})


def test_counters_follow_every_move(kit: StoreKit) -> None:
    kit.submit()
    kit.move(kit.submit(queue="root.etl"), S.SUBMITTING, S.SUBMITTED)
    kit.move(kit.submit(), S.CANCELLED)

    assert kit.store.counters() == {
        ("root.default", S.QUEUED): 1,
        ("root.etl", S.SUBMITTED): 1,
        ("root.default", S.CANCELLED): 1,
    }


def test_a_change_decided_on_an_old_version_is_refused_and_writes_nothing(kit: StoreKit) -> None:
    job = kit.submit()
    kit.move(job, S.CANCELLED)
    before = kit.store.events(job.id)

    with pytest.raises(StaleJobError, match="version 2"):
        kit.move(job, S.SUBMITTING)

    assert kit.store.job(job.id).state is S.CANCELLED
    assert kit.store.events(job.id) == before
    assert kit.store.attempts(job.id) == []


def test_a_move_that_the_table_does_not_list_is_refused_and_writes_nothing(kit: StoreKit) -> None:
    job = kit.submit()

    with pytest.raises(IllegalMoveError):
        kit.move(job, S.RUNNING)

    assert kit.store.job(job.id) == job
    assert kit.store.counters() == {("root.default", S.QUEUED): 1}


def test_an_unknown_job_is_not_found(kit: StoreKit) -> None:
    job = kit.submit()

    with pytest.raises(NotFoundError):
        kit.store.change("j-nobody", kit.change(job, S.CANCELLED))


def test_of_many_changes_on_one_version_one_wins(kit: StoreKit) -> None:
    job = kit.submit()

    def try_it(_: int) -> bool:
        try:
            kit.store.change(job.id, kit.change(job, S.CANCELLED))
        except StaleJobError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_it, range(16))) == 1


def test_a_worker_with_an_old_epoch_changes_nothing(kit: StoreKit) -> None:
    job = kit.submit()
    old = kit.store.acquire("tracker/local", "sleeper", seconds=5)
    assert old is not None
    kit.clock.advance(6)
    new = kit.store.acquire("tracker/local", "awake", seconds=5)
    assert new is not None

    with pytest.raises(FencedOutError, match="epoch 2, this worker holds 1"):
        kit.store.change(job.id, kit.change(job, S.CANCELLED), fence=old)

    assert kit.store.job(job.id) == job
    assert kit.store.change(job.id, kit.change(job, S.CANCELLED), fence=new).state is S.CANCELLED


def test_a_diagnosis_is_kept_with_job_attempt_and_history(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED, S.FAILED, diagnosis=DIAGNOSIS, exit_code=1)

    assert job.diagnosis == DIAGNOSIS
    assert kit.store.attempts(job.id)[0].diagnosis == DIAGNOSIS
    told = [event for event in kit.store.events(job.id) if event.kind is EventKind.DIAGNOSIS]
    assert [event.message for event in told] == ["user-error: s; r"]


def test_a_retry_keeps_the_first_attempts_end_and_shows_the_second_one(kit: StoreKit) -> None:
    job = kit.move(
        kit.submit(max_attempts=2),
        S.SUBMITTING,
        S.SUBMITTED,
        S.RETRY_WAIT,
        attempt_state=S.FAILED,
        diagnosis=DIAGNOSIS,
        spark_app_id="app-1",
        retry_at=kit.clock.now(),
    )
    assert job.diagnosis == DIAGNOSIS

    job = kit.move(job, S.SUBMITTING)

    assert (job.attempt, job.diagnosis, job.spark_app_id, job.retry_at) == (2, None, None, None)
    first, second = kit.store.attempts(job.id)
    assert (first.state, first.spark_app_id, second.state) == (S.FAILED, "app-1", S.SUBMITTING)
    assert first.finished_at is not None


def test_a_kill_between_two_attempts_leaves_the_first_one_as_it_ended(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED, S.RETRY_WAIT, attempt_state=S.FAILED)

    kit.move(job, S.CANCELLED)

    assert kit.store.attempts(job.id)[0].state is S.FAILED


def test_a_waiting_job_may_go_to_another_cluster_and_each_attempt_says_where_it_ran(kit: StoreKit) -> None:
    job = kit.move(kit.submit(cluster=None), S.SUBMITTING, cluster="blue")
    assert job.cluster == "blue"

    job = kit.move(job, S.SUBMITTED, S.RETRY_WAIT, attempt_state=S.FAILED)
    job = kit.move(job, S.SUBMITTING, cluster="green")

    assert job.cluster == "green"
    assert [attempt.cluster for attempt in kit.store.attempts(job.id)] == ["blue", "green"]


def test_a_job_with_an_attempt_in_a_cluster_does_not_leave_it(kit: StoreKit) -> None:
    job = kit.move(kit.submit(cluster="blue"), S.SUBMITTING, S.SUBMITTED)

    with pytest.raises(IllegalMoveError, match="SUBMITTED in cluster blue; only a waiting job may leave it"):
        kit.move(job, S.RUNNING, cluster="green")

    assert kit.store.job(job.id) == job


def test_two_moves_in_opposite_directions_touch_the_counters_in_one_order(kit: StoreKit) -> None:
    """Else each may hold the row that the other waits for."""
    job = kit.move(kit.submit(), S.SUBMITTING)
    touched: list[list[str]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("INSERT INTO queue_counters"):
            rows = parameters if isinstance(parameters, list) else [parameters]
            touched.append([row["state"] if isinstance(row, dict) else row[1] for row in rows])

    event.listen(kit.database.engine, "before_cursor_execute", note)
    job = kit.move(job, S.RETRY_WAIT)
    kit.move(job, S.SUBMITTING)

    assert touched == [["RETRY_WAIT", "SUBMITTING"], ["RETRY_WAIT", "SUBMITTING"]]


def test_a_note_changes_the_version_and_not_the_state(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED)

    noted = kit.store.change(job.id, kit.change(job, substate="image pull", ui_url="http://127.0.0.1:4040"))

    assert (noted.state, noted.substate, noted.ui_url) == (S.SUBMITTED, "image pull", "http://127.0.0.1:4040")
    assert noted.version == job.version + 1
    assert kit.store.events(job.id)[-1].kind is EventKind.NOTE


def test_a_live_page_is_forgotten_when_the_job_ends(kit: StoreKit) -> None:
    job = kit.move(kit.submit(), S.SUBMITTING, S.SUBMITTED, S.RUNNING, ui_url="http://127.0.0.1:4040")
    assert job.ui_url

    assert kit.move(job, S.SUCCEEDED).ui_url is None


def test_of_many_changes_each_gets_its_own_answer_and_the_refused_ones_write_nothing(kit: StoreKit) -> None:
    good, stale, illegal, last = [kit.submit() for _ in range(4)]
    kit.move(stale, S.CANCELLED)

    answers = kit.store.change_many(
        [
            (good.id, kit.change(good, S.SUBMITTING)),
            (stale.id, kit.change(stale, S.SUBMITTING)),
            (illegal.id, kit.change(illegal, S.RUNNING)),
            ("j-nobody", kit.change(good, S.CANCELLED)),
            (good.id, kit.change(good, S.CANCELLED)),
            (last.id, kit.change(last, S.FAILED, diagnosis=DIAGNOSIS)),
        ]
    )

    assert [getattr(answer, "state", type(answer)) for answer in answers] == [
        S.SUBMITTING,
        StaleJobError,
        IllegalMoveError,
        NotFoundError,
        StaleJobError,
        S.FAILED,
    ]
    for answer in (answers[0], answers[5]):
        assert isinstance(answer, Job)
        assert kit.store.job(answer.id) == answer
    assert kit.store.job(illegal.id) == illegal
    assert len(kit.store.events(illegal.id)) == 1
    assert kit.store.counters() == {
        ("root.default", S.SUBMITTING): 1,
        ("root.default", S.CANCELLED): 1,
        ("root.default", S.QUEUED): 1,
        ("root.default", S.FAILED): 1,
    }


def test_of_many_changes_of_a_fenced_out_worker_none_is_written(kit: StoreKit) -> None:
    jobs = [kit.submit() for _ in range(3)]
    old = kit.store.acquire("admission", "sleeper", seconds=5)
    kit.clock.advance(6)
    kit.store.acquire("admission", "awake", seconds=5)

    with pytest.raises(FencedOutError):
        kit.store.change_many([(job.id, kit.change(job, S.CANCELLED)) for job in jobs], fence=old)

    assert [kit.store.job(job.id) for job in jobs] == jobs


def test_many_changes_cost_as_many_statements_as_a_few(kit: StoreKit) -> None:
    def statements(number: int) -> int:
        jobs = [kit.submit() for _ in range(number)]
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(kit.database.engine, "before_cursor_execute", note)
        kit.move_many(jobs, S.SUBMITTING, S.SUBMITTED)
        event.remove(kit.database.engine, "before_cursor_execute", note)
        return len(seen)

    assert statements(2) == statements(40)


def test_changes_of_the_same_jobs_in_any_order_by_many_servers_do_not_fail(kit: StoreKit) -> None:
    jobs = [kit.submit(queue=f"root.q{number % 3}") for number in range(12)]
    servers = [kit.another_server() for _ in range(4)]

    def note_all(server: int) -> int:
        order = jobs[:] if server % 2 else jobs[::-1]
        done = 0
        for _ in range(5):
            wanted = [(job.id, kit.change(servers[server].job(job.id), substate=str(server))) for job in order]
            done += sum(isinstance(answer, Job) for answer in servers[server].change_many(wanted))
        return done

    with ThreadPoolExecutor(4) as pool:
        changed = sum(pool.map(note_all, range(4)))

    assert sum(kit.store.job(job.id).version - 1 for job in jobs) == changed
    for server in servers:
        server.close()


def test_when_writing_the_history_fails_nothing_of_the_change_stays(kit: StoreKit) -> None:
    job = kit.submit()
    break_the_history(kit)

    with pytest.raises(StoreUnavailableError, match="no history today"):
        kit.move(job, S.CANCELLED)

    assert kit.store.job(job.id) == job
    assert kit.store.counters() == {("root.default", S.QUEUED): 1}
    with kit.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(schema.events)).scalar_one() == 1
