"""The loops behind the API: dispatcher, tracker, janitor, each under its lease."""

import time
from collections.abc import Mapping

from archer.backends.interface import Backend
from archer.bells import Bell
from archer.clock import Clock
from archer.dispatcher import Dispatcher
from archer.janitor import Janitor
from archer.loops import LeaseKeeper, Loop, Step
from archer.settings import ServeSettings
from archer.store.interface import Store
from archer.tracker import Tracker


class Workers:
    """The loops of one process, as its roles say."""

    def __init__(self, settings: ServeSettings, store: Store, backend: Backend, clock: Clock, owner: str) -> None:
        self._settings = settings
        self._store = store
        self._owner = owner
        self._dispatch = Bell()
        self._track = Bell()
        dispatcher = Dispatcher(store=store, backend=backend, clock=clock, owner=owner)
        tracker = Tracker(
            store=store,
            backend=backend,
            clock=clock,
            owner=owner,
            retry_pause_seconds=settings.retry_pause_seconds,
            slot_freed=self._dispatch.ring,
        )
        janitor = Janitor(store=store, clock=clock, idempotency_days=settings.idempotency_days)
        cluster = backend.cluster
        every = {
            "dispatcher": self._loop(
                f"dispatcher/{cluster}", dispatcher.step, self._dispatch, settings.dispatch_interval_seconds
            ),
            "tracker": self._loop(f"tracker/{cluster}", tracker.step, self._track, settings.track_interval_seconds),
            "janitor": self._loop("janitor", janitor.step, Bell(), settings.janitor_interval_seconds),
        }
        self._loops: Mapping[str, Loop] = {role: loop for role, loop in every.items() if role in settings.roles}

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
        for loop in self._loops.values():
            loop.start()

    def stop_starting(self, seconds: float) -> None:
        """No new attempts from this process; those that exist are tracked on."""
        dispatcher = self._loops.get("dispatcher")
        if dispatcher is not None:
            dispatcher.stop()
            dispatcher.join(seconds)

    def stop(self, seconds: float) -> None:
        """All of them, handing their leases over; at most `seconds` in all."""
        for loop in self._loops.values():
            loop.stop()
        deadline = time.monotonic() + seconds
        for loop in self._loops.values():
            loop.join(max(0.1, deadline - time.monotonic()))
