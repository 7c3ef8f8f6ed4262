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
_ASK_AGAIN_SECONDS = 1.0
"""Until a lease that another owner has is asked for again."""

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
        self._last: Fence | None = None
        self._asked: float | None = None

    def hold(self) -> Fence | None:
        """The lease's fence; None while another owner has it."""
        now = self._clock()
        # of many servers all but one are told no: they mustn't ask at each round
        pause = self._seconds / 3 if self._fence is not None else min(_ASK_AGAIN_SECONDS, self._seconds / 3)
        if self._asked is None or now - self._asked >= pause:
            self._fence = self._store.acquire(self._lease, self._owner, seconds=self._seconds)
            self._last = self._fence
            self._asked = now
        return self._fence

    def forget(self) -> None:
        """Ask the store again next time. The lease may still be ours, and is still handed back at the end."""
        self._fence = None
        self._asked = None

    def give_back(self) -> None:
        """Let the next owner begin at once."""
        self._fence = None
        if self._last is not None:
            fence, self._last = self._last, None
            self._store.release(fence)


class NoLease(LeaseKeeper):
    """For work that many may do at the same time: asks nobody, and its fence is none that the store knows."""

    def __init__(self, name: str, owner: str) -> None:
        self._fence = Fence(lease=name, owner=owner, epoch=0)

    def hold(self) -> Fence | None:
        """Always there."""
        return self._fence

    def forget(self) -> None:
        """Nothing to forget."""

    def give_back(self) -> None:
        """Nothing to hand back."""


class Loop:
    """A worker's thread."""

    def __init__(
        self,
        name: str,
        step: Step,
        keeper: LeaseKeeper,
        bell: Bell,
        *,
        interval_seconds: float,
        begin: Callable[[], None] = lambda: None,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        """`begin` is called when the lease is there, `pause` when it is gone; neither may wait."""
        self.name = name
        self._begin = begin
        self._pause = pause
        self._working = False
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
        self._be_working(yes=False)
        try:
            self._keeper.give_back()
        except ArcherError as error:
            _log.warning("lease not handed back, it will run out", loop=self.name, error=str(error))

    def _round(self) -> float:
        """One step; how long to pause after it."""
        try:
            fence = self._keeper.hold()
            self._be_working(yes=fence is not None)
            if fence is not None and self._step(fence):
                return 0
        except FencedOutError as error:
            _log.warning("lost the lease", loop=self.name, error=str(error))
            self._keeper.forget()
            self._be_working(yes=False)
        except (StoreUnavailableError, BackendUnavailableError) as error:
            _log.warning("will try again", loop=self.name, code=error.code, error=str(error))
            self._keeper.forget()
            return _BACK_OFF_SECONDS
        except Exception:  # noqa: BLE001  # a defect in one step must not end the loop
            _log.exception("step failed", loop=self.name)
            self._keeper.forget()
            return _BACK_OFF_SECONDS
        return self._interval

    def _be_working(self, *, yes: bool) -> None:
        if yes == self._working:
            return
        self._working = yes
        (self._begin if yes else self._pause)()
