"""Asking for the end of an attempt, in particular when its runner does not listen."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from archer.backends.interface import Phase, StopReason
from archer.backends.local import files, marks
from archer.backends.local.observer import Observer
from archer.backends.local.stopping import ANSWER_SECONDS, Stopper
from tests.archer.backends.local.conftest import AttemptFolder

GRACE = 3.0


class Watch:
    """A clock that stands until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def deaf(attempt: AttemptFolder) -> Iterator[dict[str, Any]]:
    """A running attempt whose runner was stopped; what it wrote when it began."""
    attempt.python("import time; time.sleep(60)")
    attempt.start()
    attempt.read(files.CHILD)
    started = attempt.read(files.STARTED)
    runner = psutil.Process(started["pid"])
    runner.suspend()
    attempt.until(lambda: runner.status() == psutil.STATUS_STOPPED, "the runner's stop")
    yield started
    if psutil.pid_exists(started["pid"]):
        psutil.Process(started["pid"]).send_signal(signal.SIGCONT)


@pytest.mark.parametrize("why", [StopReason.CANCEL, StopReason.RUN_TIMEOUT])
def test_a_runner_that_does_not_answer_is_killed_after_its_time_and_the_attempt_ends_as_it_was_asked_to(
    attempt: AttemptFolder, deaf: dict[str, Any], tmp_path: Path, why: StopReason
) -> None:
    watch = Watch()
    stopper, observer = Stopper(GRACE, watch), Observer(tmp_path)
    program = psutil.Process(attempt.read(files.CHILD)["pid"])

    # WHEN it is asked for a while, THEN it keeps its time
    stopper.stop(attempt.path, why)
    watch.now += GRACE + ANSWER_SECONDS
    stopper.stop(attempt.path, why)
    assert psutil.Process(deaf["pid"]).status() == psutil.STATUS_STOPPED
    assert observer.observe(attempt.path).substate == f"stopping: {why}"

    # WHEN it is asked once more, THEN it and its program are gone
    watch.now += 0.1
    stopper.stop(attempt.path, why)
    seen = attempt.until(lambda: _ended(observer, attempt.path), "the end")

    assert (seen.outcome.stopped_for, seen.outcome.succeeded, seen.outcome.exit_code) == (why, False, None)
    attempt.until(lambda: not program.is_running() or program.status() == psutil.STATUS_ZOMBIE, "the program's end")
    assert marks.marked(attempt.path) == []


def _ended(observer: Observer, folder: Path) -> Any:
    seen = observer.observe(folder)
    return seen if seen.phase is Phase.ENDED else None


def test_an_attempt_that_has_ended_is_asked_from_the_beginning_when_its_name_comes_again(
    attempt: AttemptFolder, deaf: dict[str, Any]
) -> None:
    watch = Watch()
    stopper = Stopper(GRACE, watch)
    stopper.stop(attempt.path, StopReason.CANCEL)

    stopper.forget(attempt.path.name)
    watch.now += 1000
    stopper.stop(attempt.path, StopReason.CANCEL)

    assert psutil.Process(deaf["pid"]).status() == psutil.STATUS_STOPPED


def test_a_process_that_has_the_number_of_a_runner_long_dead_is_left_alone(attempt: AttemptFolder) -> None:
    foreign = psutil.Popen(["sleep", "60"])
    files.write(attempt.path / files.STARTED, {"pid": foreign.pid, "identity": f"{foreign.pid}:1:another-boot"})
    watch = Watch()
    stopper = Stopper(GRACE, watch)

    stopper.stop(attempt.path, StopReason.CANCEL)
    watch.now += 1000
    stopper.stop(attempt.path, StopReason.CANCEL)

    assert foreign.poll() is None
    foreign.kill()
    foreign.wait()
