"""Runs a worker's step again and again, alone in its cluster, whatever goes wrong in a step.

One thread per worker, never per job. A step that fails is logged and tried again: a loop that ends by an exception would
leave the queue standing with every light green.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog

from archer.bells import Bell
from archer.errors import ArcherError, BackendUnavailableError, FencedOutError, StoreUnavailableError
from archer.store.interface import Fence, Store

Step = Callable[[Fence], bool]
"""One round of work under a lease; True when there is more to do at once."""

_BACK_OFF_SECONDS = 1.0

_log = structlog.get_logger()


@contextmanager
def isolated(job_id: str) -> Iterator[None]:
    """A defect that one job brings to light is logged, and the others go on; what concerns all of them passes through."""
    try:
        yield
    except ArcherError:
        raise
    except Exception:  # noqa: BLE001  # see above
        _log.exception("job left aside", job=job_id)


class LeaseKeeper:
    """Holds one lease for one owner, renewing it at a third of its life."""

    def __init__(self, store: Store, lease: str, owner: str, *, seconds: float, clock: Callable[[], float]) -> None:
        self._store = store
        self._lease = lease
        self._owner = owner
        self._seconds = seconds
        self._clock = clock
        self._fence: Fence | None = None
        self._renewed = 0.0

    def hold(self) -> Fence | None:
        """The lease's fence; None while another owner has it."""
        now = self._clock()
        if self._fence is None or now - self._renewed >= self._seconds / 3:
            self._fence = self._store.acquire(self._lease, self._owner, seconds=self._seconds)
            self._renewed = now
        return self._fence

    def forget(self) -> None:
        """Ask the store again next time."""
        self._fence = None

    def give_back(self) -> None:
        """Let the next owner begin at once."""
        if self._fence is not None:
            self._store.release(self._fence)
            self._fence = None


class Loop:
    """A worker's thread."""

    def __init__(self, name: str, step: Step, keeper: LeaseKeeper, bell: Bell, *, interval_seconds: float) -> None:
        self.name = name
        self._step = step
        self._keeper = keeper
        self._bell = bell
        self._interval = interval_seconds
        self._stop = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end after its present step."""
        self._stop.set()
        self._bell.ring()

    def join(self, seconds: float) -> bool:
        """Wait for the end; False when it is still in a step."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            heard = self._bell.count
            try:
                pause = self._round()
            except Exception:  # noqa: BLE001  # even the complaint failed, on a full disk perhaps: go on in silence
                pause = _BACK_OFF_SECONDS
            if pause:
                self._bell.wait(pause, since=heard)
        try:
            self._keeper.give_back()
        except ArcherError as error:
            _log.warning("lease not handed back, it will run out", loop=self.name, error=str(error))

    def _round(self) -> float:
        """One step; how long to pause after it."""
        try:
            fence = self._keeper.hold()
            if fence is not None and self._step(fence):
                return 0
        except FencedOutError as error:
            _log.warning("lost the lease", loop=self.name, error=str(error))
            self._keeper.forget()
        except (StoreUnavailableError, BackendUnavailableError) as error:
            _log.warning("will try again", loop=self.name, code=error.code, error=str(error))
            self._keeper.forget()
            return _BACK_OFF_SECONDS
        except Exception:  # noqa: BLE001  # a defect in one step must not end the loop
            _log.exception("step failed", loop=self.name)
            self._keeper.forget()
            return _BACK_OFF_SECONDS
        return self._interval
