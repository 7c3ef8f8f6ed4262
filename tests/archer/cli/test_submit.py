"""`archer submit`: every option reaches its field, a job is never doubled, and a refusal names all that is wrong."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archer.model import JobState
from archer.store.interface import JobFilter

if TYPE_CHECKING:
    from tests.archer.cli.conftest import Run
    from tests.archer.conftest import HandDriven

S = JobState


def test_the_id_is_the_only_data(archer: Run, by_hand: HandDriven) -> None:
    ran = archer("submit", str(by_hand.application))

    (job,) = by_hand.service.jobs(JobFilter(), limit=10).jobs
    assert (ran.code, ran.out) == (0, f"{job.id}\n")
    assert ran.talk == ["archer: submitted job as j-ID to queue root.default", "archer: its page: URL/jobs/j-ID"]
    assert (job.name, job.user) == ("job", "ada")


def test_every_option_sets_its_field(archer: Run, by_hand: HandDriven, tmp_path: Path) -> None:
    for name in ("a.py", "b.zip", "c.jar", "d.txt", "e.tar.gz"):
        (tmp_path / name).touch()
    options = {
        "--name": "full",
        "--py-files": f"{tmp_path}/a.py,{tmp_path}/b.zip",
        "--jars": f"{tmp_path}/c.jar",
        "--files": f"{tmp_path}/d.txt",
        "--archives": f"{tmp_path}/e.tar.gz#env",
        "--conf": "spark.sql.shuffle.partitions=4",
        "--env": "REGION=eu",
        "--spark-version": "4.0",
        "--driver-memory": "2g",
        "--driver-memory-overhead": "500m",
        "--driver-cores": "2",
        "--executor-memory": "3g",
        "--executor-memory-overhead": "600m",
        "--executor-cores": "3",
        "--executors": "4",
        "--min-executors": "1",
        "--max-executors": "8",
        "--capacity": "spot",
        "--architecture": "arm64",
        "--shuffle": "disk",
        "--priority": "-7",
        "--team": "ml",
        "--queue": "root.ml",
        "--user": "grace",
        "--cluster": "local",
        "--label": "cost=7",
        "--queue-timeout": "15m",
        "--start-timeout": "90",
        "--timeout": "1.5h",
        "--max-attempts": "3",
        "--idempotency-key": "k1",
    }

    words = [word for pair in options.items() for word in pair]
    ran = archer("submit", str(by_hand.application), *words, "-o", "json", "--", "--day", "1", "--", "--name")

    assert ran.code == 0, ran.err
    submission = json.loads(ran.out)["submission"]
    assert submission["application"] == {
        "file": str(by_hand.application),
        "main_class": None,
        "arguments": ["--day", "1", "--", "--name"],
        "py_files": [f"{tmp_path}/a.py", f"{tmp_path}/b.zip"],
        "jars": [f"{tmp_path}/c.jar"],
        "files": [f"{tmp_path}/d.txt"],
        "archives": [f"{tmp_path}/e.tar.gz#env"],
    }
    assert submission["driver"] == {"cores": 2, "memory": "2g", "memory_overhead": "500m"}
    assert submission["executor"] == {
        "instances": 4,
        "cores": 3,
        "memory": "3g",
        "memory_overhead": "600m",
        "min_instances": 1,
        "max_instances": 8,
        "capacity": "spot",
    }
    assert [submission[key] for key in ("architecture", "shuffle", "priority")] == ["arm64", "disk", -7]
    assert submission["timeouts"] == {"queue_seconds": 900, "start_seconds": 90, "run_seconds": 5400}
    assert submission["retry"] == {"max_attempts": 3}
    assert (submission["conf"], submission["environment"], submission["labels"]) == (
        {"spark.sql.shuffle.partitions": "4"},
        {"REGION": "eu"},
        {"cost": "7"},
    )
    facts = ("name", "team", "queue", "user", "cluster", "spark_version", "idempotency_key")
    assert [submission[key] for key in facts] == ["full", "ml", "root.ml", "grace", "local", "4.0", "k1"]


def test_options_without_a_place_on_one_machine_are_refused_not_ignored(archer: Run, by_hand: HandDriven) -> None:
    ran = archer("submit", str(by_hand.application), "--image", "spark:4", "--profile", "big", "--parameter", "a=b")

    assert ran.code == 2
    assert "`image`" in ran.err


def test_a_relative_path_is_this_folders(archer: Run, by_hand: HandDriven, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(by_hand.application.parent)

    ran = archer("submit", "job.py", "-o", "json")

    assert json.loads(ran.out)["submission"]["application"]["file"] == str(by_hand.application)


def test_a_file_is_the_base_and_words_after_the_dashes_are_arguments(archer: Run, by_hand: HandDriven) -> None:
    body = {"name": "from-file", "application": {"file": "job.py", "arguments": ["x"]}, "driver": {"memory": "2g"}}
    file = by_hand.application.with_name("submission.json")
    file.write_text(json.dumps(body))

    ran = archer("submit", "--from", str(file), "--driver-cores", "2", "-o", "json", "--", "a", "b")

    submission = json.loads(ran.out)["submission"]
    assert submission["name"] == "from-file"
    assert submission["application"]["file"] == str(by_hand.application)
    assert submission["application"]["arguments"] == ["a", "b"]
    assert (submission["driver"]["cores"], submission["driver"]["memory"]) == (2, "2g")


def test_standard_input_is_a_submission_too(archer: Run, by_hand: HandDriven) -> None:
    ran = archer("submit", "--from", "-", stdin=f"name: piped\napplication:\n  file: {by_hand.application}\n")

    assert ran.code == 0
    assert by_hand.service.job("1").name == "piped"


def test_the_same_key_gives_the_same_job_and_another_submission_is_refused(archer: Run, by_hand: HandDriven) -> None:
    command = ("submit", str(by_hand.application), "--idempotency-key", "nightly-1")
    first = archer(*command)
    second = archer(*command)
    other = archer(*command, "--", "other")

    assert first.out == second.out
    assert second.talk[0] == (
        "archer: this idempotency key was used before: it is j-ID, now QUEUED; nothing new was submitted"
    )
    assert (other.code, other.out) == (2, "")
    assert other.talk == [
        (
            "archer: idempotency key 'nightly-1' was used for job j-ID with another body; "
            "send the same body again, or a new key"
        )
    ]
    assert len(by_hand.service.jobs(JobFilter(), limit=10).jobs) == 1


def test_all_problems_are_told_at_once(archer: Run) -> None:
    ran = archer(
        "submit", "/nowhere/job.py", "--driver-memory", "1x", "--conf", "spark.master=yarn", "--executors", "0"
    )

    assert (ran.code, ran.out) == (2, "")
    assert ran.talk[0] == "archer: refused, 3 problems:"
    assert [line.split(" ")[2] for line in ran.talk[1:]] == [
        "`driver.memory`",
        "`executor.instances`",
        "`conf.spark.master`",
    ]


def test_a_missing_application_file_is_named(archer: Run) -> None:
    ran = archer("submit", "/nowhere/job.py")

    assert ran.code == 2
    assert ran.talk[0] == "archer: refused, 1 problem:"
    assert ran.talk[1].startswith("  `application.file` must be ")
    assert "/nowhere/job.py" in ran.talk[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "archer: nothing to run; name an application, or a submission with --from"),
        (["--from", "/nowhere.json"], "archer: `--from` must be a readable file, got '/nowhere.json'"),
    ],
)
def test_nothing_to_run_is_bad_input(archer: Run, arguments: list[str], message: str) -> None:
    ran = archer("submit", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(message)


@pytest.mark.parametrize("option", [["--conf", "novalue"], ["--timeout", "soon"], ["--executors", "x"], ["--nope"]])
def test_a_bad_option_is_bad_input(archer: Run, by_hand: HandDriven, option: list[str]) -> None:
    ran = archer("submit", str(by_hand.application), *option)

    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err


def _drive(by_hand: HandDriven, end: JobState) -> threading.Thread:
    """Runs the first job that comes, and ends it."""

    def drive() -> None:
        while not (jobs := by_hand.service.jobs(JobFilter(), limit=1).jobs):
            threading.Event().wait(0.02)
        if end is S.FAILED:
            by_hand.fail(jobs[0])
        else:
            by_hand.run(jobs[0])
            by_hand.change(jobs[0], end)

    thread = threading.Thread(target=drive)
    thread.start()
    return thread


def test_waiting_ends_with_0_when_the_job_succeeded(archer: Run, by_hand: HandDriven) -> None:
    thread = _drive(by_hand, S.SUCCEEDED)

    ran = archer("submit", str(by_hand.application), "--wait")
    thread.join()

    assert ran.code == 0
    assert ran.lines == ["j-ID"]
    assert ran.talk[-1] == "archer: job j-ID SUCCEEDED after 0.0s"


def test_waiting_ends_with_1_and_the_diagnosis_when_it_failed(archer: Run, by_hand: HandDriven) -> None:
    thread = _drive(by_hand, S.FAILED)

    ran = archer("submit", str(by_hand.application), "--wait", "-o", "json")
    thread.join()

    assert ran.code == 1
    assert json.loads(ran.out)["state"] == "FAILED"
    assert ran.talk[-3:] == [
        "archer: job (j-ID) ended FAILED: KeyError: 'session' at job.py:42",
        "archer:  what to do: fix the application at job.py:42 and submit it again",
        "archer:  more: archer status j-ID, archer logs j-ID",
    ]


def test_waiting_too_long_ends_with_5_and_the_job_goes_on(archer: Run, by_hand: HandDriven) -> None:
    ran = archer("submit", str(by_hand.application), "--wait", "--wait-timeout", "0.2")

    assert ran.code == 5
    assert ran.lines == ["j-ID"]
    assert ran.talk[-1] == ("archer: not finished after 0.2 s: j-ID (QUEUED); the jobs go on: wait again, or kill them")
    assert by_hand.service.job("1").state is S.QUEUED
