"""Creates: the dispatcher against a bare client, on one API server, with the same objects, in turns.

The dispatcher admits, launches and commits jobs that wait in PostgreSQL; the bare client creates as many applications of the
same specifications under other names, from as many threads, and writes nothing down.
"""

import copy
import statistics
import time
from pathlib import Path
from typing import Any, Final

from archer.backends.kubernetes import names
from archer.store.interface import Mode
from benchmarks.archer_parts.figures import Goals, cpu_seconds, load, spread
from benchmarks.archer_parts.ground import Ground, ground, side_by_side
from testbed.archer_rig import ArcherProcess

LEAST: Final = 0.8
"""Goal: the dispatcher's creates a second, in a bare client's."""
_PATIENCE_SECONDS: Final = 600


def run(folder: Path, goals: Goals, *, creates: int, rounds: int) -> None:
    """Measure and print."""
    with ground(folder / "creates") as here:
        dispatcher = here.rig.archer("dispatcher", "dispatcher")
        # fills caches, and gives the bare client its objects
        _archers(here, dispatcher, 50)
        ratios, rates, costs = [], [], []
        print(f"creates, {creates} in a block; {load()}", flush=True)
        for number in range(rounds):
            bare, bare_cpu = _bare(here, creates, f"bare{number}")
            archers, cpu = _archers(here, dispatcher, creates)
            ratios.append(archers / bare)
            rates.append(archers)
            costs.append(cpu)
            print(
                f"  round {number + 1}: bare {bare:6.1f}/s ({bare_cpu * 1000:.2f} ms CPU each)   "
                f"archer {archers:6.1f}/s ({cpu * 1000:.2f} ms CPU each)   ratio {archers / bare:.2f}   {load()}",
                flush=True,
            )
        print(f"  creates a second {spread(rates)}; dispatcher's CPU {statistics.median(costs) * 1000:.2f} ms each")
        print(f"  ratio {spread(ratios)}")
        goals.at_least("dispatcher's creates/s / bare client's, median", statistics.median(ratios), LEAST)


def _archers(here: Ground, dispatcher: ArcherProcess, number: int) -> tuple[float, float]:
    """Creates a second from the first admission to the last commit, and the dispatcher's CPU seconds of each."""
    assert dispatcher.process is not None
    here.switch(Mode.PAUSED)
    ids = here.queue_up(number)
    # the dispatcher has seen that the cluster is closed, and written why all of them wait
    time.sleep(2)
    before = cpu_seconds(dispatcher.process.pid)
    here.switch(Mode.OPEN)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while here.ask("SELECT count(*) FROM jobs WHERE id = ANY(%s) AND state = 'SUBMITTED'", ids)[0][0] < number:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all were created; the dispatcher said:\n{dispatcher.log_tail()}")
        time.sleep(0.05)
    ended = time.time()
    began = here.ask("SELECT min(created_at) FROM attempts WHERE job_id = ANY(%s)", ids)[0][0] / 1000
    return number / (ended - began), (cpu_seconds(dispatcher.process.pid) - before) / number


def _bare(here: Ground, number: int, prefix: str) -> tuple[float, float]:
    specs = [spec for (spec,) in here.ask("SELECT spec FROM attempts ORDER BY job_id LIMIT 50")]
    wanted = []
    for place in range(number):
        spec: dict[str, Any] = copy.deepcopy(specs[place % len(specs)])
        spec["metadata"]["name"] = f"{prefix}-{place}"
        wanted.append(spec)

    def create(spec: dict[str, Any]) -> None:
        here.client.create(names.applications(spec["metadata"]["namespace"]), spec)

    cpu, began = time.process_time(), time.perf_counter()
    side_by_side(create, wanted)
    took = time.perf_counter() - began
    return number / took, (time.process_time() - cpu) / number
