"""Bad input and bad times, each with its status, its code and what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from archer.cluster_config import ClusterConfig
from archer.model import JobState
from testbed.archer_builders import make_cluster_config
from tests.archer.api.conftest import Door

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

JOBS = "/api/v1/jobs"


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]
    assert "Traceback" not in answer.text
    return body


def nothing_was_written(door: Door) -> bool:
    with door.database.read() as connection:
        return [
            connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in ("jobs", "events")
        ] == [
            0,
            0,
        ]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"{'name': 1}",
        b'{"name": "a",}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'"text" "text"',
    ],
)
def test_a_body_that_is_not_json_is_malformed(door: Door, body: bytes) -> None:
    found = problem(door.post(JOBS, body), 400, "malformed-json")

    assert "send one JSON object" in found["detail"]
    assert nothing_was_written(door)


@pytest.mark.parametrize("body", [[], "text", 7, None, True])
def test_json_that_is_no_object_is_an_invalid_submission(door: Door, body: Any) -> None:
    content = json.dumps(body).encode()

    found = problem(door.post(JOBS, content), 422, "invalid-submission")

    assert found["problems"][0]["path"] == "(document)"


def test_unknown_fields_are_refused_with_the_name_that_was_meant(door: Door) -> None:
    found = problem(door.post(JOBS, door.body(executer={}, driver={"mem": "1g"})), 422, "invalid-submission")

    assert {item["path"]: item["fix"] for item in found["problems"]} == {
        "executer": "did you mean `executor`?",
        "driver.mem": "did you mean `memory`?",
    }
    assert nothing_was_written(door)


def test_all_problems_are_told_at_once_with_path_value_allowed_and_fix(door: Door) -> None:
    found = problem(
        door.post(JOBS, {"application": {"file": "x.py"}, "retry": {"max_attempts": 0}}), 422, "invalid-submission"
    )

    assert {item["path"] for item in found["problems"]} == {"name", "application.file", "retry.max_attempts"}
    assert all(set(item) == {"path", "value", "allowed", "fix"} and all(item.values()) for item in found["problems"])
    assert found["detail"].startswith("3 problems, the first: ")


def test_an_application_file_that_does_not_exist_is_refused_at_the_door(door: Door) -> None:
    found = problem(door.post(JOBS, door.body(application={"file": "/no/such/report.py"})), 422, "invalid-submission")

    assert found["problems"] == [
        {
            "path": "application.file",
            "value": '"/no/such/report.py"',
            "allowed": "a file that the server can read",
            "fix": "create it, or correct the path",
        }
    ]
    assert nothing_was_written(door)


def test_an_idempotency_key_reused_with_another_body_is_a_conflict(door: Door) -> None:
    first = door.post(JOBS, door.body(), {"Idempotency-Key": "k"}).json()

    found = problem(door.post(JOBS, door.body(user="grace"), {"Idempotency-Key": "k"}), 409, "idempotency-key-reused")

    assert first["id"] in found["detail"]
    assert len(door.get(JOBS).json()["jobs"]) == 1


def test_two_different_keys_in_one_request_are_refused(door: Door) -> None:
    answer = door.post(JOBS, door.body(idempotency_key="a"), {"Idempotency-Key": "b"})

    problem(answer, 400, "idempotency-key-mismatch")
    assert nothing_was_written(door)


@pytest.mark.parametrize("key", ["", "with space", "x" * 256])
def test_a_key_that_can_not_be_one_is_refused(door: Door, key: str) -> None:
    found = problem(door.post(JOBS, door.body(), {"Idempotency-Key": key}), 422, "invalid-submission")

    assert found["problems"][0]["path"] == "idempotency-key"


@pytest.mark.parametrize("path", ["", "/events", "/attempts", "/logs", "?wait_seconds=1"])
@pytest.mark.parametrize("job_id", ["j-01m859fwfddstqp1h5f85fkkjm", "17", "nobody", "%00", "..%2f..%2fetc"])
def test_an_unknown_job_is_not_found(door: Door, job_id: str, path: str) -> None:
    answer = door.get(f"{JOBS}/{job_id}{path}")

    if "%2f" in job_id:
        assert answer.status_code == 404
    else:
        assert "archer list" in problem(answer, 404, "job-not-found")["detail"]


def test_killing_an_unknown_job_is_not_found(door: Door) -> None:
    problem(door.post(f"{JOBS}/17/kill", {}), 404, "job-not-found")


def test_an_unknown_attempt_is_not_found(door: Door) -> None:
    job = door.submit()

    problem(door.get(f"{JOBS}/{job.id}/logs?attempt=3"), 404, "attempt-not-found")


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("state=SLEEPING", "state.0"),
        ("cursor=nonsense", "cursor"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=many", "limit"),
        ("label=novalue", "label.0"),
        ("sate=RUNNING", "sate"),
    ],
)
def test_a_query_that_can_not_be_meant_is_refused(door: Door, query: str, path: str) -> None:
    found = problem(door.get(f"{JOBS}?{query}"), 422, "invalid-query")

    assert [item["path"] for item in found["problems"]] == [path]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("?sate=RUNNING", "did you mean `state`?"),
        ("/{id}?wait_second=1", "did you mean `wait_seconds`?"),
        ("/{id}/events?before=1", "`before` must be one of after, limit, got"),
        ("/{id}/logs?lines=1", "stream, tail, got"),
    ],
)
def test_a_query_parameter_that_there_is_not_is_told_with_those_that_there_are(
    door: Door, path: str, said: str
) -> None:
    found = problem(door.get(JOBS + path.format(id=door.submit().id)), 422, "invalid-query")

    assert said in found["detail"]


@pytest.mark.parametrize("query", ["offset=-1", "tail=-1", "attempt=0", "stream=stderr", "limit_bytes=1", "follow=1"])
def test_a_log_query_that_can_not_be_meant_is_refused(door: Door, query: str) -> None:
    job = door.submit()

    found = problem(door.get(f"{JOBS}/{job.id}/logs?{query}"), 422, "invalid-query")

    assert [item["path"] for item in found["problems"]] == [query.partition("=")[0]]


def test_offset_and_tail_exclude_each_other(door: Door) -> None:
    job = door.submit()

    problem(door.get(f"{JOBS}/{job.id}/logs?offset=1&tail=1"), 422, "invalid-query")


@pytest.mark.parametrize("query", ["wait_seconds=61", "wait_seconds=-1", "wait_seconds=nan", "version=-1"])
def test_a_long_poll_has_bounds(door: Door, query: str) -> None:
    job = door.submit()

    problem(door.get(f"{JOBS}/{job.id}?{query}"), 422, "invalid-query")


def test_an_address_that_there_is_not_and_a_method_that_it_does_not_take_are_told_apart(door: Door) -> None:
    problem(door.get("/api/v1/nothing"), 404, "not-found")
    problem(door.ask("DELETE", JOBS, headers={"Content-Type": "application/json"}), 405, "method-not-allowed")


def test_a_database_that_takes_no_writes_is_503_and_no_job(door: Door) -> None:
    job = door.submit()

    def read_only(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.cursor().execute("PRAGMA query_only = ON")

    event.listen(door.database.engine, "connect", read_only)
    door.database.engine.dispose()

    for answer in (
        door.post(JOBS, door.body()),
        door.post(f"{JOBS}/{job.id}/kill", {}),
        door.get("/readyz"),
    ):
        found = problem(answer, 503, "store-unavailable")
        assert "readonly" in found["detail"]
        assert answer.headers["Retry-After"] == "5"
    assert door.get("/healthz").status_code == 200
    assert door.get(JOBS).json()["jobs"][0]["state"] == "QUEUED"
    assert len(door.get(JOBS).json()["jobs"]) == 1
    assert door.store.job(job.id).state is JobState.QUEUED


def test_a_full_disk_is_503_and_no_job(door: Door) -> None:
    with door.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def full(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.cursor().execute(f"PRAGMA max_page_count = {pages}")

    event.listen(door.database.engine, "connect", full)
    door.database.engine.dispose()
    large = door.body(application={"file": str(door.application), "arguments": ["x" * 60_000] * 8})

    found = problem(door.post(JOBS, large, {"Idempotency-Key": "k"}), 503, "store-unavailable")

    assert "full" in found["detail"]
    assert nothing_was_written(door)


def test_a_defect_of_ours_is_500_without_its_inside(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the secret inside")

    monkeypatch.setattr(door.service, "jobs", broken)

    found = problem(door.get(JOBS), 500, "internal-error")

    assert "secret" not in str(found)


@pytest.mark.parametrize("path", ["/foo", "/jobs", "/jobs/1/nothing", "/apis"])
def test_an_address_that_there_is_not_is_a_page_for_a_browser_and_a_document_for_a_program(
    door: Door, path: str
) -> None:
    browser = door.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert (browser.status_code, browser.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert f"There is nothing at {path}" in browser.text
    problem(door.get(path), 404, "not-found")
    problem(door.get(path, headers={"Accept": "application/json"}), 404, "not-found")


@pytest.mark.parametrize("path", ["/api", "/api/v2/jobs"])
def test_below_api_an_unknown_address_is_a_document_for_everybody(door: Door, path: str) -> None:
    problem(door.get(path, headers={"Accept": "text/html"}), 404, "not-found")


def test_a_full_queue_is_429_with_when_to_come_again_and_adds_nothing(tmp_path: Path) -> None:
    given = make_cluster_config("root.a").model_dump(mode="json", exclude_none=True)
    leaf = {"path": "root.a", "leaf": True, "max_waiting": 1}
    config = ClusterConfig.model_validate({**given, "queues": {"default": "root.a", "tree": [leaf]}})
    door = Door(tmp_path, config)
    try:
        assert door.post(JOBS, door.body()).status_code == 201
        refused = door.post(JOBS, door.body())
        jobs = door.get(JOBS).json()["jobs"]
    finally:
        door.store.close()

    problem(refused, 429, "queue-full")
    assert int(refused.headers["Retry-After"]) > 0
    assert len(jobs) == 1
