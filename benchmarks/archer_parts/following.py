"""Following many live applications: re-sync after a restart, memory, growth, and how stale the API's answers are.

Applications are made by Archer's own dispatcher. The operator is played here: each application becomes SUBMITTED and has a
driver's pod that waits, of the driver's own template; a change is the patch of an application's status to RUNNING.
"""

import http.client
import json
import time
from collections import deque
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from archer.backends.kubernetes import names
from benchmarks.archer_parts.figures import Goals, cpu_seconds, load, milliseconds, percentile, resident_mib
from benchmarks.archer_parts.ground import THREADS, Ground, ground, side_by_side
from testbed.archer_rig import ArcherProcess
from testbed.spark_operator.application import LABEL_SUBMISSION

STALE_SECONDS: Final = 1.0
SYNC_SECONDS: Final = 30.0
MEMORY_MIB: Final = 400.0
GROWTH: Final = 1.0
"""Goals: p99 of staleness, a cold re-sync, a tracker's memory at the largest size; time for so many more applications, in
so many more times the time."""
_CHANGED: Final = 10
"""One application of so many changes while no tracker is there."""
_PROBED: Final = 10
"""One change of so many is asked for over the API."""
_LOOK_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 900


@dataclass
class Synced:
    """A start of the tracker with so many live applications."""

    size: int
    ready: float
    """Seconds until the process answered that it is ready: imports, the database, its leases asked for."""
    seconds: float
    """Until every change was in the database, from the start of the process."""
    cpu: float
    resident: float = 0.0


@dataclass
class Population:
    """The applications there are."""

    here: Ground
    waiting: deque[tuple[str, str, str]] = field(default_factory=deque)
    """Job, namespace, attempt of those that are SUBMITTED."""
    size: int = 0

    def grow(self, size: int) -> None:
        """Have so many."""
        ids = self.here.queue_up(size - self.size)
        dispatcher = self.here.rig.processes.get("dispatcher")
        if dispatcher is None:
            dispatcher = self.here.rig.archer("dispatcher", "dispatcher")
        else:
            dispatcher.start()
        wait_for(self.here, "SUBMITTED", ids)
        dispatcher.stop()
        found = self.here.ask("SELECT job_id, name, spec FROM attempts WHERE job_id = ANY(%s) ORDER BY name", ids)
        side_by_side(self._take_up, [(name, spec) for _, name, spec in found])
        self.waiting += [(job, spec["metadata"]["namespace"], name) for job, name, spec in found]
        self.size = size

    def _take_up(self, attempt: tuple[str, dict[str, Any]]) -> None:
        name, spec = attempt
        namespace = spec["metadata"]["namespace"]
        told = {
            "applicationState": {"state": "SUBMITTED"},
            "submissionID": f"{name}-s",
            "executionAttempts": 1,
            "driverInfo": {},
        }
        self._status(namespace, name, told)
        self.here.client.create(names.pods(namespace), _driver(name, namespace, spec["spec"]))

    def _status(self, namespace: str, name: str, status: dict[str, Any]) -> None:
        self.here.client.patch(f"{names.applications(namespace, name)}/status", {"status": status})

    def change(self, one: tuple[str, str, str]) -> str:
        """The operator says that it runs; its job."""
        job, namespace, name = one
        self._status(namespace, name, {"applicationState": {"state": "RUNNING"}, "sparkApplicationId": f"spark-{name}"})
        return job


def run(
    folder: Path, goals: Goals, *, parts: AbstractSet[str], sizes: Sequence[int], changes: int, per_second: int
) -> None:
    """Measure and print."""
    with ground(folder / "following") as here:
        population, synced = Population(here), []
        tracker: ArcherProcess | None = None
        for size in sizes:
            if tracker is not None:
                tracker.stop()
            print(f"following: {size} live applications are being made; {load()}", flush=True)
            population.grow(size)
            tracker, found = _resync(population, tracker)
            synced.append(found)
        if "resync" in parts:
            goals.at_most(f"cold re-sync of {synced[-1].size} applications", synced[-1].seconds, SYNC_SECONDS, " s")
        if "memory" in parts:
            most = max(found.resident for found in synced)
            goals.at_most(f"tracker's memory at {synced[-1].size} applications", most, MEMORY_MIB, " MiB")
        if "growth" in parts and len(synced) > 1:
            _growth(goals, synced[0], synced[-1])
        if "staleness" in parts and tracker is not None:
            _staleness(population, tracker, goals, changes=changes, per_second=per_second)


def _resync(population: Population, tracker: ArcherProcess | None) -> tuple[ArcherProcess, Synced]:
    here = population.here
    changed = [population.waiting.popleft() for _ in range(population.size // _CHANGED)]
    side_by_side(population.change, changed)
    began = time.perf_counter()
    if tracker is None:
        tracker = here.rig.archer("tracker", "tracker")
    else:
        tracker.start()
        tracker.wait_ready()
    ready = time.perf_counter() - began
    wait_for(here, "RUNNING", [job for job, _, _ in changed])
    took = time.perf_counter() - began
    assert tracker.process is not None
    found = Synced(population.size, ready, took, cpu_seconds(tracker.process.pid))
    # a pass over all of them comes next
    time.sleep(20)
    found.resident = resident_mib(tracker.process.pid)
    peak = next(
        line for line in Path(f"/proc/{tracker.process.pid}/status").read_text().splitlines() if "VmHWM" in line
    )
    before = cpu_seconds(tracker.process.pid)
    time.sleep(10)
    idle = (cpu_seconds(tracker.process.pid) - before) / 10
    print(
        f"  {found.size} applications and drivers, {len(changed)} changed meanwhile: right after {found.seconds:.1f} s "
        f"(ready after {found.ready:.1f} s), {found.cpu:.1f} s CPU; memory {found.resident:.0f} MiB, peak "
        f"{int(peak.split()[1]) / 1024:.0f} MiB; {idle * 100:.0f} % of a core when nothing happens; {load()}",
        flush=True,
    )
    return tracker, found


def _growth(goals: Goals, small: Synced, large: Synced) -> None:
    """Without what any start takes: it would flatter the larger one."""
    more = large.size / small.size
    seconds = (large.seconds - large.ready) / max(small.seconds - small.ready, 0.1) / more
    print(f"  from {small.size} to {large.size}: CPU {large.cpu / small.cpu:.2f} times, start-up included")
    goals.at_most(f"re-sync time after the start-up, growth / {more:g}", seconds, GROWTH)


def _staleness(population: Population, tracker: ArcherProcess, goals: Goals, *, changes: int, per_second: int) -> None:
    here = population.here
    api = here.rig.archer("api", "api")
    port = int(api.wait_ready().rpartition(":")[2])
    assert tracker.process is not None
    assert api.process is not None
    before, before_api = cpu_seconds(tracker.process.pid), cpu_seconds(api.process.pid)
    changes = min(changes, len(population.waiting))
    sent: dict[str, float] = {}
    said: dict[str, float] = {}
    seen: list[float] = []

    def probe(job: str, at: float) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.time() < at + _PATIENCE_SECONDS:
            connection.request("GET", f"/api/v1/jobs/{job}")
            if json.loads(connection.getresponse().read())["state"] == "RUNNING":
                seen.append(time.time() - at)
                break
            time.sleep(_LOOK_SECONDS)
        connection.close()

    def change(one: tuple[str, str, str], place: int) -> None:
        at = time.time()
        sent[one[0]] = at
        if place % _PROBED == 0:
            probes.submit(probe, one[0], at)
        population.change(one)
        said[one[0]] = time.time()

    with ThreadPoolExecutor(THREADS) as pool, ThreadPoolExecutor(64) as probes:
        began = time.time()
        pending = []
        for place in range(changes):
            pause = began + place / per_second - time.time()
            if pause > 0:
                time.sleep(pause)
            pending.append(pool.submit(change, population.waiting.popleft(), place))
        for each in pending:
            each.result()
        reached = changes / (time.time() - began)
    wait_for(here, "RUNNING", list(sent))
    rows = here.ask(
        "SELECT job_id, min(at) FROM events WHERE to_state = 'RUNNING' AND job_id = ANY(%s) GROUP BY job_id", list(sent)
    )
    decided = [at / 1000 - sent[job] for job, at in rows]
    # the watch may be quicker than the answer to the patch
    heard = [max(0.0, at / 1000 - said[job]) for job, at in rows]
    patched = [said[job] - at for job, at in sent.items()]
    cpu = (cpu_seconds(tracker.process.pid) - before) / changes
    cpu_api = (cpu_seconds(api.process.pid) - before_api) / changes
    print(
        f"staleness at {population.size} live applications, {changes} changes at {reached:.0f}/s "
        f"(asked for: {per_second}); {load()}\n"
        f"  the API server's answer to the patch    {milliseconds(patched)}\n"
        f"  until the tracker had judged it, all    {milliseconds(decided)}\n"
        f"    counted from that answer              {milliseconds(heard)}\n"
        f"  until the API's answer, 1 of {_PROBED}         {milliseconds(seen)} (looked every {_LOOK_SECONDS * 1000:.0f} ms)\n"
        f"  tracker's CPU {cpu * 1000:.2f} ms a change, the API's {cpu_api * 1000:.2f} ms",
        flush=True,
    )
    if len(seen) < changes // _PROBED:
        raise RuntimeError(f"only {len(seen)} probes of {changes // _PROBED} saw their change")
    goals.at_most("p99 of staleness over the API", percentile(seen, 99), STALE_SECONDS, " s")


def wait_for(here: Ground, state: str, ids: Sequence[str]) -> None:
    """Until all these jobs are in that state, as the database says."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    query = "SELECT count(*) FROM jobs WHERE id = ANY(%s) AND state = %s"
    while (there := here.ask(query, list(ids), state)[0][0]) < len(ids):
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {there} of {len(ids)} jobs came to {state}: {here.rig.states()}")
        time.sleep(0.1)


def _driver(name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The pod that the operator would have Spark make: the driver's template, with its labels."""
    template = spec["driver"]["template"]
    metadata = template.get("metadata", {})
    labels = {
        **metadata.get("labels", {}),
        **spec["driver"].get("labels", {}),
        names.APP_LABEL: name,
        LABEL_SUBMISSION: f"{name}-s",
        names.ROLE_LABEL: "driver",
    }
    body: dict[str, Any] = json.loads(json.dumps(template["spec"]))
    for container in body["containers"]:
        container.setdefault("image", spec.get("image", "spark"))
        container["resources"] = {
            "requests": {"cpu": "1", "memory": "1Gi"},
            "limits": {"cpu": "1", "memory": "1Gi"},
        }
    kept = {key: metadata[key] for key in ("annotations", "finalizers") if key in metadata}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": names.driver(name), "namespace": namespace, "labels": labels, **kept},
        "spec": body,
    }
