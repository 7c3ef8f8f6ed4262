"""All servers of one database have one time, whatever their machines' clocks say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from archer.clock import SystemClock, from_ms
from archer.store.common_clock import AGAIN_SECONDS, CommonClock
from archer.store.connection import Database
from testbed.archer_fakes import FakeClock

if TYPE_CHECKING:
    from datetime import datetime

    from tests.archer.store.conftest import StoreKit


def time_of(database: Database) -> datetime:
    with database.read() as connection:
        query = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)")
        return from_ms(int(connection.execute(query).scalar_one()))


def test_machines_whose_clocks_are_days_apart_agree_within_the_way_to_the_database(postgres_kit: StoreKit) -> None:
    early, late = FakeClock(), FakeClock()
    late.advance(86_400)
    clocks = [CommonClock(postgres_kit.database, own=own) for own in (early, late)]
    assert [clock.now() for clock in clocks] == [early.now(), late.now()]

    before = time_of(postgres_kit.database)
    for clock in clocks:
        clock.look()
    between = [clock.now() for clock in clocks]
    after = time_of(postgres_kit.database)

    # half of the way there and back is not known
    assert all(before.timestamp() - 1 <= moment.timestamp() <= after.timestamp() + 1 for moment in between)


def test_the_time_goes_on_between_two_looks_and_is_asked_for_again(postgres_kit: StoreKit) -> None:
    counter = [100.0]
    clock = CommonClock(postgres_kit.database, own=FakeClock(), monotonic=lambda: counter[0])
    clock.look()
    first = clock.now()

    counter[0] += AGAIN_SECONDS - 1
    clock.look()
    assert (clock.now() - first).total_seconds() == AGAIN_SECONDS - 1
    counter[0] += 2
    clock.look()
    # the counter of this test is too fast by half a minute
    assert (clock.now() - first).total_seconds() < AGAIN_SECONDS - 1


def test_a_database_that_is_away_leaves_the_time_as_it_was(postgres_kit: StoreKit) -> None:
    counter = [100.0]
    clock = CommonClock(postgres_kit.database, own=FakeClock(), monotonic=lambda: counter[0])
    clock.look()
    first = clock.now()
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    clock._database = away  # the one that was there has gone

    counter[0] += AGAIN_SECONDS + 1
    clock.look()

    assert (clock.now() - first).total_seconds() == AGAIN_SECONDS + 1
    away.close()


def test_a_file_has_no_time_of_its_own(sqlite_kit: StoreKit) -> None:
    own = FakeClock()
    clock = CommonClock(sqlite_kit.database, own=own)
    clock.look()

    assert clock.now() == own.now()
    assert CommonClock(sqlite_kit.database).now() >= SystemClock().now().replace(microsecond=0)
