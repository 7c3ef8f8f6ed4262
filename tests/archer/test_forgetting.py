"""A cluster that left the configuration for good: what becomes of its jobs, as the API tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from archer.model import JobState
from testbed.archer_builders import make_new_job, make_submission
from tests.archer.api import conftest as doors

if TYPE_CHECKING:
    from archer.model import Job
    from tests.archer.api.conftest import Door

S = JobState
JOBS = "/api/v1/jobs"
FORGET = "/api/v1/clusters/gone/forget"

door = doors.door
lab = doors.lab
guarded = doors.guarded


def job_there(door: Door, *path: JobState, wishes: Any = None, **fields: Any) -> Job:
    """A job of cluster gone, moved through these states."""
    submission = make_submission(**(wishes or {})).model_dump(mode="json")
    new = make_new_job(cluster="gone", submission=submission, at=door.clock.now(), **fields)
    return door.move(door.store.submit(new).job, *path)


def told(door: Door, job: Job) -> dict[str, Any]:
    found: dict[str, Any] = door.get(f"{JOBS}/{job.id}").json()
    return found


def history(door: Door, job: Job) -> list[tuple[str, str | None, str]]:
    """(actor, new state, message) of each event after the job's own moves."""
    events = door.get(f"{JOBS}/{job.id}/events").json()["events"]
    return [
        (event["actor"], event["to_state"], event["message"]) for event in events if event["actor"].startswith("api")
    ]


def test_what_ran_there_ends_as_lost_and_is_repeated_where_an_attempt_is_left(door: Door) -> None:
    running = job_there(door, S.SUBMITTING, S.SUBMITTED, S.RUNNING)

    answer = door.post(FORGET)

    assert (answer.status_code, answer.json()) == (200, {"name": "gone", "repeated": 1, "ended": 0, "waiting": 0})
    job = told(door, running)
    (attempt,) = door.get(f"{JOBS}/{running.id}/attempts").json()["attempts"]
    assert (job["state"], job["diagnosis"]["category"]) == ("RETRY_WAIT", "lost")
    assert (attempt["state"], attempt["diagnosis"]["category"], attempt["cluster"]) == ("FAILED", "lost", "gone")
    assert attempt["diagnosis"]["summary"] == "cluster gone left the configuration for good, and the attempt with it"
    diagnosed = f"lost: {attempt['diagnosis']['summary']}; {attempt['diagnosis']['resolution']}"
    assert history(door, running)[-4:] == [
        ("api:anonymous", None, "cluster gone was forgotten by api:anonymous"),
        ("api:anonymous", None, diagnosed),
        ("api:anonymous", "LOST", "api:anonymous had Archer forget cluster gone; the job was RUNNING there"),
        ("api:anonymous", "RETRY_WAIT", "attempt 1 failed; attempt 2 follows in 5 s"),
    ]


def test_every_active_state_has_its_end(door: Door) -> None:
    paths = {
        S.SUBMITTING: (S.SUBMITTING,),
        S.SUBMITTED: (S.SUBMITTING, S.SUBMITTED),
        S.CANCELLING: (S.SUBMITTING, S.SUBMITTED, S.CANCELLING),
        S.LOST: (S.SUBMITTING, S.SUBMITTED, S.LOST),
    }
    jobs = {state: job_there(door, *path) for state, path in paths.items()}
    untouched = [door.submit(), door.move(door.submit(), S.SUBMITTING, S.SUBMITTED), job_there(door)]
    before = [told(door, job) for job in untouched]

    answer = door.post(FORGET).json()

    assert (answer["repeated"], answer["ended"]) == (3, 1)
    assert {state: told(door, job)["state"] for state, job in jobs.items()} == {
        S.SUBMITTING: "RETRY_WAIT",
        S.SUBMITTED: "RETRY_WAIT",
        S.CANCELLING: "CANCELLED",
        S.LOST: "RETRY_WAIT",
    }
    assert [told(door, job)["version"] for job in untouched] == [job["version"] for job in before]


def test_a_job_that_was_lost_as_often_as_it_may_fails(door: Door) -> None:
    job = job_there(door)
    for _ in range(2):
        job = door.move(job, S.SUBMITTING, S.SUBMITTED)
        assert door.post(FORGET).json()["repeated"] == 1
        job = door.store.job(job.id)
    door.move(job, S.SUBMITTING, S.SUBMITTED)

    assert door.post(FORGET).json() == {"name": "gone", "repeated": 0, "ended": 1, "waiting": 0}
    assert (told(door, job)["state"], told(door, job)["diagnosis"]["category"]) == ("FAILED", "lost")


def test_waiting_jobs_that_name_it_are_told_so(door: Door) -> None:
    named = job_there(door, wishes={"cluster": "gone"})
    lost = job_there(door, S.SUBMITTING, S.SUBMITTED, wishes={"cluster": "gone"})

    assert door.post(FORGET).json() == {"name": "gone", "repeated": 1, "ended": 0, "waiting": 2}

    reason = (
        "can never start: cluster gone was forgotten, and the job asks for it; "
        "kill it and submit it to another, or without `cluster`"
    )
    assert [told(door, job)["reason"] for job in (named, lost)] == [reason, reason]
    assert history(door, named)[-2:] == [
        ("api:anonymous", None, "cluster gone was forgotten by api:anonymous"),
        ("api:anonymous", None, reason),
    ]


def test_a_second_time_finds_nothing_more(door: Door) -> None:
    job_there(door, S.SUBMITTING, S.SUBMITTED)
    door.post(FORGET)

    answer = door.post(FORGET)

    assert (answer.status_code, answer.json()["repeated"], answer.json()["ended"]) == (200, 0, 0)


@pytest.mark.parametrize("name", ["local", "batch"])
def test_a_cluster_of_the_server_or_of_its_configuration_is_not_forgotten(lab: Door, name: str) -> None:
    job = lab.move(lab.submit(), S.SUBMITTING, S.SUBMITTED)

    answer = lab.post(f"/api/v1/clusters/{name}/forget")

    assert (answer.status_code, answer.json()["code"]) == (409, "cluster-in-use")
    assert answer.json()["detail"].startswith(f"cluster {name} is in this server's configuration; take it out there")
    assert told(lab, job)["state"] == "SUBMITTED"


def test_a_cluster_that_another_process_tracks_is_not_forgotten(door: Door) -> None:
    job = job_there(door, S.SUBMITTING, S.SUBMITTED)
    door.store.acquire("tracker/gone2/spark-ads", "pod-2", seconds=60)
    lease = door.store.acquire("tracker/gone/spark-ads", "pod-1", seconds=60)
    assert lease is not None

    answer = door.post(FORGET)

    assert answer.status_code == 409
    assert "cluster gone is still tracked by pod-1; stop these" in answer.json()["detail"]
    assert told(door, job)["state"] == "SUBMITTED"
    door.store.release(lease)
    assert door.post(FORGET).status_code == 200


def test_a_name_that_nothing_is_known_of_is_not_found(door: Door) -> None:
    answer = door.post("/api/v1/clusters/goen/forget")

    assert (answer.status_code, answer.json()["detail"]) == (404, "no cluster 'goen'; there are local")


def test_it_takes_an_operator_and_the_history_names_them(guarded: Door) -> None:
    job = job_there(guarded, S.SUBMITTING, S.SUBMITTED, user="vera")

    def forget(secret: str) -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        return guarded.post(FORGET, headers=headers).status_code

    assert forget(guarded.token("vera", "viewer")) == 403
    assert guarded.store.job(job.id).state is S.SUBMITTED
    assert forget(guarded.token("otto", "operator")) == 200
    assert "cluster gone was forgotten by api:otto" in [event.message for event in guarded.store.events(job.id)]
