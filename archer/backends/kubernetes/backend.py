"""The Kubernetes backend: plans, creates, observes and ends attempts on one cluster.

Holds nothing that matters: what is, is in the cluster, and what is to be, in the database. Another server that follows the
same namespaces sees the same.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from archer import spark_application
from archer.backends.interface import STOPPED_FOR, LogPiece, Observation, StopReason
from archer.backends.kubernetes import launching, live
from archer.backends.kubernetes.finalizer import Counts, Finalizers
from archer.backends.kubernetes.following import Following
from archer.backends.kubernetes.looking import KnownAttempts, Looker, Place
from archer.backends.kubernetes.observation import NOT_FOUND, ended_by_itself
from archer.backends.kubernetes.pieces import LogPieces
from archer.backends.kubernetes.records import ApplicationRecord, DriverRecord, Pools
from archer.backends.kubernetes.stopping import Stops
from archer.backends.kubernetes.sweeping import YOUNG_SECONDS, sweep
from archer.backends.kubernetes.tails import Tails
from archer.cluster_config import ClusterConfig, ClusterView
from archer.errors import BackendUnavailableError, Problem
from archer.hands import HANDS, Hands
from archer.kubernetes.client import ApiClient
from archer.kubernetes.errors import ApiError
from archer.kubernetes.reflector import Reflector
from archer.model import Attempt, Job
from archer.spark_application.names import label_value
from archer.submission import Submission

SETTLE_SECONDS: Final = 10
"""How long executors may take to tell how they ended, once their driver failed."""
_WORKERS: Final = 8

Texts = Callable[[str, int, str], str | None]
"""`Store.text`."""


class KubernetesBackend:
    """`archer.backends.interface.Backend` for one cluster."""

    capacity: int | None = None

    def __init__(
        self,
        *,
        config: ClusterConfig,
        cluster: ClusterView,
        client: ApiClient,
        known: KnownAttempts,
        text: Texts,
        settle_seconds: int = SETTLE_SECONDS,
        sweep_after_seconds: int = YOUNG_SECONDS,
        busy: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`known` and `text` are the store's `known_attempts` and `text`. The client is closed with the backend.

        `busy`: namespaces with active jobs, which are followed whether or not a team has them still.
        """
        self.cluster = cluster.name
        own = [team.namespace for team in config.teams if cluster.name in team.clusters]
        self.namespaces: Sequence[str] = tuple(dict.fromkeys([*own, *sorted(busy)]))
        self._config = config
        self._view = cluster
        self._client = client
        self._known = known
        self._text = text
        self._clock = clock
        self._sweep_after_seconds = sweep_after_seconds
        self._following: dict[str, Following] = {}
        self._pools: Pools = tuple((pool.name, dict(pool.node_selector)) for pool in cluster.pools)
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix=f"kubernetes-{cluster.name}")
        # a release lends work to the others, so that it can't be one of theirs
        self._sweepers = ThreadPoolExecutor(HANDS, thread_name_prefix=f"sweep-{cluster.name}")
        self._tails = Tails(client)
        self._pieces = LogPieces(client)
        self._stops = Stops()
        self._finalizers = Finalizers(client, self._workers)
        self._looker = Looker(
            client=client,
            workers=self._workers,
            tails=self._tails,
            pools=self._pools,
            spot=frozenset(pool.name for pool in cluster.pools if pool.capacity == "spot"),
            known=known,
            place=self._place_by_record,
            stopped_for=self._stops.of,
            noted=lambda attempt: text(attempt.job_id, attempt.number, STOPPED_FOR),
            settle_seconds=settle_seconds,
            clock=clock,
        )

    def check(self, submission: Submission) -> Sequence[Problem]:
        return spark_application.check(submission, config=self._config, cluster=self._view)

    def notes(self, submission: Submission) -> Sequence[str]:
        return spark_application.notes(submission, config=self._config, cluster=self._view)

    def listen(self, namespace: str) -> None:
        if namespace not in self._following:
            following = Following(self._client, self.cluster, namespace, self._pools, clock=self._clock)
            self._following = {**self._following, namespace: following}
            following.start()

    def unlisten(self, namespace: str) -> None:
        following = self._following.get(namespace)
        self._following = {name: each for name, each in self._following.items() if name != namespace}
        if following is not None:
            following.stop()

    def news(self, namespace: str) -> Collection[str] | None:
        return self._followed(namespace).news()

    def plan(self, job: Job, *, attempt: int, memory_rung: float) -> Mapping[str, Any]:
        return spark_application.build(
            job, config=self._config, cluster=self._view, attempt=attempt, memory_rung=memory_rung
        )

    def top_rung(self, job: Job) -> float:
        submission = Submission.model_validate(job.submission).model_copy(update={"queue": job.queue})
        return spark_application.highest_rung(submission, config=self._config, cluster=self._view)

    def launch(self, name: str, spec: Mapping[str, Any]) -> str:
        return launching.launch(self._client, name, spec)

    def observe(self, names: Collection[str]) -> Mapping[str, Observation]:
        places = {name: place for name in names if (place := self._place_by_cache(name)) is not None}
        return self._looker.look(list(names), places)

    def stop(self, name: str, why: StopReason) -> None:
        place = self._place(name)
        if place is None:
            return
        application, driver = self._records(place, name)
        try:
            self._stops.stop(self._client, place.namespace, name, why, application=application, driver=driver)
        except ApiError as error:
            raise live.unavailable(error, f"stop attempt {name}") from error

    def release(self, name: str) -> None:
        """Never raises for a cluster that doesn't answer: what is left undone, the sweep finds."""
        place = self._place(name)
        if place is None:
            return
        try:
            application, driver = self._records(place, name)
            if place.following is not None and place.following.synced:
                executors = place.following.executor_pods(name)
            else:
                pods = live.executor_pods(self._client, place.namespace, name)
                executors = [pod["metadata"]["name"] for pod in pods]
        except BackendUnavailableError:
            return
        self._finalizers.release(
            place.namespace,
            name,
            application=application,
            executors=executors,
            saved=_saved(application, driver),
        )
        self._stops.forget(name)

    def sweep(self, namespace: str) -> int:
        """Release what a crash left behind in a followed namespace; how many attempts. Raises BackendUnavailableError."""
        following = self._followed(namespace)
        following.check()
        young = self._sweep_after_seconds
        hands = Hands(self._sweepers)
        return sweep(
            following,
            self._finalizers,
            self._known,
            installation=label_value(self._config.environment),
            now=int(self._clock()),
            young_seconds=young,
            hands=hands,
        )

    def read_log(self, name: str, stream: str, *, offset: int, limit: int) -> LogPiece:
        """A pod has one log for stdout and stderr: it is the driver's, and `stdout` is empty."""
        place = self._place(name) if stream == "driver" else None
        if place is None:
            return LogPiece(data=b"", offset=offset, size=0)

        def recorded() -> str | None:
            attempt = self._known([name]).get(name)
            return None if attempt is None else self._text(attempt.job_id, attempt.number, "driver-log")

        return self._pieces.read(place.namespace, name, offset=offset, limit=limit, recorded=recorded)

    def close(self) -> None:
        for namespace in list(self._following):
            self.unlisten(namespace)
        self._tails.close()
        self._sweepers.shutdown(wait=False, cancel_futures=True)
        self._workers.shutdown(cancel_futures=True)
        self._client.close()

    # for metrics

    def finalizers(self) -> Counts:
        return self._finalizers.counts()

    def held(self) -> int:
        """Drivers that our finalizer keeps, in the namespaces that this process follows."""
        return sum(driver.held for following in self._following.values() for driver in following.drivers())

    def reflectors(self) -> Sequence[Reflector[Any]]:
        return [reflector for following in self._following.values() for reflector in following.reflectors]

    # where an attempt is

    def _followed(self, namespace: str) -> Following:
        following = self._following.get(namespace)
        if following is None:
            raise BackendUnavailableError(f"namespace {namespace} of cluster {self.cluster} is not listened to")
        return following

    def _place(self, name: str) -> Place | None:
        return self._place_by_cache(name) or self._place_by_record(name, self._known([name]))

    def _place_by_cache(self, name: str) -> Place | None:
        for namespace, following in self._following.items():
            if following.application(name) is not None or following.driver(name) is not None:
                return Place(namespace=namespace, following=following)
        return None

    def _place_by_record(self, name: str, known: Mapping[str, Attempt]) -> Place | None:
        attempt = known.get(name)
        namespace = None if attempt is None else (attempt.spec.get("metadata") or {}).get("namespace")
        if namespace is None:
            return None
        return Place(namespace=namespace, following=self._following.get(namespace))

    def _records(self, place: Place, name: str) -> tuple[ApplicationRecord | None, DriverRecord | None]:
        """Cached where possible; what isn't in the cache is asked for. Raises BackendUnavailableError."""
        application = driver = None
        if place.following is not None and place.following.synced:
            application, driver = place.following.application(name), place.following.driver(name)
        application = application or live.application(self._client, place.namespace, name)
        driver = driver or live.driver(self._client, place.namespace, name, self._pools)
        return application, driver


def _saved(application: ApplicationRecord | None, driver: DriverRecord | None) -> bool:
    """Whether only our finalizer kept the attempt's true end."""
    if driver is None or not driver.held or driver.end is None:
        return False
    if not ended_by_itself(driver):
        return False
    lost = application is None or NOT_FOUND in application.error
    return lost or driver.deleted is not None
