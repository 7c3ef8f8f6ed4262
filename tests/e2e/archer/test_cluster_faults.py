"""Everything that an API server does to its clients on a bad day, while jobs run: the same claims hold.

Killed and started again, history compacted away (410), watches cut, storms of 429 and 500, answers lost after the deed.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

from testbed import archer_history as history
from testbed.archer_load import PACE, Clients, Order, new_key, scaled
from testbed.archer_rig import TEAMS, Rig, rig_environment, submission
from testbed.cluster_records import Witness
from testbed.fault_proxy import Storm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from testbed.archer_rig import RigCluster
    from testbed.fault_proxy import FaultProxy

CONTENT = {"succeed": "SUCCEEDED", "fail": "FAILED user-error", "oom": "FAILED oom-container"}
MIX = ("succeed",) * 7 + ("fail",) * 2 + ("oom",)
SWEEP = {"ARCHER_SWEEP_SECONDS": "5", "ARCHER_SWEEP_AFTER_SECONDS": "15"}
"""What a fault kept from being freed is freed within half a minute, not after five."""
MOST_SECONDS = 20
"""Of one storm."""
STORMS = (
    Storm(status=429, share=0.7, retry_after=1),
    Storm(status=500, share=0.7),
    Storm(status=0, share=0.7),
)


def test_nothing_is_lost_doubled_or_misreported_whatever_the_api_server_does(
    programs: None, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    jobs = scaled(1000)
    orders = [_order(number) for number in range(jobs)]
    done: Counter[str] = Counter()
    with ExitStack() as things:
        environment = rig_environment(tmp_path, clusters=("east",))
        rig = things.enter_context(Rig(folder=tmp_path, environment=environment, archer_settings=SWEEP, proxied=True))
        cluster = rig.clusters["east"]
        witness = things.enter_context(Witness(cluster.plane))
        api = rig.archer("api", "api")
        for number in range(2):
            rig.archer(f"hands-{number}", "dispatcher,tracker,janitor")
        clients = Clients(urls=lambda: [url for url in [api.url()] if url])
        begun = time.monotonic()
        faults = threading.Thread(target=_break_things, args=(cluster, done), daemon=True)
        faults.start()
        clients.submit(orders, seconds=scaled(120, 25))
        faults.join()
        history.wait_until_over(rig, jobs, seconds=scaled(600, 150))
        took = time.monotonic() - begun
        history.wait_until_clean(rig, seconds=60)
        wrong, pace = history.wrong_ends(rig, orders, clients), history.creates_per_minute(rig)
        attempts = history.attempts_of(rig)
        assert cluster.proxy is not None
        passed = Counter(cluster.proxy.counts)
    names = [name for job in attempts.values() for name, _, _ in job]
    again = sum(len(job) > 1 for job in attempts.values())
    twice = sum(sum(name in witness.started for name, _, _ in job) > 1 for job in attempts.values())
    tell(
        f"cluster faults: {jobs} jobs in {took:.0f} s, {pace:.0f} creates/min (pacing raised to {PACE}/min); {dict(done)}; "
        f"requests {dict(passed)}; {len(wrong)} in a wrong state, {len(set(names) - set(witness.uids))} attempts without an "
        f"application, {len(witness.repeated())} names with two applications, {len(witness.doubles)} times two live ones of "
        f"a job, {again} jobs tried again, {twice} ran twice, 0 finalizers left"
    )
    assert not wrong, "\n".join(f"{job}: {found}" for job, found in list(wrong.items())[:5])
    assert set(names) == set(witness.uids)
    assert not witness.repeated()
    assert not witness.doubles
    # the operator suffers too: what it could not submit ran nowhere, and is rightly tried again
    assert twice == 0, "an attempt was called lost that was not"
    assert passed["answered 429"] > 0
    assert passed["answered 500"] > 0
    assert passed["answer lost"] > 0
    assert done["watches cut"] > 0


def _order(number: int) -> Order:
    outcome = MIX[number % len(MIX)]
    body = submission(number, team=TEAMS[number % 3], outcome=outcome, seconds=1 + number % 3)
    return Order(key=new_key(), body=body, ends=CONTENT[outcome])


def _break_things(cluster: RigCluster, done: Counter[str]) -> None:
    """Each fault in turn, `rounds` times, with a breath between two of them."""
    proxy, breath = cluster.proxy, scaled(4, 2)
    assert proxy is not None
    for _ in range(scaled(5, 1)):
        time.sleep(breath)
        done["watches cut"] += proxy.cut_watches()
        for storm in STORMS:
            time.sleep(breath)
            _storm(proxy, storm, seconds=scaled(5, 3))
            done["storms"] += 1
        time.sleep(breath)
        cluster.plane.stop_api_server()
        cluster.plane.start_api_server()
        done["API server killed"] += 1
        time.sleep(breath)
        # what no watch cache of an API server holds any more either: whoever watched from before it must list again
        cluster.plane.stop_api_server()
        cluster.plane.compact_etcd()
        cluster.plane.start_api_server()
        done["etcd compacted"] += 1


def _storm(proxy: FaultProxy, storm: Storm, *, seconds: float) -> None:
    proxy.storm = storm
    # a watch that stands never meets a storm
    proxy.cut_watches()
    met = "answer lost" if storm.status == 0 else f"answered {storm.status}"
    before, begun = proxy.counts[met], time.monotonic()
    # until somebody has met it
    while (now := time.monotonic() - begun) < seconds or (proxy.counts[met] == before and now < MOST_SECONDS):
        time.sleep(0.1)
    proxy.storm = None
