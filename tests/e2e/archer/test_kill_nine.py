"""kill -9 of Archer's processes, at random and between a create and its commit, while clients submit and try again.

Two of each role run; a killed one is started again at once. A create's answer is held by a proxy until all dispatchers are dead,
so that the application exists and nobody has written so.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from testbed import archer_history as history
from testbed.archer_load import PACE, Clients, Order, new_key, scaled
from testbed.archer_rig import TEAMS, Rig, rig_environment, submission
from testbed.cluster_records import Witness

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENDS: Final = {"succeed": "SUCCEEDED", "fail": "FAILED user-error", "oom": "FAILED oom-container"}
MIX: Final = ("succeed",) * 8 + ("fail", "oom")
ROLES: Final = ("api", "dispatcher", "tracker")
SWEEP: Final = {"ARCHER_SWEEP_SECONDS": "5", "ARCHER_SWEEP_AFTER_SECONDS": "15"}
"""What a crash kept from being freed is freed within half a minute, not after five."""
PAUSE_SECONDS: Final = 4.0
"""Between two kills, more or less: a process needs about two seconds to come back."""


def test_nothing_is_lost_doubled_or_misreported_whoever_is_killed(
    programs: None, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    jobs, seconds = scaled(5000, 300), scaled(300, 30)
    orders = [_order(number) for number in range(jobs)]
    killed: Counter[str] = Counter()
    with ExitStack() as things:
        environment = rig_environment(tmp_path, clusters=("east",))
        rig = things.enter_context(Rig(folder=tmp_path, environment=environment, archer_settings=SWEEP, proxied=True))
        witness = things.enter_context(Witness(rig.clusters["east"].plane))
        for role in ROLES:
            for number in range(2):
                rig.archer(f"{role}-{number}", role)
        apis = [process for name, process in rig.processes.items() if name.startswith("api")]
        clients = Clients(urls=lambda: [url for url in (api.url() for api in apis) if url])
        begun = time.monotonic()
        killer = threading.Thread(target=_kill, args=(rig, seconds, killed), daemon=True)
        killer.start()
        clients.submit(orders, seconds=seconds * 0.8)
        killer.join()
        for process in rig.processes.values():
            process.wait_ready()
        history.wait_until_over(rig, jobs, seconds=scaled(1500, 200))
        took = time.monotonic() - begun
        history.wait_until_clean(rig, seconds=60)
        wrong, pace = history.wrong_ends(rig, orders, clients), history.creates_per_minute(rig)
        attempts, ends = history.attempts_of(rig), history.ends(rig)
    names = [name for job in attempts.values() for name, _, _ in job]
    successes = [sum(witness.exit_codes.get(name) == 0 for name, _, _ in job) for job in attempts.values()]
    lost = set(clients.accepted.values()) - set(ends)
    tell(
        f"kill -9: {jobs} jobs, {sum(killed.values())} kills in {seconds} s ({dict(sorted(killed.items()))}), answers "
        f"{dict(clients.answers)}; all ended in {took:.0f} s, {pace:.0f} creates/min (pacing raised to {PACE}/min); {len(lost)} "
        f"lost, {len(ends) - jobs} beyond what was submitted, {len(witness.repeated())} names with two applications, "
        f"{len(witness.doubles)} times two live ones of a job, {sum(each > 1 for each in successes)} jobs succeeded twice, "
        f"{len(wrong)} in a wrong state, 0 finalizers left"
    )
    assert not lost
    assert len(ends) == jobs
    assert not wrong, "\n".join(f"{job}: {found}" for job, found in list(wrong.items())[:5])
    assert not witness.repeated()
    assert not witness.doubles
    assert set(names) == set(witness.uids)
    assert max(successes) == 1
    assert all(witness.uids[name] == {uid} for job in attempts.values() for name, _, uid in job)
    assert killed["dispatchers between create and commit"] > 0
    assert all(killed[role] for role in ROLES)


def _order(number: int) -> Order:
    outcome = MIX[number % len(MIX)]
    return Order(
        key=new_key(), body=submission(number, team=TEAMS[number % 3], outcome=outcome, seconds=1), ends=ENDS[outcome]
    )


def _kill(rig: Rig, seconds: float, killed: Counter[str]) -> None:
    """Each role in turn, one of its two processes at random; now and then all dispatchers, in the worst moment."""
    proxy = rig.clusters["east"].proxy
    assert proxy is not None
    end = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < end:
        time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))
        turn += 1
        if turn % 4 == 2:
            proxy.hold_next_create()
            if proxy.held.wait(5):
                _kill_and_start(rig, ["dispatcher-0", "dispatcher-1"])
                killed["dispatchers between create and commit"] += 2
            proxy.let_go()
            continue
        role = ROLES[turn % len(ROLES)]
        _kill_and_start(rig, [f"{role}-{random.randrange(2)}"])
        killed[role] += 1


def _kill_and_start(rig: Rig, names: list[str]) -> None:
    for name in names:
        rig.processes[name].kill()
    for name in names:
        rig.processes[name].start()
