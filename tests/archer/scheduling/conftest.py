"""A real store, fake clusters, and admission and launchers between them, stepped by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from archer.admission import Admission, AdmissionSettings, Admitted
from archer.backends.interface import Observation
from archer.cluster_config import ClusterConfig
from archer.errors import BackendUnavailableError
from archer.launching import Launcher, LaunchSettings
from archer.model import Job, JobState
from archer.store.connection import Database
from archer.store.interface import Change, Fence, Mode, Switch
from archer.store.sql import SqlStore
from testbed.archer_builders import make_cluster_config, make_new_job, make_submission
from testbed.archer_fakes import FakeBackend, FakeClock

LEAVES = ("root.ads.ctr", "root.ads.etl", "root.ml")


def make_config(**changes: Any) -> ClusterConfig:
    """Clusters east and west, teams ads and ml on both, room for everything unless `changes` say otherwise."""
    data = make_cluster_config(*LEAVES, teams={"ads": ["root.ads"], "ml": ["root.ml"]}).model_dump(mode="json")
    (cluster,) = data["clusters"]
    data["clusters"] = [{**cluster, "name": name, "creates_per_minute": 1000} for name in ("east", "west")]
    for team in data["teams"]:
        team |= {"clusters": ["east", "west"], "quota": {"vcores": 10_000, "memory_gib": 100_000}, "pods": 10_000}
    for queue in data["queues"]["tree"]:
        queue.update(changes.get(queue["path"], {}))
    data["queues"] |= changes.get("queues", {})
    for part in [*data["clusters"], *data["teams"]]:
        part.update(changes.get(part["name"], {}))
    return ClusterConfig.model_validate(data)


@dataclass
class Cluster(FakeBackend):
    """A cluster without slots. Counts every create that it is sent, and may fail those of some names."""

    capacity: int | None = None
    creates: Counter[str] = field(default_factory=Counter)
    errors: Callable[[str], BaseException | None] = lambda _: None
    after: Callable[[str], BaseException | None] = lambda _: None
    """Raised when the create is done already."""
    blind: bool = False
    """Whether nothing can be observed."""
    unplannable: Mapping[str, Exception] = field(default_factory=dict)
    """By job id."""

    def observe(self, names: Collection[str]) -> Mapping[str, Observation]:
        if self.blind:
            raise BackendUnavailableError("away")
        return super().observe(names)

    def plan(self, job: Job, *, attempt: int, memory_rung: float) -> Mapping[str, Any]:
        if job.id in self.unplannable:
            raise self.unplannable[job.id]
        return super().plan(job, attempt=attempt, memory_rung=memory_rung)

    def launch(self, name: str, spec: Mapping[str, Any]) -> str:
        self.creates[name] += 1
        error = self.errors(name)
        if error is not None:
            raise error
        reference = super().launch(name, spec)
        error = self.after(name)
        if error is not None:
            raise error
        return reference


class Yard:
    """Two clusters and one server."""

    def __init__(self, database: Database, config: ClusterConfig) -> None:
        self.clock = FakeClock()
        self.database = database
        self.store = SqlStore(database, self.clock)
        self.config = config
        self.clusters = {name: Cluster(cluster=name) for name in ("east", "west")}
        self.launchers = {name: self.launcher(name) for name in self.clusters}
        self.admission = self.admission_of("d")

    def admission_of(self, owner: str, **settings: Any) -> Admission:
        return Admission(
            store=self.store,
            backends=self.clusters,
            config=self.config,
            clock=self.clock,
            owner=owner,
            settings=AdmissionSettings(**settings),
            hand_over=self.hand_over,
        )

    def launcher(self, cluster: str, owner: str = "d", **settings: Any) -> Launcher:
        return Launcher(
            store=self.store,
            backend=self.clusters[cluster],
            clock=self.clock,
            owner=owner,
            settings=LaunchSettings(**settings),
            elsewhere=True,
        )

    def hand_over(self, admitted: Sequence[Admitted]) -> None:
        for one in admitted:
            self.launchers[one.job.cluster or ""].take([one])

    def submit(self, **fields: Any) -> Job:
        """To queue root.ads.ctr, of team ads."""
        queue = fields.pop("queue", "root.ads.ctr")
        team = "ml" if queue == "root.ml" else "ads"
        wishes = fields.pop("submission", {})
        defaults: dict[str, Any] = {
            "team": team,
            "queue": queue,
            "submission": make_submission(team=team, **wishes).model_dump(mode="json"),
            "at": self.clock.now(),
            "namespace": f"spark-{team}",
            "vcores": 2,
            "memory_mib": 4096,
        }
        return self.store.submit(make_new_job(**{**defaults, **fields})).job

    def fence(self, owner: str = "d") -> Fence:
        fence = self.store.acquire("admission", owner, seconds=1_000_000)
        assert fence is not None
        return fence

    def admit(self) -> bool:
        return self.admission.step(self.fence())

    def launch(self) -> None:
        for launcher in self.launchers.values():
            launcher.finish()

    def job(self, job: Job) -> Job:
        return self.store.job(job.id)

    def states(self, *jobs: Job) -> list[str]:
        return [self.job(job).state.value for job in jobs]

    def reason(self, job: Job) -> str | None:
        """As a user reads it."""
        found = self.job(job)
        return (found.reason if found.reason != "waits for a slot" else None) or self.store.wait_reason(
            found.queue, found.user
        )

    def switch(self, kind: str, name: str, mode: Mode = Mode.PAUSED) -> None:
        self.store.set_switch(
            Switch(kind=kind, name=name, mode=mode, message="month end", actor="api:ada", at=self.clock.now())
        )


MakeYard = Callable[..., Yard]


@pytest.fixture(params=["sqlite", "postgresql"])
def make_yard(request: pytest.FixtureRequest) -> Iterator[MakeYard]:
    """A yard of an environment with the changes given."""
    database_url: str = request.getfixturevalue(f"{request.param}_url")
    made: list[Yard] = []

    def make(**changes: Any) -> Yard:
        made.append(Yard(Database(database_url), make_config(**changes)))
        return made[-1]

    yield make
    for yard in made:
        for launcher in yard.launchers.values():
            launcher.close()
        yard.store.close()


@pytest.fixture
def yard(make_yard: MakeYard) -> Yard:
    return make_yard()


def finish(yard: Yard, job: Job, **fields: Any) -> None:
    """It succeeds, as its tracker would write it."""
    found = yard.job(job)
    for to in (JobState.SUBMITTED, JobState.SUCCEEDED) if found.state is JobState.SUBMITTING else (JobState.SUCCEEDED,):
        more = fields if to is JobState.SUCCEEDED else {}
        change = Change(expect_version=found.version, actor="t", at=yard.clock.now(), message="as told", to=to, **more)
        found = yard.store.change(found.id, change)
