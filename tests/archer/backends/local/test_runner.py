"""One attempt, from taking it to its outcome, in a real process."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from archer.backends.local import files, marks, procs
from archer.backends.local.runner import Runner
from tests.archer.backends.local.conftest import AttemptFolder


def test_exit_code_logs_and_peak_memory_are_written_down(attempt: AttemptFolder) -> None:
    attempt.python("import sys, time; print('out'); print('err', file=sys.stderr); time.sleep(0.5); sys.exit(7)")

    outcome = attempt.run()

    assert (outcome["exit_code"], outcome["signal"], outcome["stopped_for"]) == (7, None, None)
    assert outcome["peak_memory_mib"] > 0
    assert outcome["disk_free_mib"] > 0
    assert outcome["started_at"] <= outcome["finished_at"]
    assert (attempt.text(files.STDOUT_LOG), attempt.text(files.DRIVER_LOG)) == ("out\n", "err\n")


def test_the_program_sees_its_own_environment_and_working_folder(attempt: AttemptFolder) -> None:
    program = "import os; print(os.getcwd()); print(sorted(os.environ))"
    attempt.python(program, environment={"STAGE": "test"})

    attempt.run()

    folder, names = attempt.text(files.STDOUT_LOG).splitlines()
    assert folder == str(attempt.path / "scratch" / "work")
    assert names in {"['ARCHER_ATTEMPT_FOLDER', 'STAGE']", "['ARCHER_ATTEMPT_FOLDER', 'LC_CTYPE', 'STAGE']"}


def test_scratch_files_are_removed_and_logs_stay(attempt: AttemptFolder) -> None:
    attempt.python("open('rubbish', 'w').write('x' * 1000)")

    assert attempt.run()["exit_code"] == 0

    assert not (attempt.path / files.SCRATCH).exists()
    assert (attempt.path / files.STDOUT_LOG).exists()


def test_a_second_runner_leaves_at_once_and_runs_nothing(attempt: AttemptFolder) -> None:
    attempt.python("import time; print('ran', flush=True); time.sleep(1)")
    first = attempt.start()
    attempt.read(files.CHILD)

    assert attempt.start().wait(30) == 3

    assert first.wait(30) == 0
    assert attempt.start().wait(30) == 3
    assert attempt.text(files.STDOUT_LOG) == "ran\n"


def test_of_many_runners_at_once_one_runs(attempt: AttemptFolder) -> None:
    attempt.python("print('ran')")

    codes = [runner.wait(60) for runner in [attempt.start() for _ in range(6)]]

    assert sorted(codes) == [0, 3, 3, 3, 3, 3]
    assert attempt.text(files.STDOUT_LOG) == "ran\n"


def test_more_memory_than_allowed_is_a_kill_with_both_numbers(attempt: AttemptFolder) -> None:
    program = "import time; data = []\nfor _ in range(100):\n    data.append(b'x' * 20_000_000); time.sleep(0.02)"
    attempt.python(program, memory_limit_mib=300)

    outcome = attempt.run()

    assert (outcome["stopped_for"], outcome["signal"], outcome["exit_code"]) == ("memory-limit", signal.SIGKILL, 137)
    assert outcome["peak_memory_mib"] > 300


def test_memory_of_children_counts_too(attempt: AttemptFolder) -> None:
    child = "import time; data = b'x' * 200_000_000; time.sleep(60)"
    program = f"import subprocess, sys\nps = [subprocess.Popen([sys.executable, '-c', {child!r}], process_group=0) for _ in range(2)]\nps[0].wait()"
    attempt.python(program, memory_limit_mib=300)

    assert attempt.run()["stopped_for"] == "memory-limit"
    assert procs.session_members(attempt.read(files.CHILD)["pid"]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="found by its environment, which only Linux shows")
def test_memory_of_a_daemon_that_left_the_session_counts_too(attempt: AttemptFolder) -> None:
    greedy = "import time; data = b'x' * 400_000_000; time.sleep(60)"
    program = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {greedy!r}], start_new_session=True)\ntime.sleep(60)"
    attempt.python(program, memory_limit_mib=300)

    outcome = attempt.run()

    assert outcome["stopped_for"] == "memory-limit"
    assert outcome["peak_memory_mib"] > 300
    assert marks.marked(attempt.path) == []


def test_a_request_to_stop_ends_it_and_its_reason_comes_back(attempt: AttemptFolder) -> None:
    attempt.python("import time; time.sleep(60)")
    runner = attempt.start()
    attempt.read(files.CHILD)

    files.take(attempt.path / files.STOP, {"why": "cancel"})

    assert runner.wait(30) == 0
    outcome = attempt.outcome()
    assert (outcome["stopped_for"], outcome["signal"]) == ("cancel", signal.SIGTERM)


def test_a_program_that_ended_by_itself_keeps_its_result_when_the_request_comes_late(attempt: AttemptFolder) -> None:
    attempt.python("pass")
    files.take(attempt.path / files.STOP, {"why": "cancel"})
    runner = Runner(attempt.path)
    runner.spec = {"grace_seconds": 1, "memory_limit_mib": 2000}
    ended = subprocess.Popen(["true"], start_new_session=True)
    AttemptFolder.until(lambda: procs.identity(ended.pid) is None, "the end")

    runner._look(ended.pid)

    assert runner.stopped_for is None
    ended.wait()


def test_a_program_whose_runner_died_while_it_was_born_never_starts(attempt: AttemptFolder) -> None:
    born = (
        "import os, sys, time; from pathlib import Path; from archer.backends.local.runner import Runner\n"
        "runner = Runner(Path(sys.argv[1]))\n"
        "if os.fork() == 0:\n"
        "    while os.getppid() == runner._pid: time.sleep(0.01)\n"
        "    try: runner._note_child()\n"
        "    finally: print('started', flush=True)\n"
    )

    done = subprocess.run([sys.executable, "-c", born, str(attempt.path)], capture_output=True, text=True, check=True)

    # the pipe closes when both are gone
    assert done.stdout == ""
    (attempt.path / files.CHILD).unlink()


def test_a_runner_whose_folder_was_removed_ends(attempt: AttemptFolder) -> None:
    command = [sys.executable, "-c", "import shutil, sys; shutil.rmtree(sys.argv[1])", str(attempt.path)]
    attempt.spec(command)

    attempt.start().wait(30)

    assert not attempt.path.exists()


def test_a_program_that_ignores_the_request_is_killed_after_the_grace(attempt: AttemptFolder) -> None:
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    attempt.python(program, grace_seconds=0.3)
    runner = attempt.start()
    attempt.until(lambda: (attempt.path / files.STDOUT_LOG).exists() and attempt.text(files.STDOUT_LOG), "deaf")

    files.take(attempt.path / files.STOP, {"why": "run-timeout"})

    assert runner.wait(30) == 0
    assert (attempt.outcome()["stopped_for"], attempt.outcome()["signal"]) == ("run-timeout", signal.SIGKILL)


def test_processes_that_outlive_the_program_are_killed(attempt: AttemptFolder) -> None:
    program = (
        "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid)"
    )
    attempt.python(program)

    assert attempt.run()["exit_code"] == 0

    assert procs.identity(int(attempt.text(files.STDOUT_LOG))) is None


@pytest.mark.skipif(sys.platform != "linux", reason="found by its environment, which only Linux shows")
def test_a_daemon_that_left_the_session_is_killed_too(attempt: AttemptFolder) -> None:
    program = "import subprocess; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"
    attempt.python(program)

    assert attempt.run()["exit_code"] == 0

    assert procs.identity(int(attempt.text(files.STDOUT_LOG))) is None


@pytest.mark.parametrize("command", [["/no/such/program"], ["/etc/hostname"]])
def test_a_program_that_can_not_be_started_is_an_outcome_with_the_reason(
    attempt: AttemptFolder, command: list[str]
) -> None:
    attempt.spec(command)

    outcome = attempt.run()

    assert outcome["exit_code"] == 127
    assert command[0] in outcome["launch_error"]


def test_a_machine_that_has_no_process_left_for_a_moment_fails_no_job(
    attempt: AttemptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt.python("print('ran')")
    runner = Runner(attempt.path)
    runner.spec = attempt.read(files.SPEC)
    start, tries = (
        runner._start,
        iter([OSError(errno.EAGAIN, "no process left"), OSError(errno.EMFILE, "no file left")]),
    )

    def scarce() -> subprocess.Popen[bytes]:
        for error in tries:
            raise error
        return start()

    monkeypatch.setattr(runner, "_start", scarce)
    outcome = runner._run_child()

    assert (outcome["exit_code"], outcome["launch_error"]) == (0, None)
    assert attempt.text(files.STDOUT_LOG) == "ran\n"


def test_a_crash_is_told_by_its_signal(attempt: AttemptFolder) -> None:
    attempt.python("import os; os.abort()")

    outcome = attempt.run()

    assert (outcome["exit_code"], outcome["signal"]) == (134, signal.SIGABRT)


def test_a_shutdown_of_the_machine_is_passed_on_and_written_down(attempt: AttemptFolder) -> None:
    attempt.python("import time; time.sleep(60)")
    runner = attempt.start()
    attempt.read(files.CHILD)

    runner.send_signal(signal.SIGTERM)

    assert runner.wait(30) == 0
    assert attempt.outcome()["stopped_for"] == "shutdown"


def test_the_pid_of_the_program_is_known_before_it_runs(attempt: AttemptFolder) -> None:
    attempt.python(f"print(open({str(attempt.path / files.CHILD)!r}).read())")

    attempt.run()

    assert str(attempt.read(files.CHILD)["pid"]) in attempt.text(files.STDOUT_LOG)


def test_a_full_disk_delays_the_outcome_and_does_not_lose_it(attempt: AttemptFolder) -> None:
    import resource

    attempt.python("import time; time.sleep(1)")
    runner = attempt.start()
    attempt.read(files.CHILD)
    resource.prlimit(runner.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    time.sleep(2.5)
    assert runner.poll() is None
    assert not (attempt.path / files.OUTCOME).exists()

    resource.prlimit(runner.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    assert runner.wait(30) == 0
    assert attempt.outcome()["exit_code"] == 0
    assert [path.name for path in attempt.path.iterdir() if path.name.startswith(".")] == []


def test_a_folder_without_a_spec_is_refused(attempt: AttemptFolder) -> None:
    assert attempt.start().wait(30) == 2
    assert os.listdir(attempt.path) == []  # noqa: PTH208  # names are enough
