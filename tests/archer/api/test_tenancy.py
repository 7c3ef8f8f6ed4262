"""The environment's queues, teams and profiles, as a client meets them."""

from __future__ import annotations

from typing import Any

import pytest

from archer.cluster_config import ClusterConfig
from testbed.archer_builders import make_cluster_config
from tests.archer.api.conftest import Door

JOBS = "/api/v1/jobs"
DEFAULT = "root.shared.adhoc.tier3"


def notes(door: Door, job_id: str) -> list[str]:
    events = door.get(f"{JOBS}/{job_id}/events").json()["events"]
    return [event["message"] for event in events if event["kind"] == "note"]


def test_a_job_without_a_queue_is_stored_shown_and_found_in_the_default_one(lab: Door) -> None:
    job = lab.post(JOBS, lab.body()).json()

    assert (job["queue"], job["submission"]["queue"]) == (DEFAULT, DEFAULT)
    assert [found["id"] for found in lab.get(f"{JOBS}?queue={DEFAULT}").json()["jobs"]] == [job["id"]]
    assert f"queue {DEFAULT} is the default of environment lab; the job names none" in notes(lab, job["id"])
    assert f"<dd>{DEFAULT}</dd>" in lab.get(f"/jobs/{job['id']}").text


def test_a_team_submits_to_its_own_queue(lab: Door) -> None:
    job = lab.post(JOBS, lab.body(queue="root.ads.ctr.tier1", team="ads")).json()

    assert (job["queue"], job["team"], job["state"]) == ("root.ads.ctr.tier1", "ads", "QUEUED")
    assert notes(lab, job["id"]) == [
        "on one machine jobs start first come, first served: queue root.ads.ctr.tier1 has no limits here"
    ]


def test_what_limits_are_checked_against_counts_memory_that_the_environment_gives_every_job(
    lab: Door, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = make_cluster_config(DEFAULT).model_copy(
        update={"conf": {"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "3g"}}
    )
    roomy = Door(tmp_path_factory.mktemp("roomy"), config)

    plain, larger = (each.submit(executor={"instances": 2}) for each in (lab, roomy))

    assert larger.memory_mib == plain.memory_mib + 2 * 3072
    roomy.store.close()


def test_a_job_that_its_queue_or_user_could_never_run_is_refused_with_what_would_do(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    document = make_cluster_config("root.ads.ctr").model_dump(mode="json")
    document["queues"]["tree"][0]["max"] = {"vcores": 8, "memory_gib": 64}
    document["queues"]["user_limit"] = {"max_applications": 9, "max": {"vcores": 6, "memory_gib": 64}}
    door = Door(tmp_path_factory.mktemp("small"), ClusterConfig.model_validate(document))

    answer = door.post(JOBS, door.body(user="ada", executor={"instances": 10}))

    assert answer.status_code == 422
    told = {problem["path"]: (problem["allowed"], problem["fix"]) for problem in answer.json()["problems"]}
    assert told == {
        "queue": (
            "within the maximum of queue root.ads: 8 vCPU and 65536 MiB",
            "lower `executor.instances` to 7 at most, or make the executors smaller",
        ),
        "user": (
            "within what user ada may hold: 6 vCPU and 65536 MiB",
            "lower `executor.instances` to 5 at most, or make the executors smaller",
        ),
    }
    assert door.submit(user="ada", executor={"instances": 5}).state == "QUEUED"
    door.store.close()


def test_a_job_that_can_never_start_is_not_told_how_many_wait_before_it(lab: Door) -> None:
    before, job = lab.submit(), lab.submit()
    told = "can never start: the job asks for 9 vcores, more than the 8 vcores of queue root.shared; kill it"
    lab.store.set_reasons({job.id: told})

    assert lab.get(f"{JOBS}/{job.id}").json()["reason"] == told
    assert "no job waits before it" in lab.get(f"{JOBS}/{before.id}").json()["reason"]


def test_a_profile_fills_in_what_the_job_leaves_out_and_its_history_says_what(lab: Door) -> None:
    job = lab.post(JOBS, lab.body(profile="small", driver={"cores": 1})).json()

    assert job["submission"]["driver"] == {"cores": 1, "memory": "2g", "memory_overhead": None}
    assert job["submission"]["conf"] == {"spark.sql.ansi.enabled": "true"}
    assert "from profile small: driver.memory 2g, conf.spark.sql.ansi.enabled" in notes(lab, job["id"])


@pytest.mark.parametrize(
    ("fields", "paths", "said"),
    [
        ({"queue": "root.ads.ctr.tier9"}, ["queue"], "did you mean `root.ads.ctr.tier"),
        ({"queue": "root.ads"}, ["queue"], "root.ads.ctr.tier1, root.ads.ctr.tier2"),
        ({"queue": DEFAULT, "team": "ads"}, ["queue"], "a queue that team ads may use"),
        ({"team": "ads"}, ["queue"], "is not for this team"),
        ({"team": "add"}, ["team"], "did you mean `ads`?"),
        ({"profile": "smal"}, ["profile"], "did you mean `small`?"),
        ({"cluster": "batch"}, ["cluster"], "absent or `local`"),
        (
            {"queue": "root.x", "team": "x", "profile": "x", "image": "x"},
            ["team", "queue", "profile", "image"],
            "root.",
        ),
    ],
)
def test_what_the_environment_does_not_have_is_422_with_every_problem_and_no_job(
    lab: Door, fields: dict[str, Any], paths: list[str], said: str
) -> None:
    answer = lab.post(JOBS, lab.body(**fields))

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-submission")
    assert [problem["path"] for problem in answer.json()["problems"]] == paths
    assert said in answer.text
    assert lab.get(JOBS).json()["jobs"] == []


def test_without_an_environment_another_queue_is_refused_with_the_variable_that_brings_one(door: Door) -> None:
    assert door.post(JOBS, door.body()).json()["queue"] == "root.default"
    assert door.post(JOBS, door.body(queue="root.default", team="whoever")).status_code == 201

    answer = door.post(JOBS, door.body(queue=DEFAULT))

    assert answer.status_code == 422
    assert "ARCHER_CONFIG" in answer.json()["problems"][0]["fix"]
