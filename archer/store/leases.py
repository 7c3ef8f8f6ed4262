"""Leases with fencing epochs: who may act for a cluster, and how a worker that slept too long is stopped.

A worker renews its lease while it works. When it dies, the lease runs out and the next worker takes it with a higher
epoch; from then on every change that carries the old epoch is refused (`changes.check_fence`), however late it comes.
Reference: M. Kleppmann, https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html
"""

from collections.abc import Mapping

from sqlalchemy import Connection, insert, select, update

from archer.store.interface import Fence
from archer.store.schema import leases

LONGEST_LIFE_MS = 300_000
"""The highest `lease_seconds` that settings allow."""


def take_lease(connection: Connection, name: str, owner: str, *, now_ms: int, seconds: float) -> Fence | None:
    """Take, renew, or None when another's lease is alive. One row is locked for the moment of asking."""
    until = now_ms + int(seconds * 1000)
    row = connection.execute(select(leases).where(leases.c.name == name).with_for_update()).one_or_none()
    if row is None:
        connection.execute(insert(leases).values(name=name, owner=owner, epoch=1, expires_at=until))
        return Fence(lease=name, owner=owner, epoch=1)
    mine = row.owner == owner
    # a longer life than any lease has: the clock was set back since. To take it is safe, for its holder is fenced out
    longest = max(LONGEST_LIFE_MS, until - now_ms)
    if not mine and now_ms < row.expires_at <= now_ms + longest:
        return None
    epoch = row.epoch if mine else row.epoch + 1
    connection.execute(update(leases).where(leases.c.name == name).values(owner=owner, epoch=epoch, expires_at=until))
    return Fence(lease=name, owner=owner, epoch=epoch)


def give_back(connection: Connection, fence: Fence) -> None:
    """Let the lease end now; nothing happens when it is another's already."""
    connection.execute(
        update(leases)
        .where(leases.c.name == fence.lease, leases.c.owner == fence.owner, leases.c.epoch == fence.epoch)
        .values(expires_at=0)
    )


def list_owners(connection: Connection, prefix: str, *, now_ms: int) -> Mapping[str, str]:
    """Who holds the live leases whose names begin with `prefix`."""
    query = select(leases.c.name, leases.c.owner).where(
        leases.c.name.startswith(prefix, autoescape=True), leases.c.expires_at > now_ms
    )
    return {row.name: row.owner for row in connection.execute(query)}
