"""The local backend as the workers see it, with a small program in Spark's place."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from archer.backends.interface import Observation, Phase, StopReason
from archer.backends.local import files, marks
from archer.backends.local.backend import LocalBackend
from archer.errors import BackendUnavailableError, LaunchRefusedError
from archer.settings import ServeSettings
from testbed.archer_builders import JOB_ID, make_job, make_submission
from tests.archer.backends.local.conftest import AttemptFolder
from tests.archer.backends.local.test_marks import daemon

NAME = f"{JOB_ID}-1"


class Bench:
    """A backend whose Spark is a Python program that is given SparkSubmit's arguments."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.program = folder / "submit.py"
        self.program.write_text("")
        self.app = folder / "app.py"
        self.app.write_text("")
        self.settings = ServeSettings(
            data=folder / "data",
            spark_submit_command=(sys.executable, str(self.program)),
            cancel_grace_seconds=1,
            **settings,
        )
        self.backend = LocalBackend(self.settings, {"PATH": "/usr/bin:/bin"})

    def spec(self, *, rung: float = 1.0, **fields: Any) -> Any:
        submission = make_submission(application={"file": str(self.app)}, **fields)
        return self.backend.plan(make_job(submission=submission), attempt=1, memory_rung=rung)

    def launch(self, program: str, **fields: Any) -> str:
        self.program.write_text(program)
        return self.backend.launch(NAME, self.spec(**fields))

    def look(self) -> Observation:
        return self.backend.observe([NAME])[NAME]

    def until(self, phase: Phase) -> Observation:
        def there() -> Observation | None:
            seen = self.look()
            return seen if seen.phase is phase else None

        found = AttemptFolder.until(there, phase)
        assert isinstance(found, Observation)
        return found

    @property
    def attempt(self) -> Path:
        return self.settings.attempts_folder / NAME


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    if made.attempt.exists():
        made.backend.stop(NAME, StopReason.CANCEL)
        AttemptFolder.until(lambda: made.look().phase in {Phase.ENDED, Phase.VANISHED}, "the end")
    made.backend.close()


SLEEP = "import time; time.sleep(60)"


def test_a_plan_gives_one_jvm_the_larger_heap_and_the_cores_that_there_are(bench: Bench) -> None:
    spec = bench.spec(driver={"memory": "1g"}, executor={"memory": "2g", "instances": 100, "cores": 4})

    assert spec["heap_mib"] == 2048
    assert spec["memory_limit_mib"] == 2048 + 819
    assert spec["master"] == f"local[{psutil.cpu_count()}]"
    assert spec["spark_app_id"] == f"local-{NAME}"


def test_a_higher_rung_multiplies_heap_and_limit(bench: Bench) -> None:
    spec = bench.spec(rung=3.0)

    assert (spec["heap_mib"], spec["memory_limit_mib"]) == (3072, 3 * (1024 + 409))


def test_an_attempt_starts_runs_and_ends_with_its_exit_code(bench: Bench) -> None:
    reference = bench.launch("import sys; print('hello'); sys.exit(3)")

    seen = bench.until(Phase.ENDED)

    assert reference.startswith("pid ")
    assert seen.outcome is not None
    assert (seen.outcome.succeeded, seen.outcome.exit_code) == (False, 3)
    assert seen.outcome.evidence.stdout == "hello\n"
    assert bench.backend.read_log(NAME, "stdout", offset=2, limit=3).data == b"llo"


def test_launching_again_does_nothing(bench: Bench) -> None:
    first = bench.launch(SLEEP)

    assert bench.backend.launch(NAME, bench.spec()) == first
    assert LocalBackend(bench.settings, {}).launch(NAME, bench.spec()) == first


def test_the_application_is_running_once_spark_writes_its_event_log(bench: Bench) -> None:
    bench.launch(
        "import pathlib, sys, time\n"
        "print(\"26/11/23 INFO Utils: Successfully started service 'SparkUI' on port 40417.\", file=sys.stderr, flush=True)\n"
        f"pathlib.Path({str(bench.settings.events_folder / f'eventlog_v2_local-{NAME}')!r}).mkdir()\n"
        "time.sleep(60)\n"
    )

    seen = bench.until(Phase.RUNNING)

    assert seen.spark_app_id == f"local-{NAME}"
    assert seen.ui_url == "http://127.0.0.1:40417"


def test_an_attempt_that_was_never_started_can_be_taken_away_for_good(bench: Bench) -> None:
    bench.backend.stop(NAME, StopReason.CANCEL)

    bench.launch("print('ran')")

    seen = bench.look()
    assert seen.outcome is not None
    assert (seen.phase, seen.outcome.stopped_for, seen.outcome.succeeded) == (Phase.ENDED, "cancel", False)
    assert not (bench.attempt / files.STDOUT_LOG).exists()


def test_a_stop_is_confirmed_by_the_outcome(bench: Bench) -> None:
    bench.launch(SLEEP)

    bench.backend.stop(NAME, StopReason.RUN_TIMEOUT)
    assert bench.look().phase is not Phase.VANISHED

    seen = bench.until(Phase.ENDED)
    assert seen.outcome is not None
    assert seen.outcome.stopped_for == "run-timeout"


def test_when_the_runner_is_killed_its_program_is_killed_before_the_attempt_is_called_vanished(bench: Bench) -> None:
    bench.launch(SLEEP)
    child = AttemptFolder.until(lambda: files.read(bench.attempt / files.CHILD), "child")
    program = psutil.Process(child["pid"])
    started = files.read(bench.attempt / files.STARTED)
    assert started is not None

    psutil.Process(started["pid"]).kill()
    seen = bench.until(Phase.VANISHED)

    assert not program.is_running() or program.status() == psutil.STATUS_ZOMBIE
    assert "its runner died" in seen.last_seen


def test_a_foreign_process_with_the_pid_of_ours_is_left_alone(bench: Bench) -> None:
    bench.attempt.mkdir(parents=True)
    foreign = psutil.Popen(["sleep", "60"], start_new_session=True)
    files.write(bench.attempt / files.STARTED, {"pid": 1, "identity": "1:1:another-boot"})
    files.write(bench.attempt / files.CHILD, {"pid": foreign.pid, "identity": f"{foreign.pid}:1:another-boot"})

    assert bench.look().phase is Phase.VANISHED

    assert foreign.is_running()
    foreign.kill()
    foreign.wait()


def test_a_daemon_whose_session_has_the_number_of_ours_is_left_alone(bench: Bench) -> None:
    """After a restart of the machine low pids come again, and a daemon's session has no leader to compare with."""
    pid, session = daemon({})
    bench.attempt.mkdir(parents=True)
    files.write(bench.attempt / files.STARTED, {"pid": 1, "identity": "1:1:another-boot"})
    files.write(bench.attempt / files.CHILD, {"pid": session, "identity": f"{session}:1:another-boot"})

    assert bench.look().phase is Phase.VANISHED

    foreign = psutil.Process(pid)
    assert foreign.is_running()
    assert foreign.status() != psutil.STATUS_ZOMBIE
    foreign.kill()


@pytest.mark.parametrize("damage", ["no folder", "started.json", "outcome.json"])
def test_an_attempt_whose_folder_was_damaged_runs_no_more_when_it_is_called_vanished(bench: Bench, damage: str) -> None:
    """It is repeated: the second one must never run beside the first."""
    bench.launch(SLEEP)
    child = AttemptFolder.until(lambda: files.read(bench.attempt / files.CHILD), "child")
    program = psutil.Process(child["pid"])
    if damage == "no folder":
        shutil.rmtree(bench.attempt)
    else:
        (bench.attempt / damage).write_text("{}")

    assert bench.look().phase is Phase.VANISHED

    assert not program.is_running() or program.status() == psutil.STATUS_ZOMBIE
    assert marks.marked(bench.attempt) == []
    (bench.attempt / damage).unlink(missing_ok=True)


def test_a_folder_that_can_not_be_read_keeps_nobody_elses_attempt_waiting(bench: Bench) -> None:
    bench.launch("")
    other = f"{JOB_ID}-2"
    (bench.settings.attempts_folder / other / files.OUTCOME).mkdir(parents=True)
    bench.until(Phase.ENDED)

    seen = bench.backend.observe([other, NAME])

    assert seen[NAME].phase is Phase.ENDED
    assert "Is a directory" in str(seen[other].substate)


def test_a_program_that_answers_a_stop_with_exit_code_0_did_not_succeed(bench: Bench) -> None:
    bench.launch(
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); print('up', flush=True); time.sleep(60)"
    )
    AttemptFolder.until(lambda: bench.backend.read_log(NAME, "stdout", offset=0, limit=9).size, "up")

    bench.backend.stop(NAME, StopReason.RUN_TIMEOUT)

    seen = bench.until(Phase.ENDED)
    assert seen.outcome is not None
    assert (seen.outcome.exit_code, seen.outcome.stopped_for, seen.outcome.succeeded) == (0, "run-timeout", False)


def test_folders_of_attempts_and_event_logs_are_for_the_owners_eyes(bench: Bench) -> None:
    bench.launch("")

    assert bench.attempt.stat().st_mode & 0o077 == 0
    assert bench.settings.events_folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_somebody_removed_or_damaged_is_a_vanished_attempt(bench: Bench) -> None:
    assert bench.look().phase is Phase.VANISHED
    bench.attempt.mkdir(parents=True)
    (bench.attempt / files.STARTED).write_text("{")

    assert bench.look().phase is Phase.VANISHED
    (bench.attempt / files.STARTED).unlink()


def test_a_start_whose_sign_was_damaged_is_no_start_to_be_tried_again(bench: Bench) -> None:
    """Its dispatcher would ask for ever; the observer says what it is."""
    bench.attempt.mkdir(parents=True)
    (bench.attempt / files.STARTED).write_text("{")

    assert bench.launch("print('ran')") == "pid None"

    assert bench.look().phase is Phase.VANISHED
    assert not (bench.attempt / files.STDOUT_LOG).exists()
    shutil.rmtree(bench.attempt)


def test_a_file_that_vanished_since_the_submission_is_refused(bench: Bench) -> None:
    spec = bench.spec()
    bench.app.unlink()

    with pytest.raises(LaunchRefusedError, match="is gone; put it back, then submit again"):
        bench.backend.launch(NAME, spec)


def test_more_memory_than_the_machine_has_is_refused(bench: Bench) -> None:
    spec = {**bench.spec(), "memory_limit_mib": 10**9}

    with pytest.raises(LaunchRefusedError, match="this machine has"):
        bench.backend.launch(NAME, spec)


def test_a_folder_that_can_not_be_made_is_tried_again_later(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.settings.data.mkdir()
    bench.settings.attempts_folder.write_text("in the way")

    with pytest.raises(BackendUnavailableError, match="can't start attempt"):
        bench.launch(SLEEP)
    with pytest.raises(BackendUnavailableError, match="can't stop attempt"):
        bench.backend.stop(NAME, StopReason.CANCEL)


def test_a_log_that_can_not_be_read_is_told_as_such(bench: Bench) -> None:
    (bench.attempt / files.DRIVER_LOG).mkdir(parents=True)

    with pytest.raises(BackendUnavailableError, match="can't read the driver log"):
        bench.backend.read_log(NAME, "driver", offset=0, limit=9)
    shutil.rmtree(bench.attempt)


def test_secrets_of_a_job_are_for_the_owners_eyes(bench: Bench) -> None:
    bench.launch(SLEEP, conf={"spark.my.password": "hunter2"})

    for path in bench.attempt.iterdir():
        if path.is_file() and "hunter2" in path.read_text():
            assert path.stat().st_mode & 0o077 == 0, path


def test_no_zombie_stays_after_an_attempt(bench: Bench) -> None:
    bench.launch("")
    bench.until(Phase.ENDED)
    started = files.read(bench.attempt / files.STARTED)
    assert started is not None

    AttemptFolder.until(lambda: bench.look() and not psutil.pid_exists(started["pid"]), "the runner is reaped")


def test_release_removes_what_a_killed_runner_left(bench: Bench) -> None:
    scratch = bench.attempt / files.SCRATCH / "work"
    scratch.mkdir(parents=True)

    bench.backend.release(NAME)

    assert not (bench.attempt / files.SCRATCH).exists()
    bench.attempt.rmdir()
