"""The loops behind the API, as the roles of a process say: dispatcher, tracker, janitor.

Whoever may be alone works under a lease (admission, the janitor, each tracker); launchers need none (decision 0007). There is
a thread per loop: as many as clusters and namespaces, never as many as jobs.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import structlog

from archer.admission import Admission, AdmissionSettings, Admitted
from archer.backends.fleet import Fleet
from archer.backends.interface import Backend, Sweeping
from archer.bells import Bell
from archer.clock import Clock
from archer.cluster_config import ClusterConfig
from archer.composition import REQUEST_SECONDS
from archer.dispatcher import Dispatcher
from archer.errors import ArcherError
from archer.hands import HANDS, Hands
from archer.janitor import Janitor
from archer.launching import Launcher, LaunchSettings
from archer.loops import LeaseKeeper, Loop, NoLease, Step
from archer.settings import ServeSettings
from archer.sharing import Share, SharedLeaseKeeper
from archer.store.interface import Fence, Store
from archer.tracker import Tracker
from archer.worker_metrics import WorkerMetrics

_CLAIM_SECONDS: Final = 60.0
"""How long a launcher may take before another one may create the attempt: several times what a create takes at most."""

_log = structlog.get_logger()


class Workers:
    """The loops of one process."""

    def __init__(
        self,
        settings: ServeSettings,
        store: Store,
        fleet: Fleet,
        clock: Clock,
        owner: str,
        *,
        config: ClusterConfig | None = None,
        metrics: WorkerMetrics | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._fleet = fleet
        self._clock = clock
        self._owner = owner
        self._config = config
        self._metrics = metrics or WorkerMetrics()
        self._dispatch = Bell()
        self._track = Bell()
        self._launchers: list[Launcher] = []
        self._threads: list[ThreadPoolExecutor] = []
        self._dispatchers: list[Loop] = []
        self._others: list[Loop] = []
        self._share: Share | None = None
        if "dispatcher" in settings.roles:
            self._dispatchers = self._many_places() if settings.backend == "kubernetes" else self._one_place()
        if "tracker" in settings.roles:
            self._others += self._trackers()
        if "janitor" in settings.roles:
            janitor = Janitor(
                store=store,
                clock=clock,
                idempotency_days=settings.idempotency_days,
                job_retention_days=None if config is None else config.job_retention_days,
            )
            self._others.append(self._loop("janitor", janitor.step, Bell(), settings.janitor_interval_seconds))

    def _one_place(self) -> list[Loop]:
        """Spark on this machine: one loop does both halves."""
        loops = []
        for backend in self._fleet.values():
            dispatcher = Dispatcher(
                store=self._store, backend=backend, clock=self._clock, owner=self._owner, config=self._config
            )
            name, pause = f"dispatcher/{backend.cluster}", self._settings.dispatch_interval_seconds
            loops.append(self._loop(name, dispatcher.step, self._dispatch, pause))
        return loops

    def _many_places(self) -> list[Loop]:
        """One admission for all clusters, and a launcher for each."""
        settings = self._settings
        launchers, bells = {}, {}
        for backend in self._fleet.values():
            bells[backend.cluster] = Bell()
            launchers[backend.cluster] = Launcher(
                store=self._store,
                backend=backend,
                clock=self._clock,
                owner=self._owner,
                settings=LaunchSettings(
                    claim_seconds=_CLAIM_SECONDS,
                    request_timeout_seconds=REQUEST_SECONDS,
                    attempt_pause_seconds=self._settings.retry_pause_seconds,
                ),
                elsewhere=len(self._fleet) > 1,
                given_back=self._dispatch.ring,
                created=partial(self._metrics.created, backend.cluster),
            )
        self._launchers = list(launchers.values())

        def hand_over(admitted: Sequence[Admitted]) -> None:
            for cluster, launcher in launchers.items():
                some = [one for one in admitted if one.job.cluster == cluster]
                if some:
                    launcher.take(some)
                    bells[cluster].ring()

        admission = Admission(
            store=self._store,
            backends=self._fleet,
            config=self._config,
            clock=self._clock,
            owner=self._owner,
            settings=AdmissionSettings(
                claim_seconds=_CLAIM_SECONDS,
                creates_per_minute=settings.creates_per_minute,
                unacknowledged=settings.most_unacknowledged,
                namespace_applications=settings.most_applications,
            ),
            hand_over=hand_over,
        )
        pause = settings.dispatch_interval_seconds
        loops = [self._loop("admission", admission.step, self._dispatch, pause)]
        for cluster, launcher in launchers.items():
            keeper = NoLease(f"launching/{cluster}", self._owner)
            loops.append(Loop(f"launching/{cluster}", launcher.step, keeper, bells[cluster], interval_seconds=pause))
        return loops

    def _trackers(self) -> list[Loop]:
        places = [(backend, name) for backend in self._fleet.values() for name in backend.namespaces]
        seconds = self._settings.lease_seconds
        self._share = Share(
            self._store,
            "tracker",
            self._owner,
            leases=[_tracking(backend, name) for backend, name in places],
            seconds=seconds,
            clock=time.monotonic,
        )
        # a cluster's trackers share them, however many namespaces it has
        threads = {cluster: ThreadPoolExecutor(HANDS, f"ends-{cluster}") for cluster in self._fleet}
        self._threads = list(threads.values())
        return [self._tracker(*place, self._share, Hands(threads[place[0].cluster])) for place in places]

    def _tracker(self, backend: Backend, namespace: str, share: Share, hands: Hands) -> Loop:
        settings = self._settings
        tracker = Tracker(
            store=self._store,
            backend=backend,
            clock=self._clock,
            owner=self._owner,
            namespace=namespace,
            retry_pause_seconds=settings.retry_pause_seconds,
            slot_freed=self._dispatch.ring,
            all_within_seconds=settings.track_all_seconds,
            image_seconds=settings.stuck_image_seconds,
            pending_seconds=settings.stuck_pending_seconds,
            hands=hands,
            metrics=self._metrics,
        )
        step = _with_sweep(tracker.step, backend, namespace, settings.sweep_seconds)
        lease = _tracking(backend, namespace)
        keeper = SharedLeaseKeeper(
            self._store, lease, self._owner, seconds=settings.lease_seconds, clock=time.monotonic, share=share
        )

        def pause() -> None:
            backend.unlisten(namespace)
            tracker.pause()

        return Loop(
            lease,
            step,
            keeper,
            self._track,
            interval_seconds=settings.track_interval_seconds,
            begin=lambda: backend.listen(namespace),
            pause=pause,
        )

    def _loop(self, lease: str, step: Step, bell: Bell, interval_seconds: float) -> Loop:
        """One worker under the lease of its own name."""
        seconds = self._settings.lease_seconds
        keeper = LeaseKeeper(self._store, lease, self._owner, seconds=seconds, clock=time.monotonic)
        return Loop(lease, step, keeper, bell, interval_seconds=interval_seconds)

    def wake(self) -> None:
        """There is news: a submission or a kill."""
        self._dispatch.ring()
        self._track.ring()

    def start(self) -> None:
        for loop in (*self._dispatchers, *self._others):
            loop.start()

    def stop_starting(self, seconds: float) -> None:
        """No new attempts from this process; those that exist are tracked on."""
        _end(self._dispatchers, seconds)

    def stop(self, seconds: float) -> None:
        """All of them, handing their leases over; at most `seconds` in all."""
        loops = [*self._dispatchers, *self._others]
        for loop in loops:
            loop.stop()
        if self._share is not None:
            self._leave(self._share)
        _end(loops, seconds)
        for launcher in self._launchers:
            launcher.close()
        for threads in self._threads:
            threads.shutdown(wait=False, cancel_futures=True)

    def _leave(self, share: Share) -> None:
        """First of all: the others' parts grow while our loops end."""
        try:
            share.leave()
        except ArcherError as error:
            _log.warning("presence not handed back, it will run out", error=str(error))


def _tracking(backend: Backend, namespace: str) -> str:
    """The lease of a namespace's tracker."""
    return f"tracker/{backend.cluster}/{namespace}".rstrip("/")


def _end(loops: Sequence[Loop], seconds: float) -> None:
    for loop in loops:
        loop.stop()
    deadline = time.monotonic() + seconds
    for loop in loops:
        loop.join(max(0.1, deadline - time.monotonic()))


def _with_sweep(step: Step, backend: Backend, namespace: str, pause_seconds: float) -> Step:
    """The tracker's step, and now and then a look for finalizers that nobody will take off otherwise."""
    if not isinstance(backend, Sweeping):
        return step
    due = time.monotonic() + pause_seconds

    def both(fence: Fence) -> bool:
        nonlocal due
        more = step(fence)
        if time.monotonic() >= due:
            backend.sweep(namespace)
            due = time.monotonic() + pause_seconds
        return more

    return both
