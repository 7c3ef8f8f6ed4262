"""Kills of real processes through the API, and refusals to serve."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from archer.backends.local import procs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archer.faults.conftest import Archers


def test_a_running_job_and_its_children_are_gone_when_it_is_cancelled(archers: Archers) -> None:
    server = archers.serve()
    app = archers.application(
        "import os, subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'], process_group=0)\n"
        "time.sleep(99)\n"
    )
    job = server.submit(app)
    server.wait(job, "RUNNING")
    session = archers.child_pid(job)

    first = server.http.post(f"/api/v1/jobs/{job}/kill", json={})
    ended = server.wait(job)
    again = server.http.post(f"/api/v1/jobs/{job}/kill", json={})

    assert (first.status_code, first.json()["state"]) == (202, "CANCELLING")
    assert (ended["state"], ended["diagnosis"]) == ("CANCELLED", None)
    assert procs.session_members(session) == []
    assert (again.status_code, again.json()["code"]) == (409, "job-already-finished")
    assert server.moves(job)[-2:] == ["CANCELLING", "CANCELLED"]


def test_a_job_killed_just_after_its_submission_never_ends_otherwise(archers: Archers) -> None:
    server = archers.serve("--slots", "4")
    app = archers.counting_application()
    jobs = [server.submit(app, f"job-{number}") for number in range(12)]

    for job in jobs:
        assert server.http.post(f"/api/v1/jobs/{job}/kill", json={}).status_code in {200, 202}

    assert [server.wait(job)["state"] for job in jobs] == ["CANCELLED"] * 12


def test_a_job_that_runs_too_long_is_stopped_and_says_so(archers: Archers) -> None:
    server = archers.serve()
    job = server.submit(archers.counting_application(), "slow", timeouts={"run_seconds": 1})

    ended = server.wait(job)

    assert (ended["state"], ended["diagnosis"]["category"]) == ("FAILED", "timeout")
    assert "run_seconds" in ended["diagnosis"]["resolution"]


def refused(data: Path, *flags: str, **settings: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "archer.cli", "serve", "--data", str(data), "--port", "0", "--no-history", *flags],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **settings},
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_a_door_to_the_world_is_refused(tmp_path: Path, host: str) -> None:
    code, said = refused(tmp_path, "--host", host)

    assert code == 2
    assert "must be a loopback address" in said


def test_a_data_folder_that_can_not_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    code, said = refused(tmp_path / "file" / "data")

    assert code == 2
    assert "choose another --data" in said


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "archer.db").write_bytes(b"not a database" * 1000)

    code, said = refused(tmp_path)

    assert code == 4
    assert "not a database" in said


def test_bad_settings_are_told_all_at_once(tmp_path: Path) -> None:
    code, said = refused(tmp_path, ARCHER_SLOTS="0", ARCHER_LOG_LEVEL="loud")

    assert code == 2
    assert "slots" in said
    assert "log_level" in said
