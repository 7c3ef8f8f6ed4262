"""Fakes for Archer's workers: a clock that moves when told to, a backend whose attempts do what the test says.

The store is never faked: SQLite is quick enough, and most of what can go wrong is in its transactions.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from archer.backends.interface import LogPiece, Observation, Outcome, Phase, StopReason
from archer.diagnosis import Evidence
from archer.errors import Problem
from archer.model import Job
from archer.submission import Submission


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 10, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@dataclass
class FakeBackend:
    """Records what it is asked, and answers what it was told."""

    capacity: int | None = 2
    cluster: str = "local"
    launched: list[str] = field(default_factory=list)
    stopped: list[tuple[str, StopReason]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    seen: dict[str, Observation] = field(default_factory=dict)
    """What `observe` answers; an attempt that isn't here is starting."""
    launch_error: BaseException | None = None
    """Raised by `launch` instead of starting anything."""
    problems: Sequence[Problem] = ()
    highest_rung: float = 4.0
    namespaces: Sequence[str] = ("",)
    listening: set[str] = field(default_factory=set)
    told: set[str] | None = None
    """What `news` answers next; None: this backend doesn't listen."""

    def listen(self, namespace: str) -> None:
        self.listening.add(namespace)

    def unlisten(self, namespace: str) -> None:
        self.listening.discard(namespace)

    def news(self, namespace: str) -> Collection[str] | None:
        del namespace
        told, self.told = self.told, None if self.told is None else set()
        return told

    def check(self, submission: Submission) -> Sequence[Problem]:
        del submission
        return self.problems

    def notes(self, submission: Submission) -> Sequence[str]:
        del submission
        return ()

    def plan(self, job: Job, *, attempt: int, memory_rung: float) -> Mapping[str, Any]:
        return {"name": job.name, "attempt": attempt, "rung": memory_rung}

    def top_rung(self, job: Job) -> float:
        del job
        return self.highest_rung

    def launch(self, name: str, spec: Mapping[str, Any]) -> str:
        del spec
        if self.launch_error is not None:
            raise self.launch_error
        if name not in self.launched:
            self.launched.append(name)
        return f"ref of {name}"

    def observe(self, names: Collection[str]) -> Mapping[str, Observation]:
        return {name: self.seen.get(name, Observation(phase=Phase.STARTING)) for name in names}

    def stop(self, name: str, why: StopReason) -> None:
        self.stopped.append((name, why))

    def release(self, name: str) -> None:
        self.released.append(name)

    def read_log(self, name: str, stream: str, *, offset: int, limit: int) -> LogPiece:
        data = f"{name} {stream}\n".encode()
        return LogPiece(data=data[offset : offset + limit], offset=offset, size=len(data))

    def close(self) -> None:
        """Nothing to let go of."""

    def run(self, name: str) -> None:
        """The attempt's application is up."""
        self.seen[name] = Observation(phase=Phase.RUNNING, spark_app_id=f"app-{name}", ui_url="http://127.0.0.1:4040")

    def end(self, name: str, *, exit_code: int | None = 0, stopped_for: str | None = None, **evidence: Any) -> None:
        """The attempt ended."""
        told = Evidence(application="/app.py", exit_code=exit_code, stopped_for=stopped_for, **evidence)
        outcome = Outcome(succeeded=exit_code == 0, stopped_for=stopped_for, exit_code=exit_code, evidence=told)
        self.seen[name] = Observation(phase=Phase.ENDED, spark_app_id=f"app-{name}", outcome=outcome)

    def lose(self, name: str) -> None:
        """The attempt vanished."""
        self.seen[name] = Observation(phase=Phase.VANISHED, last_seen="it was there a moment ago")
