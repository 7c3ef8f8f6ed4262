"""`archer wait`: an exit code for each end, progress on stderr, data on stdout, and patience with a restart."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from archer.cli.output import say
from archer.model import JobState

if TYPE_CHECKING:
    from tests.archer.cli.conftest import Run
    from tests.archer.conftest import HandDriven

S = JobState


def test_all_succeeded_is_0(archer: Run, by_hand: HandDriven) -> None:
    jobs = [by_hand.submit(name) for name in ("a", "b")]
    for job in jobs:
        by_hand.run(job)
        by_hand.change(job, S.SUCCEEDED)

    ran = archer("wait", jobs[0].id, "2")

    assert ran.code == 0
    assert ran.lines == [
        "ID  NAME  STATE  USER  QUEUE  ATTEMPT  STARTED  DURATION",
        "j-ID  a  SUCCEEDED  -  root.default  1/1  TIME  0.0s",
        "j-ID  b  SUCCEEDED  -  root.default  1/1  TIME  0.0s",
    ]
    assert ran.talk == ["archer: a j-ID SUCCEEDED after 0.0s", "archer: b j-ID SUCCEEDED after 0.0s"]


def test_one_that_did_not_succeed_is_1(archer: Run, by_hand: HandDriven) -> None:
    good, bad = by_hand.submit("good"), by_hand.submit("bad")
    by_hand.run(good)
    by_hand.change(good, S.SUCCEEDED)
    by_hand.change(bad, S.CANCELLED)

    ran = archer("wait", good.id, bad.id, "--output", "json")

    assert ran.code == 1
    assert [job["state"] for job in json.loads(ran.out)] == ["SUCCEEDED", "CANCELLED"]
    assert ran.talk[-2:] == [
        "archer: bad (j-ID) ended CANCELLED",
        "archer:  more: archer status j-ID, archer logs j-ID",
    ]


def test_time_that_is_up_is_5_with_what_is_known(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.submit()
    by_hand.run(job)

    ran = archer("wait", job.id, "--timeout", "0.2", "--output", "json")

    assert ran.code == 5
    assert [found["state"] for found in json.loads(ran.out)] == ["RUNNING"]


def test_each_change_is_a_line_where_there_is_no_terminal(
    archer: Run, by_hand: HandDriven, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = by_hand.submit("report")
    by_hand.start(job)
    moves = [(S.RUNNING, "stage 1 of 2"), (S.SUCCEEDED, None)]

    def say_and_go_on(message: str) -> None:
        say(message)
        if moves:
            to, substate = moves.pop(0)
            by_hand.change(job, to, substate=substate)

    monkeypatch.setattr("archer.cli.waiting.say", say_and_go_on)
    ran = archer("wait", job.id)

    assert ran.talk == [
        "archer: report j-ID SUBMITTED after 0.0s",
        "archer: report j-ID RUNNING after 0.0s (stage 1 of 2)",
        "archer: report j-ID SUCCEEDED after 0.0s",
    ]


def test_a_terminal_gets_a_live_line_and_stdout_stays_clean(served: str, by_hand: HandDriven) -> None:
    job = by_hand.submit("report")
    by_hand.run(job)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "archer.cli", "wait", job.id, "--url", served, "--output", "json"]

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    ) as waiting:
        os.close(theirs)
        shown = b""
        while b"RUNNING" not in shown:
            shown += os.read(ours, 4096)
        by_hand.change(job, S.SUCCEEDED)
        assert waiting.stdout is not None
        data = waiting.stdout.read()
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:
            pass  # Linux' word for the end of a pseudo-terminal
    os.close(ours)

    assert waiting.returncode == 0
    assert json.loads(data)[0]["state"] == "SUCCEEDED"
    assert b"report" in shown
    assert "✓" in shown.decode(errors="replace")


def test_ctrl_c_ends_the_waiting_and_not_the_job(served: str, by_hand: HandDriven) -> None:
    job = by_hand.submit()
    command = [sys.executable, "-m", "archer.cli", "wait", job.id, "--url", served]

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        first = waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        rest = waiting.stderr.read()

    assert first.startswith(f"archer: report {job.id} QUEUED after ")
    assert (waiting.returncode, rest) == (130, f"archer: no longer waiting; the jobs go on: archer wait {job.id}\n")
    assert by_hand.service.job(job.id).state is S.QUEUED
