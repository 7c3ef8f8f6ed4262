"""The native API, call by call."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from archer.model import Category, Diagnosis, JobState

if TYPE_CHECKING:
    from tests.archer.api.conftest import Door

S = JobState
JOBS = "/api/v1/jobs"


def test_a_submission_is_answered_with_201_its_place_and_the_whole_job(door: Door) -> None:
    answer = door.post(JOBS, door.body(user="ada", team="growth", labels={"day": "monday"}))

    job = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert job["state"] == "QUEUED"
    assert (job["number"], job["user"], job["team"], job["labels"]) == (1, "ada", "growth", {"day": "monday"})
    assert job["emr_id"] == job["id"].removeprefix("j-")
    assert job["created_at"] == "2026-11-23T10:00:00.000Z"
    assert datetime.fromisoformat(job["created_at"]) == door.clock.now()
    executor = {"instances": 1, "cores": 1, "memory": "1g", "memory_overhead": None}
    assert job["submission"]["executor"] == {**dict.fromkeys(job["submission"]["executor"]), **executor}
    assert job["reason"] == "waits for a slot"
    place = "waits for a slot: 0 of 1 are taken, no job waits before it"
    assert door.get(job["links"]["self"]).json()["reason"] == place
    for link in ("self", "events", "attempts", "logs"):
        assert door.get(job["links"][link]).status_code == 200, link
    assert job["links"]["page"] == f"/jobs/{job['id']}"


def test_what_was_answered_is_in_the_database(door: Door) -> None:
    job_id = door.post(JOBS, door.body()).json()["id"]

    with door.database.read() as connection:
        found = connection.exec_driver_sql("SELECT id FROM jobs").scalar_one()
    assert found == job_id


def test_the_same_key_and_body_again_are_answered_with_200_and_the_same_job(door: Door) -> None:
    first = door.post(JOBS, door.body(), {"Idempotency-Key": "k-1"})
    again = door.post(JOBS, door.body(), {"Idempotency-Key": "k-1"})
    in_body = door.post(JOBS, door.body(idempotency_key="k-1"))

    assert (first.status_code, again.status_code, in_body.status_code) == (201, 200, 200)
    assert first.json()["id"] == again.json()["id"] == in_body.json()["id"]
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.headers["Location"] == first.headers["Location"]


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/readyz", "/metrics", JOBS, f"{JOBS}/{{id}}", "/jobs/{id}", "/none"]
)
def test_head_is_answered_as_get_is_but_without_a_body(door: Door, path: str) -> None:
    address = path.format(id=door.submit().id)

    get, head = door.get(address), door.ask("HEAD", address)

    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert get.content


def test_a_list_is_paged_and_filtered(door: Door) -> None:
    jobs = [door.submit(name=f"job-{number}", user="ada" if number % 2 else "grace") for number in range(5)]
    door.move(jobs[1], S.CANCELLED)

    first = door.get(f"{JOBS}?limit=2").json()
    second = door.get(f"{JOBS}?limit=2&cursor={first['next_cursor']}").json()
    third = door.get(f"{JOBS}?limit=2&cursor={second['next_cursor']}").json()

    names = [job["name"] for page in (first, second, third) for job in page["jobs"]]
    assert names == ["job-4", "job-3", "job-2", "job-1", "job-0"]
    assert third["next_cursor"] is None

    def listed(query: str) -> list[str]:
        return [job["name"] for job in door.get(f"{JOBS}?{query}").json()["jobs"]]

    assert listed("user=ada") == ["job-3", "job-1"]
    assert listed("state=CANCELLED") == ["job-1"]
    assert listed("state=CANCELLED&state=QUEUED&name=job-3") == ["job-3"]
    assert listed("queue=root.nothing") == []


def test_jobs_are_found_by_labels_all_of_which_must_match(door: Door) -> None:
    door.submit(name="one", labels={"day": "monday", "kind": "x"})
    door.submit(name="two", labels={"day": "monday"})

    found = door.get(f"{JOBS}?label=day=monday&label=kind=x").json()["jobs"]

    assert [job["name"] for job in found] == ["one"]


@pytest.mark.parametrize("key", ["id", "number", "emr_id"])
def test_a_job_is_read_by_each_of_its_ids(door: Door, key: str) -> None:
    job = door.submit()

    assert door.get(f"{JOBS}/{getattr(job, key)}").json()["id"] == job.id


def test_events_tell_the_whole_story_and_can_be_read_on(door: Door) -> None:
    job = door.move(door.submit(user="ada"), S.SUBMITTING, S.SUBMITTED)

    events = door.get(f"{JOBS}/{job.id}/events").json()["events"]
    rest = door.get(f"{JOBS}/{job.id}/events?after={events[0]['id']}").json()["events"]

    assert [(event["from_state"], event["to_state"]) for event in events] == [
        (None, "QUEUED"),
        ("QUEUED", "SUBMITTING"),
        ("SUBMITTING", "SUBMITTED"),
    ]
    assert events[0]["actor"] == "api:ada"
    assert rest == events[1:]


def test_attempts_show_what_was_launched_with_secrets_masked(door: Door) -> None:
    diagnosis = Diagnosis(category=Category.USER_ERROR, summary="s", detail="d", resolution="r", exit_code=3)
    job = door.move(door.submit(), S.SUBMITTING, S.SUBMITTED, S.FAILED, diagnosis=diagnosis, exit_code=3)

    (attempt,) = door.get(f"{JOBS}/{job.id}/attempts").json()["attempts"]

    assert (attempt["number"], attempt["name"], attempt["state"]) == (1, f"{job.id}-1", "FAILED")
    assert attempt["exit_code"] == 3
    assert attempt["diagnosis"]["category"] == "user-error"
    assert attempt["spec"] == {"conf": {"spark.my.password": "********"}}


def test_secrets_of_a_submission_are_masked_in_answers_and_kept_for_the_job(door: Door) -> None:
    job = door.submit(conf={"spark.my.password": "hunter2"}, environment={"API_TOKEN": "hunter3"})

    text = door.get(f"{JOBS}/{job.id}").text + door.get(JOBS).text

    assert "hunter" not in text
    assert job.submission["conf"]["spark.my.password"] == "hunter2"


def test_links_come_and_go_with_the_application(door: Door) -> None:
    job = door.move(
        door.submit(), S.SUBMITTING, S.SUBMITTED, S.RUNNING, spark_app_id="app-1", ui_url="http://127.0.0.1:4040"
    )
    answer = door.get(f"{JOBS}/{job.id}").json()
    assert answer["ui_url"] == "http://127.0.0.1:4040"
    assert answer["history_url"] == "http://127.0.0.1:18080/history/app-1/jobs/"

    door.move(job, S.SUCCEEDED)

    answer = door.get(f"{JOBS}/{job.id}").json()
    assert (answer["ui_url"], answer["history_url"]) == (None, "http://127.0.0.1:18080/history/app-1/jobs/")


def test_a_long_poll_answers_as_soon_as_the_job_has_changed(door: Door) -> None:
    job = door.submit()
    threading.Timer(0.3, lambda: door.move(job, S.SUBMITTING)).start()
    begun = time.monotonic()

    answer = door.get(f"{JOBS}/{job.id}?wait_seconds=30&version=1")

    assert answer.json()["state"] == "SUBMITTING"
    assert answer.json()["version"] == 2
    assert time.monotonic() - begun < 20


def test_a_long_poll_for_an_old_version_answers_at_once(door: Door) -> None:
    job = door.move(door.submit(), S.SUBMITTING)

    assert door.get(f"{JOBS}/{job.id}?wait_seconds=60&version=1", timeout=20).json()["version"] == 2


def test_a_long_poll_of_a_finished_job_answers_at_once(door: Door) -> None:
    job = door.move(door.submit(), S.CANCELLED)

    assert door.get(f"{JOBS}/{job.id}?wait_seconds=60&version={job.version}", timeout=20).json()["state"] == "CANCELLED"


def test_a_long_poll_without_news_answers_after_its_time(door: Door) -> None:
    job = door.submit()

    assert door.get(f"{JOBS}/{job.id}?wait_seconds=0.3").json()["version"] == 1


def test_a_long_poll_ends_when_the_server_stops(door: Door) -> None:
    job = door.submit()
    door.stopping.set()

    assert door.get(f"{JOBS}/{job.id}?wait_seconds=60", timeout=20).json()["state"] == "QUEUED"


def test_logs_are_read_piece_by_piece_or_from_the_end(door: Door) -> None:
    job = door.move(door.submit(), S.SUBMITTING, S.SUBMITTED)
    door.write_log(job, "eins\nzwölf\ndrei\n")
    door.write_log(job, "out\n", "stdout")
    path = f"{JOBS}/{job.id}/logs"

    assert door.get(path).json() == {"text": "eins\nzwölf\ndrei\n", "offset": 0, "next_offset": 17, "complete": False}
    assert door.get(f"{path}?offset=5").json()["text"] == "zwölf\ndrei\n"
    assert door.get(f"{path}?tail=1").json() == {"text": "drei\n", "offset": 12, "next_offset": 17, "complete": False}
    assert door.get(f"{path}?stream=stdout").json()["text"] == "out\n"
    assert door.get(f"{path}?limit_bytes=16").json()["next_offset"] == 16
    assert door.get(f"{path}?offset=99").json()["text"] == ""


def test_logs_are_complete_once_the_attempt_has_ended_and_the_end_was_read(door: Door) -> None:
    job = door.move(door.submit(), S.SUBMITTING, S.SUBMITTED)
    door.write_log(job, "x" * 40)
    door.move(job, S.SUCCEEDED)

    assert not door.get(f"{JOBS}/{job.id}/logs?limit_bytes=16").json()["complete"]
    assert door.get(f"{JOBS}/{job.id}/logs?offset=16").json()["complete"]


def test_logs_come_as_plain_text_when_asked_for(door: Door) -> None:
    job = door.move(door.submit(), S.SUBMITTING, S.SUBMITTED)
    door.write_log(job, "größe\n")

    answer = door.get(f"{JOBS}/{job.id}/logs", headers={"Accept": "text/plain"})

    assert answer.text == "größe\n"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (answer.headers["Archer-Next-Offset"], answer.headers["Archer-Complete"]) == ("8", "false")


def test_a_job_that_has_not_started_has_an_empty_log(door: Door) -> None:
    job = door.submit()

    assert door.get(f"{JOBS}/{job.id}/logs").json() == {"text": "", "offset": 0, "next_offset": 0, "complete": False}


def test_a_queued_job_is_killed_at_once(door: Door) -> None:
    job = door.submit()

    answer = door.post(f"{JOBS}/{job.id}/kill", {})

    assert (answer.status_code, answer.json()["state"]) == (200, "CANCELLED")
    assert door.store.attempts(job.id) == []


def test_a_running_job_is_asked_to_end_and_the_second_kill_changes_nothing(door: Door) -> None:
    job = door.move(door.submit(), S.SUBMITTING, S.SUBMITTED, S.RUNNING)

    first, second = door.post(f"{JOBS}/{job.id}/kill", {}), door.post(f"{JOBS}/{job.id}/kill", {})

    assert (first.status_code, first.json()["state"]) == (202, "CANCELLING")
    assert (second.status_code, second.json()["version"]) == (200, first.json()["version"])


def test_a_finished_job_can_not_be_killed(door: Door) -> None:
    job = door.move(door.submit(), S.SUBMITTING, S.SUBMITTED, S.SUCCEEDED)

    answer = door.post(f"{JOBS}/{job.id}/kill", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "job-already-finished")
    assert "SUCCEEDED" in answer.json()["detail"]
    assert door.store.job(job.id) == job


def test_health_readiness_and_metrics_answer(door: Door) -> None:
    door.submit()
    door.post(JOBS, {})

    assert door.get("/healthz").json() == {"status": "alive"}
    assert door.get("/readyz").json() == {"status": "ready"}
    text = door.get("/metrics").text
    assert 'archer_jobs{state="QUEUED"} 1.0' in text
    assert 'archer_queue_oldest_seconds{queue="root.default"}' in text
    assert 'archer_submissions_total{result="created"} 1.0' in text
    assert 'archer_http_request_seconds_count{method="POST",route="/api/v1/jobs",status="422"} 1.0' in text


def test_metrics_carry_no_ids(door: Door) -> None:
    job = door.submit(name="very-special", user="ada")
    door.get(f"{JOBS}/{job.id}")
    door.get("/nothing/here")

    text = door.get("/metrics").text

    assert job.id not in text
    assert "very-special" not in text
    assert 'route="/api/v1/jobs/{job_id}"' in text
    assert 'route="unmatched"' in text
