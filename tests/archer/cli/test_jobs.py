"""`archer list`, `status`, `attempts`, `events`, `kill`: whole lines, JSON as the API has it, and the exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from archer.model import JobState

if TYPE_CHECKING:
    from tests.archer.cli.conftest import Run
    from tests.archer.conftest import HandDriven

S = JobState


def test_list_is_one_row_per_job_newest_first(archer: Run, by_hand: HandDriven) -> None:
    by_hand.submit("first", queue="root.etl")
    by_hand.fail(by_hand.submit("second", user="ada", retry={"max_attempts": 3}))

    ran = archer("list")

    assert ran.code == 0
    assert ran.lines == [
        "ID  NAME  STATE  USER  QUEUE  ATTEMPT  STARTED  DURATION",
        "j-ID  second  FAILED  ada  root.default  1/3  TIME  0.0s",
        "j-ID  first  QUEUED  -  root.etl  0/1  -  -",
    ]
    assert ran.err == ""


def test_list_in_json_is_the_apis_jobs(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit("first")

    (found,) = json.loads(archer("list", "--output", "json").out)

    assert (found["id"], found["state"], found["links"]["page"]) == (job.id, "QUEUED", f"/jobs/{job.id}")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--state", "failed"], ["b"]),
        (["--state", "FAILED,QUEUED"], ["b", "a"]),
        (["--state", "FAILED", "--state", "QUEUED"], ["b", "a"]),
        (["--name", "a"], ["a"]),
        (["--queue", "root.x"], ["b"]),
        (["--user", "ada"], ["a"]),
        (["--team", "ml"], ["b"]),
        (["--label", "k=v"], ["a"]),
        (["--label", "k=v", "--team", "ml"], []),
    ],
)
def test_list_filters_as_the_api_does(archer: Run, by_hand: HandDriven, options: list[str], names: list[str]) -> None:
    by_hand.submit("a", user="ada", labels={"k": "v"})
    by_hand.fail(by_hand.submit("b", queue="root.x", team="ml"))

    ran = archer("list", "--output", "json", *options)

    assert [job["name"] for job in json.loads(ran.out)] == names
    assert ran.talk == ([] if names else ["archer: no jobs match"])


def test_list_says_that_there_are_more(archer: Run, by_hand: HandDriven) -> None:
    for name in ("a", "b", "c"):
        by_hand.submit(name)

    ran = archer("list", "--limit", "2")

    assert len(ran.lines) == 3
    assert ran.talk == ["archer: there are more than 2; give --limit to see them"]


def test_list_of_nothing_writes_no_data(archer: Run) -> None:
    ran = archer("list")

    assert (ran.code, ran.out, ran.talk) == (0, "", ["archer: no jobs"])


def test_status_says_what_happened_and_what_to_do(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit("second", arguments=("--day", "2026 11"), labels={"cost": "7"}, team="ml")
    by_hand.fail(job)

    ran = archer("status", str(job.number))

    assert ran.code == 0
    assert ran.lines == [
        "job  j-ID",
        "name  second",
        "state  FAILED",
        "attempt  1/1",
        "team  ml",
        "queue  root.default",
        "cluster  local",
        "labels  cost=7",
        f"application  {by_hand.application} --day '2026 11'",
        "submitted  TIME",
        "started  TIME",
        "finished  TIME",
        "duration  0.0s",
        "spark application  local-1",
        "history  http://127.0.0.1:18080/history/local-1/jobs/",
        "page  URL/jobs/j-ID",
        "diagnosis  user-error",
        "what happened  KeyError: 'session' at job.py:42",
        "what to do  fix the application at job.py:42 and submit it again",
        "detail  Traceback (most recent call last):",
        '                     File "job.py", line 42',
        "                   KeyError: 'session'",
    ]


def test_attempts_say_how_each_ended(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit(retry={"max_attempts": 2})
    none = archer("attempts", job.id)
    by_hand.fail(job)

    ran = archer("attempts", job.id)

    assert (none.code, none.out, none.talk) == (0, "", ["archer: no attempts yet"])
    assert ran.lines == [
        "ATTEMPT  STATE  EXIT  STARTED  DURATION  SPARK APPLICATION  WHY",
        "1  FAILED  1  TIME  0.0s  local-1  KeyError: 'session' at job.py:42",
    ]
    assert json.loads(archer("attempts", job.id, "-o", "json").out)[0]["diagnosis"]["category"] == "user-error"


def test_events_tell_the_history_in_order(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.fail(job)

    ran = archer("events", job.id)

    assert ran.lines == [
        "TIME  KIND  ATTEMPT  CHANGE  WHO  MESSAGE",
        "TIME  state  -  QUEUED  api:ada  accepted",
        "TIME  note  -  -  api:ada  queue root.default is the default of environment lab; the job names none",
        "TIME  state  1  QUEUED -> SUBMITTING  tracker:one  as told",
        "TIME  state  1  SUBMITTING -> SUBMITTED  tracker:one  as told",
        "TIME  state  1  SUBMITTED -> RUNNING  tracker:one  as told",
        (
            "TIME  diagnosis  1  -  tracker:one  user-error: KeyError: 'session' at job.py:42; "
            "fix the application at job.py:42 and submit it again"
        ),
        "TIME  state  1  RUNNING -> FAILED  tracker:one  as told",
    ]
    assert [event["to_state"] for event in json.loads(archer("events", job.id, "-o", "json").out)][-1] == "FAILED"


def test_a_queued_job_is_killed_at_once(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit()

    ran = archer("kill", job.id)

    assert (ran.code, ran.out, ran.err) == (0, f"{job.id} CANCELLED\n", "")


def test_a_running_job_is_cancelling_first(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.run(job)

    ran = archer("kill", job.id)

    assert (ran.code, ran.out) == (0, f"{job.id} CANCELLING\n")
    assert ran.talk == ["archer: it is being stopped; `archer wait j-ID` tells when it is gone"]
    assert json.loads(archer("kill", job.id, "-o", "json").out)["state"] == "CANCELLING"


def test_a_finished_job_cannot_be_killed(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.fail(job)

    ran = archer("kill", job.id)

    assert (ran.code, ran.out) == (2, "")
    assert ran.talk == ["archer: job j-ID already ended FAILED; there is nothing to kill"]


@pytest.mark.parametrize("command", ["status", "attempts", "events", "kill", "logs", "wait"])
def test_an_unknown_job_ends_every_command_with_3(archer: Run, command: str) -> None:
    ran = archer(command, "j-nope")

    assert (ran.code, ran.out) == (3, "")
    assert ran.talk == ["archer: no job 'j-nope'; list what there is with `archer list`"]


def test_an_unknown_state_is_bad_input(archer: Run) -> None:
    ran = archer("list", "--state", "DONE")

    assert ran.code == 2
    assert ran.talk[0] == "archer: refused, 1 problem:"
    assert ran.talk[1].startswith("  `state.0` must be one of 'QUEUED', 'SUBMITTING'")
