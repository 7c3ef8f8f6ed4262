"""What the parts that need a cluster stand on: a real API server, PostgreSQL that commits to disk, and Archer's processes by role.

No operator and no nodes: the parts play both themselves, so that nothing else takes the machine's time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from archer import spark_application
from archer.clock import SystemClock
from archer.kubernetes.access import Access
from archer.kubernetes.client import ApiClient
from archer.store.connection import Database
from archer.store.interface import Mode, Switch
from archer.store.sql import SqlStore
from archer.submission import Submission
from testbed.archer_builders import make_new_job
from testbed.archer_rig import TEAMS, Rig, rig_environment, submission
from testbed.components import Settings

CLUSTER: Final = "east"
THREADS: Final = 8
"""As many as Archer's launcher has."""
_BATCH: Final = 500
_SETTINGS: Final = {
    # pacing is raised: what is measured is what Archer can do
    "ARCHER_CREATES_PER_MINUTE": "100000",
    "ARCHER_MOST_UNACKNOWLEDGED": "100000",
    "ARCHER_MOST_APPLICATIONS": "100000",
    "ARCHER_LOG_LEVEL": "warning",
}
T = TypeVar("T")


@dataclass(frozen=True)
class Ground:
    """A cluster, a database, and the means to ask both."""

    rig: Rig
    store: SqlStore
    client: ApiClient
    """The administrator's, for those who play the operator."""

    def queue_up(self, number: int) -> list[str]:
        """So many jobs that wait, spread over teams and queues, by many rows at once; their ids."""
        made: list[str] = []
        while len(made) < number:
            new = [_new_job(len(made) + place) for place in range(min(_BATCH, number - len(made)))]
            self.store.submit_many(new)
            made += [one.id for one in new]
        return made

    def switch(self, mode: Mode) -> None:
        """Whether the cluster takes jobs."""
        at = SystemClock().now()
        self.store.set_switch(Switch(kind="cluster", name=CLUSTER, mode=mode, message="", actor="benchmark", at=at))

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows from the database."""
        with self.rig.connect() as connection:
            return connection.execute(query, values).fetchall()


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """Everything started, and ended afterwards."""
    folder.mkdir(parents=True)
    environment = rig_environment(folder, clusters=(CLUSTER,), max_applications=100_000, vcores=20_000)
    settings = Settings(scheduler=False)
    rig = Rig(
        folder=folder, environment=environment, settings=settings, bare=True, durable=True, archer_settings=_SETTINGS
    )
    with rig:
        store = SqlStore(Database(rig.database.url("postgres")))
        client = ApiClient(Access.from_kubeconfig(rig.clusters[CLUSTER].plane.kubeconfig), pool_size=THREADS)
        try:
            yield Ground(rig, store, client)
        finally:
            client.close()
            store.close()


def side_by_side(work: Callable[[T], object], things: Iterable[T]) -> None:
    """`work` for each of them, in as many threads as Archer's launcher has; raises what one of them raises."""
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(work, things):
            pass


def batches(things: Sequence[T], size: int) -> Iterator[list[T]]:
    """Some at a time."""
    rest = iter(things)
    while some := list(islice(rest, size)):
        yield some


def _new_job(number: int) -> Any:
    team = TEAMS[number % len(TEAMS)]
    conf = {f"spark.sql.benchmark.property.{each}": f"value-{each:04d}" for each in range(28)}
    wanted = Submission.model_validate(
        submission(number, team=team, tier=f"tier{1 + number // len(TEAMS) % 2}", conf=conf)
    )
    vcores, memory_mib = spark_application.amount(wanted, None)
    return make_new_job(
        at=SystemClock().now(),
        name=wanted.name,
        team=team,
        queue=wanted.queue,
        namespace=f"spark-{team}",
        cluster=CLUSTER,
        vcores=vcores,
        memory_mib=memory_mib,
        submission=wanted.model_dump(mode="json"),
    )
