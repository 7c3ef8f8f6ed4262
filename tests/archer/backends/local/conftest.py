"""Attempts' folders with small programs instead of Spark, run by the real runner."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from archer.backends.local import files, procs

ROOT = Path(__file__).parents[4]


class AttemptFolder:
    """One attempt."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._runners: list[subprocess.Popen[bytes]] = []
        path.mkdir(parents=True)

    def spec(self, command: Sequence[str], **fields: Any) -> None:
        defaults = {
            "command": list(command),
            "environment": {"PATH": "/usr/bin:/bin"},
            "scratch_folders": ["work", "tmp"],
            "memory_limit_mib": 2000,
            "grace_seconds": 1,
            "application": "/app.py",
            "heap_mib": 512,
            "conf_keys": [],
        }
        files.write(self.path / files.SPEC, {**defaults, **fields})

    def python(self, program: str, **fields: Any) -> None:
        """The attempt runs a Python program."""
        self.spec([sys.executable, "-c", program], **fields)

    def start(self) -> subprocess.Popen[bytes]:
        runner = subprocess.Popen(
            [sys.executable, "-S", "-P", "-m", "archer.backends.local.runner", str(self.path)],
            env={"PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        self._runners.append(runner)
        return runner

    def run(self) -> dict[str, Any]:
        """To its end; the outcome."""
        self.start().wait(60)
        return self.outcome()

    def outcome(self) -> dict[str, Any]:
        return self.read(files.OUTCOME)

    def read(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.until(lambda: files.read(self.path / name), name)
        return found

    def text(self, name: str) -> str:
        return (self.path / name).read_text()

    @staticmethod
    def until(question: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            answer = question()
            if answer:
                return answer
            time.sleep(0.01)
        raise AssertionError(f"not in time: {what}")

    def close(self) -> None:
        for runner in self._runners:
            if runner.poll() is None:
                runner.kill()
            runner.wait()
        child = self.path / files.CHILD
        if child.exists():
            procs.kill_session(json.loads(child.read_text())["pid"])


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[AttemptFolder]:
    made = AttemptFolder(tmp_path / "attempts" / "j-1-1")
    yield made
    made.close()
