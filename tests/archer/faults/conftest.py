"""`archer serve` as a process of its own, to be killed, doubled and starved."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import pytest

from archer.backends.local import procs

FAKE_SPARK = Path(__file__).with_name("fake_spark.py")
PATIENCE_SECONDS = 180.0

FINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}


T = TypeVar("T")


class ArcherProcess:
    """One `archer serve` on a data folder."""

    def __init__(self, data: Path, *flags: str, real_spark: bool = False, **settings: str) -> None:
        self.data = data
        data.mkdir(exist_ok=True)
        self.log = data.parent / f"{data.name}-serve.log"
        command = [sys.executable, "-m", "archer.cli", "serve", "--data", str(data), "--port", "0", "--no-history"]
        quick = {"ARCHER_LEASE_SECONDS": "2", "ARCHER_RETRY_PAUSE_SECONDS": "0.1", "ARCHER_CANCEL_GRACE_SECONDS": "2"}
        if not real_spark:
            quick["ARCHER_SPARK_SUBMIT_COMMAND"] = f"{sys.executable} {FAKE_SPARK}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ARCHER_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *flags],
                env={**kept, **quick, **settings},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self.url = self._announced()
        self.http = httpx.Client(base_url=self.url, timeout=70, trust_env=False)

    def _announced(self) -> str:
        def url() -> str | None:
            assert self.process.poll() is None, self.log.read_text()
            try:
                found = json.loads((self.data / "server.json").read_text())
            except FileNotFoundError:
                return None
            return found["url"] if found["pid"] == self.process.pid else None

        return until(url, what=f"server.json of pid {self.process.pid}")

    def submit(self, application: Path, *arguments: str, **fields: Any) -> str:
        body = {"name": "job", "application": {"file": str(application), "arguments": arguments}, **fields}
        answer = self.http.post("/api/v1/jobs", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/api/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def wait(self, job_id: str, *states: str) -> dict[str, Any]:
        """Until the job is in one of the states, any final one by default."""

        def arrived() -> dict[str, Any] | None:
            found = self.job(job_id)
            if found["state"] in (states or FINAL):
                return found
            assert found["state"] not in FINAL, found
            return None

        return until(arrived, what=f"job {job_id} in {states or FINAL}")

    def moves(self, job_id: str) -> list[str]:
        events = self.http.get(f"/api/v1/jobs/{job_id}/events").json()["events"]
        return [event["to_state"] for event in events if event["kind"] == "state"]

    def kill_hard(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def close(self) -> None:
        self.http.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
        if self.process.poll() is None:
            self.kill_hard()


def until(question: Callable[[], T | None], *, what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """The first answer that isn't None or False."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = question()
        if answer is not None and answer is not False:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


class Archers:
    """Starts servers and, after the test, leaves nothing of them or of their jobs behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ran = folder / "ran"
        self.go = folder / "go"
        self._all: list[ArcherProcess] = []

    def serve(self, *flags: str, data: str = "data", real_spark: bool = False, **settings: str) -> ArcherProcess:
        started = ArcherProcess(self.folder / data, *flags, real_spark=real_spark, **settings)
        self._all.append(started)
        return started

    def application(self, text: str, name: str = "app.py") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def counting_application(self) -> Path:
        """Adds a line to the file `ran`, waits for the file `go`, ends with the exit code it is given."""
        return self.application(
            f"""
import os, sys, time
with open({str(self.ran)!r}, "a") as file:
    file.write(sys.argv[1] + "\\n")
while not os.path.exists({str(self.go)!r}):
    time.sleep(0.02)
print("done", sys.argv[1])
sys.exit(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
"""
        )

    def lines(self) -> list[str]:
        return self.ran.read_text().split() if self.ran.exists() else []

    def let_go(self) -> None:
        self.go.touch()

    def runner_pid(self, job_id: str, attempt: int = 1, data: str = "data") -> int:
        return int(self._file(job_id, attempt, data, "started.json")["pid"])

    def child_pid(self, job_id: str, attempt: int = 1, data: str = "data") -> int:
        return int(self._file(job_id, attempt, data, "child.json")["pid"])

    def _file(self, job_id: str, attempt: int, data: str, name: str) -> dict[str, Any]:
        path = self.folder / data / "attempts" / f"{job_id}-{attempt}" / name
        found: dict[str, Any] = json.loads(until(lambda: path.read_text() if path.exists() else None, what=str(path)))
        return found

    @staticmethod
    def until(question: Callable[[], T | None], *, what: str) -> T:
        return until(question, what=what)

    def close(self) -> None:
        for server in self._all:
            server.close()
        for path in self.folder.glob("*/attempts/*/child.json"):
            procs.kill_session(json.loads(path.read_text())["pid"])

        def gone() -> bool:
            return not any(str(self.folder) in " ".join(_command_line(process)) for process in psutil.process_iter())

        until(gone, what="no process of this test left")


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


@pytest.fixture
def archers(tmp_path: Path) -> Iterator[Archers]:
    made = Archers(tmp_path)
    yield made
    made.close()
