"""What operators set and dispatchers report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from archer.store.interface import ClusterHealth, Mode, Switch

if TYPE_CHECKING:
    from tests.archer.store.conftest import StoreKit


def test_a_switch_stays_until_it_is_opened_and_there_is_one_of_a_name(kit: StoreKit) -> None:
    drain = Switch(
        kind="cluster", name="blue", mode=Mode.DRAINING, message="upgrade", actor="api:ops", at=kit.clock.now()
    )
    pause = replace(drain, kind="queue", name="root.etl", mode=Mode.PAUSED)
    kit.store.set_switch(pause)
    kit.store.set_switch(drain)
    assert list(kit.store.switches()) == [drain, pause]

    paused = replace(drain, mode=Mode.PAUSED, message="on fire")
    kit.store.set_switch(paused)
    assert list(kit.store.switches()) == [paused, pause]

    kit.store.set_switch(replace(drain, mode=Mode.OPEN))
    kit.store.set_switch(replace(drain, name="green", mode=Mode.OPEN))
    assert list(kit.store.switches()) == [pause]


def test_the_latest_report_of_each_cluster_is_the_one_that_counts(kit: StoreKit) -> None:
    well = ClusterHealth(
        name="blue", healthy=True, message="", create_seconds=0.25, breaker="closed", at=kit.clock.now()
    )
    other = replace(well, name="green", create_seconds=None)
    for report in (well, other):
        kit.store.report_health(report)
    kit.clock.advance(5)
    ill = replace(well, healthy=False, message="429", breaker="open", at=kit.clock.now())
    kit.store.report_health(ill)

    assert kit.store.health() == {"blue": ill, "green": other}
