"""A disk that is full under a living server."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.archer.faults.conftest import ArcherProcess, Archers


def allow_files_of(server: ArcherProcess, size: int) -> None:
    """From now on, every write that makes a file longer than `size` bytes fails in this server, as on a full disk."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_refuses_submissions_keeps_running_jobs_and_passes(archers: Archers) -> None:
    app = archers.counting_application()
    server = archers.serve("--slots", "1")
    running = server.submit(app, "running")
    waiting = server.submit(app, "waiting")
    server.wait(running, "RUNNING")

    allow_files_of(server, 1)
    refused = server.http.post("/api/v1/jobs", json={"name": "late", "application": {"file": str(app)}})
    killed = server.http.post(f"/api/v1/jobs/{waiting}/kill", json={})

    for answer in (refused, killed, server.http.get("/readyz")):
        assert answer.status_code == 503, answer.text
        assert answer.json()["code"] == "store-unavailable"
        assert int(answer.headers["Retry-After"]) > 0
    assert server.http.get("/healthz").status_code == 200
    assert server.job(running)["state"] == "RUNNING"
    assert server.job(waiting)["state"] == "QUEUED"
    assert [job["name"] for job in server.http.get("/api/v1/jobs").json()["jobs"]] == ["job", "job"]

    allow_files_of(server, resource.RLIM_INFINITY)
    archers.let_go()

    assert server.wait(running)["state"] == "SUCCEEDED"
    assert server.wait(waiting)["state"] == "SUCCEEDED"
    assert server.http.get("/readyz").status_code == 200
    late = server.submit(app, "late")
    assert server.wait(late)["state"] == "SUCCEEDED"
    assert archers.lines() == ["running", "waiting", "late"]
