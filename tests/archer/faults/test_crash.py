"""`kill -9` of the server, and of what runs beside it, at bad moments."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from tests.archer.faults.conftest import Archers


def test_a_job_that_runs_while_the_server_is_killed_is_found_again_and_ends_in_its_true_state(archers: Archers) -> None:
    app = archers.counting_application()
    first = archers.serve("--slots", "1")
    running = first.submit(app, "running")
    waiting = first.submit(app, "waiting")
    first.wait(running, "RUNNING")

    first.kill_hard()
    second = archers.serve("--slots", "1")
    assert second.job(running)["state"] == "RUNNING"
    assert second.job(waiting)["state"] == "QUEUED"
    archers.let_go()

    assert second.wait(running)["state"] == "SUCCEEDED"
    assert second.wait(waiting)["state"] == "SUCCEEDED"
    assert archers.lines() == ["running", "waiting"]
    assert second.moves(running) == ["QUEUED", "SUBMITTING", "SUBMITTED", "RUNNING", "SUCCEEDED"]


def test_a_job_that_ends_while_no_server_lives_keeps_its_result(archers: Archers) -> None:
    app = archers.counting_application()
    first = archers.serve("--slots", "2")
    good, bad = first.submit(app, "good"), first.submit(app, "bad", "3")
    first.wait(good, "RUNNING")
    first.wait(bad, "RUNNING")
    runners = [psutil.Process(archers.runner_pid(job)) for job in (good, bad)]

    first.kill_hard()
    archers.let_go()
    psutil.wait_procs(runners, timeout=30)
    second = archers.serve("--slots", "2")

    assert second.wait(good)["state"] == "SUCCEEDED"
    failed = second.wait(bad)
    assert failed["state"] == "FAILED"
    assert failed["diagnosis"]["exit_code"] == 3
    assert failed["attempt"] == 1


def test_a_server_killed_again_and_again_runs_every_job_once(archers: Archers) -> None:
    app = archers.counting_application()
    archers.let_go()
    first = archers.serve("--slots", "3")
    jobs = [first.submit(app, f"job-{number}") for number in range(12)]
    server = first
    for pause in (0.1, 0.3, 0.2, 0.4):
        time.sleep(pause)
        server.kill_hard()
        server = archers.serve("--slots", "3")

    ends = [server.wait(job)["state"] for job in jobs]

    assert ends == ["SUCCEEDED"] * 12
    assert sorted(archers.lines()) == sorted(f"job-{number}" for number in range(12))


def test_a_lost_attempt_is_ended_for_good_and_repeated_once_for_free(archers: Archers) -> None:
    server = archers.serve()
    job = server.submit(archers.counting_application(), "again")
    server.wait(job, "RUNNING")
    orphan = archers.child_pid(job)

    os.kill(archers.runner_pid(job), signal.SIGKILL)
    archers.child_pid(job, attempt=2)
    assert not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE
    archers.let_go()

    ended = server.wait(job)
    assert (ended["state"], ended["attempt"], ended["max_attempts"]) == ("SUCCEEDED", 2, 1)
    attempts = server.http.get(f"/api/v1/jobs/{job}/attempts").json()["attempts"]
    assert [attempt["state"] for attempt in attempts] == ["FAILED", "SUCCEEDED"]
    assert attempts[0]["diagnosis"]["category"] == "lost"
    assert "LOST" in server.moves(job)


def test_a_job_that_is_lost_three_times_fails_and_says_why(archers: Archers) -> None:
    server = archers.serve()
    job = server.submit(archers.counting_application(), "doomed")
    for attempt in (1, 2, 3):
        archers.child_pid(job, attempt=attempt)
        os.kill(archers.runner_pid(job, attempt=attempt), signal.SIGKILL)

    ended = server.wait(job)

    assert (ended["state"], ended["attempt"]) == ("FAILED", 3)
    assert ended["diagnosis"]["category"] == "lost"
    assert "what kills processes" in ended["diagnosis"]["resolution"]


def test_sigterm_hands_the_leases_over_and_leaves_jobs_running(archers: Archers) -> None:
    long_lease = "300"
    first = archers.serve(ARCHER_LEASE_SECONDS=long_lease)
    job = first.submit(archers.counting_application(), "on")
    first.wait(job, "RUNNING")

    assert first.terminate() == 0
    assert psutil.pid_exists(archers.child_pid(job))
    assert not (first.data / "server.json").exists()
    second = archers.serve(ARCHER_LEASE_SECONDS=long_lease)
    archers.let_go()

    # a lease that was not handed over would keep the second one waiting for five minutes
    assert second.wait(job)["state"] == "SUCCEEDED"
    assert archers.lines() == ["on"]


def test_a_server_told_to_stop_its_jobs_leaves_no_process(archers: Archers) -> None:
    server = archers.serve("--stop-jobs-on-exit", "--slots", "1")
    app = archers.counting_application()
    job, waiting = server.submit(app, "stopped"), server.submit(app, "waiting")
    server.wait(job, "RUNNING")
    child = archers.child_pid(job)

    assert server.terminate() == 0

    assert not psutil.pid_exists(child)
    second = archers.serve("--roles", "api")
    assert second.job(job)["state"] == "CANCELLED"
    assert second.job(waiting)["state"] == "QUEUED"
    assert archers.lines() == ["stopped"]


def test_a_server_ends_with_its_parent_when_asked_to(archers: Archers) -> None:
    server = archers.serve("--stop-on-stdin-eof")
    assert server.process.stdin is not None

    server.process.stdin.close()

    assert server.process.wait(30) == 0


def test_ctrl_c_ends_it_and_a_second_one_ends_it_at_once(archers: Archers) -> None:
    quick = archers.serve()
    quick.process.send_signal(signal.SIGINT)
    assert quick.process.wait(30) == 0

    slow = archers.serve("--stop-jobs-on-exit", ARCHER_CANCEL_GRACE_SECONDS="300")
    deaf = archers.application(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(99)\n"
    )
    job = slow.submit(deaf)
    log = slow.data / "attempts" / f"{job}-1" / "stdout.log"
    archers.until(lambda: log.exists() and bool(log.read_text()), what="a deaf job")
    slow.process.send_signal(signal.SIGINT)
    archers.until(lambda: slow.job(job)["state"] == "CANCELLING", what="the first Ctrl-C at work")

    slow.process.send_signal(signal.SIGINT)

    assert slow.process.wait(30) == 130
