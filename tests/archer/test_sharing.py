"""How servers share leases out among themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from archer.sharing import Share, SharedLeaseKeeper
from archer.store.connection import Database
from archer.store.interface import Fence
from archer.store.migrate import upgrade
from archer.store.sql import SqlStore
from testbed.archer_fakes import FakeClock

LEASES = [f"tracker/main/spark-{team}" for team in ("ads", "search", "home", "risk")]
SECONDS = 9.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> SqlStore:
    database = Database(f"sqlite:///{tmp_path}/archer.db")
    upgrade(database)
    return SqlStore(database, clock)


class Server:
    """One server's keepers, asked in turn as its loops would."""

    def __init__(self, store: SqlStore, clock: FakeClock, name: str, leases: Sequence[str] = LEASES) -> None:
        self.share = Share(
            store, "tracker", name, leases=leases, seconds=SECONDS, clock=lambda: clock.now().timestamp()
        )
        self.keepers = {
            lease: SharedLeaseKeeper(
                store, lease, name, seconds=SECONDS, clock=lambda: clock.now().timestamp(), share=self.share
            )
            for lease in leases
        }

    def round(self) -> dict[str, Fence]:
        held = {lease: keeper.hold() for lease, keeper in self.keepers.items()}
        return {lease: fence for lease, fence in held.items() if fence is not None}

    def stop(self) -> None:
        for keeper in self.keepers.values():
            keeper.give_back()
        self.share.leave()


def settle(clock: FakeClock, *servers: Server) -> list[dict[str, Fence]]:
    """What each holds after they have had the time to hear of each other."""
    held: list[dict[str, Fence]] = []
    for _ in range(8):
        clock.advance(1.5)
        held = [server.round() for server in servers]
    return held


def test_a_server_alone_holds_every_lease(store: SqlStore, clock: FakeClock) -> None:
    (held,) = settle(clock, Server(store, clock, "a"))

    assert sorted(held) == sorted(LEASES)


def test_a_second_server_gets_its_half_and_each_lease_has_one_holder(store: SqlStore, clock: FakeClock) -> None:
    first = Server(store, clock, "a")
    settle(clock, first)

    held = settle(clock, first, Server(store, clock, "b"))

    assert [len(each) for each in held] == [2, 2]
    assert sorted([*held[0], *held[1]]) == sorted(LEASES)


def test_a_server_that_leaves_is_replaced_without_waiting_for_its_leases_to_end(
    store: SqlStore, clock: FakeClock
) -> None:
    first, second = Server(store, clock, "a"), Server(store, clock, "b")
    settle(clock, first, second)

    second.stop()
    clock.advance(1)
    held = first.round()

    assert sorted(held) == sorted(LEASES)


def test_a_server_that_has_left_takes_nothing_any_more(store: SqlStore, clock: FakeClock) -> None:
    first = Server(store, clock, "a")
    settle(clock, first)

    first.stop()
    clock.advance(SECONDS)

    assert first.round() == {}
    assert store.lease_owners("presence/") == {}


def test_a_server_that_dies_is_replaced_when_its_leases_have_ended(store: SqlStore, clock: FakeClock) -> None:
    first, second = Server(store, clock, "a"), Server(store, clock, "b")
    of_second = settle(clock, first, second)[1]

    clock.advance(SECONDS)
    (held,) = settle(clock, first)

    assert sorted(held) == sorted(LEASES)
    assert all(held[lease].epoch > fence.epoch for lease, fence in of_second.items()), "its late writes are refused"


def test_more_servers_than_leases_leave_some_without_work(store: SqlStore, clock: FakeClock) -> None:
    servers = [Server(store, clock, name) for name in "abcdef"]

    held = settle(clock, *servers)

    assert sorted(lease for each in held for lease in each) == sorted(LEASES)
    assert max(map(len, held)) == 1


def test_servers_of_different_clusters_leave_none_of_their_leases_to_each_other(
    store: SqlStore, clock: FakeClock
) -> None:
    elsewhere = [lease.replace("main", "other") for lease in LEASES]

    held = settle(clock, Server(store, clock, "a"), Server(store, clock, "b", elsewhere))

    assert [sorted(leases) for leases in held] == [sorted(LEASES), sorted(elsewhere)]
