"""Shares leases out among all servers that could hold them, so that N trackers carry a load together.

Each server announces itself by a lease of its own; how many of these live says how large a fair part is. A server takes
no more than its part, and hands a lease back when it holds more because another server came.
"""

import hashlib
import math
from collections.abc import Callable, Collection
from threading import Lock

from archer.loops import LeaseKeeper
from archer.store.interface import Fence, Store

_COUNT_AGAIN_SECONDS = 0.5
"""How soon a server knows that another one came or left. One read of a few rows by an index."""


class Share:
    """One server's part of a group of leases. Used by the threads of that server."""

    def __init__(
        self,
        store: Store,
        group: str,
        owner: str,
        *,
        leases: Collection[str],
        seconds: float,
        clock: Callable[[], float],
    ) -> None:
        """`leases` are those that this server could hold; it shares them with servers that could hold the same ones.

        To others it leaves nothing: they could not take it.
        """
        self._store = store
        self._group = f"{group}/{hashlib.sha256(' '.join(sorted(leases)).encode()).hexdigest()[:12]}"
        self._number = len(leases)
        self._presence = LeaseKeeper(store, f"presence/{self._group}/{owner}", owner, seconds=seconds, clock=clock)
        self._clock = clock
        self._seconds = seconds
        self._counted: float | None = None
        self._part = len(leases)
        self._held: set[str] = set()
        self._left = False
        self._turn = Lock()

    def take(self, lease: str) -> bool:
        """Whether the lease may be this server's; reserves a place for it in the server's part."""
        with self._turn:
            if self._left:
                return False
            part = self._count()
            if lease in self._held and len(self._held) > part:
                self._held.discard(lease)
                return False
            if lease not in self._held and len(self._held) >= part:
                return False
            self._held.add(lease)
            return True

    def drop(self, lease: str) -> None:
        """It isn't this server's any more, or it didn't get it."""
        with self._turn:
            self._held.discard(lease)

    def leave(self) -> None:
        """The other servers may take this one's part at once; it takes nothing any more."""
        with self._turn:
            self._left = True
            self._presence.give_back()

    def _count(self) -> int:
        """How many leases it may hold: all of them over the servers that live, rounded up."""
        now = self._clock()
        if self._counted is None or now - self._counted >= min(_COUNT_AGAIN_SECONDS, self._seconds / 3):
            self._presence.hold()
            servers = len(self._store.lease_owners(f"presence/{self._group}/"))
            self._part = math.ceil(self._number / max(1, servers))
            self._counted = now
        return self._part


class SharedLeaseKeeper(LeaseKeeper):
    """Holds one lease of a group, as far as it is this server's turn."""

    def __init__(
        self, store: Store, lease: str, owner: str, *, seconds: float, clock: Callable[[], float], share: Share
    ) -> None:
        super().__init__(store, lease, owner, seconds=seconds, clock=clock)
        self._share = share

    def hold(self) -> Fence | None:
        """As `LeaseKeeper.hold`; None too while others should have it."""
        if not self._share.take(self._lease):
            self.give_back()
            return None
        fence = super().hold()
        if fence is None:
            self._share.drop(self._lease)
        return fence

    def forget(self) -> None:
        """As `LeaseKeeper.forget`."""
        super().forget()
        self._share.drop(self._lease)

    def give_back(self) -> None:
        """As `LeaseKeeper.give_back`."""
        self._share.drop(self._lease)
        super().give_back()
