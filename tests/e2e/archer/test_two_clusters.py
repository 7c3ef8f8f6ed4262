"""Many jobs of every kind over two clusters: each comes to its true end, and no cap is passed at any moment.

The caps are judged from the event log in the database alone; what ran, by a witness at each API server.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Self

import httpx

from testbed import archer_history as history
from testbed.archer_load import PACE, Clients, Order, new_key, scaled
from testbed.archer_rig import TEAMS, Rig, rig_environment, submission
from testbed.cluster_records import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from testbed.archer_rig import ArcherProcess

KINDS: Final[Mapping[str, str]] = {
    "succeed": "SUCCEEDED",
    "fail": "FAILED user-error",
    "oom": "FAILED oom-container",
    "image-pull-error": "FAILED image-pull",
    "killed while it waits": "CANCELLED",
    "killed while it runs": "CANCELLED",
}
MIX: Final = ("succeed",) * 12 + ("fail",) * 3 + ("oom",) * 2 + tuple(list(KINDS)[3:])
LONG_SECONDS: Final = 600


class Killers:
    """Users who kill their own jobs: at once, while they wait, or as soon as they run."""

    def __init__(self, url: str, kinds: Mapping[str, str]) -> None:
        self._url = url
        self._kinds = kinds
        """Kind of each submission, by key."""
        self._lock = threading.Lock()
        self._running: dict[str, str] = {}
        self.answers: Counter[int] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def accepted(self, order: Order, job: str) -> None:
        kind = self._kinds[order.key]
        if kind == "killed while it waits":
            with httpx.Client(base_url=self._url, timeout=20, trust_env=False) as http:
                self._kill(http, job)
        elif kind == "killed while it runs":
            with self._lock:
                self._running[job] = kind

    def _follow(self) -> None:
        with httpx.Client(base_url=self._url, timeout=20, trust_env=False) as http:
            while not self._stop.is_set():
                with self._lock:
                    jobs = list(self._running)
                for job in jobs:
                    if http.get(f"/api/v1/jobs/{job}").json()["state"] == "RUNNING":
                        self._kill(http, job)
                        del self._running[job]
                time.sleep(0.5)

    def _kill(self, http: httpx.Client, job: str) -> None:
        answer = http.post(f"/api/v1/jobs/{job}/kill", headers={"Content-Type": "application/json"})
        with self._lock:
            self.answers[answer.status_code] += 1


def test_every_job_comes_to_its_true_end_and_no_cap_is_ever_passed(
    programs: None, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    jobs = scaled(2000)
    queue_cap, user_cap, namespace_cap = scaled(40, 8), scaled(60, 12), scaled(30, 6)
    environment = rig_environment(
        tmp_path, clusters=("east", "west"), max_applications=queue_cap, user_applications=user_cap
    )
    settings = {"ARCHER_MOST_APPLICATIONS": str(namespace_cap), "ARCHER_STUCK_IMAGE_SECONDS": "3"}
    kinds: dict[str, str] = {}
    orders = [_order(number, kinds) for number in range(jobs)]
    with ExitStack() as things:
        rig = things.enter_context(Rig(folder=tmp_path, environment=environment, archer_settings=settings))
        witnesses = [things.enter_context(Witness(cluster.plane)) for cluster in rig.clusters.values()]
        api = rig.archer("api", "api")
        for number in range(2):
            rig.archer(f"hands-{number}", "dispatcher,tracker,janitor")
        url = api.url()
        assert url is not None
        killers = things.enter_context(Killers(url, kinds))
        clients = Clients(urls=lambda: [url])
        begun = time.monotonic()
        clients.submit(orders, accepted=killers.accepted)
        accepted = time.monotonic() - begun
        history.wait_until_over(rig, jobs, seconds=scaled(700, 240))
        took = time.monotonic() - begun
        history.wait_until_clean(rig, seconds=60)
        peaks, pace = history.peaks(rig), history.creates_per_minute(rig)
        wrong = history.wrong_ends(rig, orders, clients)
        attempts = history.attempts_of(rig)
        used = _used(rig)
        ends = Counter(history.ends(rig).values())
        uids = _uids(witnesses)
        doubles = [double for witness in witnesses for double in witness.doubles]
        troubles = _troubles(rig.processes.values())
    reached = {kind: history.most_of(peaks, kind) for kind in ("queue", "user", "namespace")}
    tell(
        f"two clusters: {jobs} jobs of {len(TEAMS)} namespaces and 6 queues, all accepted in {accepted:.1f} s, all ended in "
        f"{took:.0f} s, {pace:.0f} creates/min (pacing raised to {PACE}/min per cluster); {len(wrong)} in a wrong state; most at "
        f"once: queue {reached['queue']} of {queue_cap}, user {reached['user']} of {user_cap}, namespace "
        f"{reached['namespace']} of {namespace_cap}; attempts east {used['east']}, west {used['west']}; "
        f"{len(doubles)} times two live applications of one job, 0 finalizers left; {dict(sorted(ends.items()))}"
    )
    assert not wrong, "\n".join(f"{job}: {found}" for job, found in list(wrong.items())[:5])
    assert reached == {"queue": queue_cap, "user": user_cap, "namespace": namespace_cap}
    assert used["east"] > jobs // 5
    assert used["west"] > jobs // 5
    assert not doubles
    assert all(len(each) == 1 for each in uids.values())
    assert {name: {uid} for job in attempts.values() for name, _, uid in job if uid is not None}.items() <= uids.items()
    assert killers.answers[200] > 0, "nobody was killed while waiting"
    assert killers.answers[202] > 0, "nobody was killed while running"
    assert not troubles, troubles[:3]


def _order(number: int, kinds: dict[str, str]) -> Order:
    kind = MIX[number * 7 % len(MIX)]
    # one team has nearly all of its jobs in one queue, and one user has a third of everybody's
    team = TEAMS[number % 3]
    tier = "tier1" if number % (10 if team == "risk" else 2) else "tier2"
    user = "heavy" if number // 3 % 3 == 1 else f"user-{number % 7}"
    outcome = kind if kind in {"succeed", "fail", "oom", "image-pull-error"} else "succeed"
    seconds = LONG_SECONDS if kind.startswith("killed") else 1
    body: dict[str, Any] = submission(number, team=team, tier=tier, user=user, outcome=outcome, seconds=seconds)
    key = new_key()
    kinds[key] = kind
    return Order(key=key, body=body, ends=KINDS[kind])


def _used(rig: Rig) -> Counter[str]:
    with rig.connect() as connection:
        return Counter(dict(connection.execute("SELECT cluster, count(*) FROM attempts GROUP BY cluster").fetchall()))


def _uids(witnesses: Sequence[Witness]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for witness in witnesses:
        for name, uids in witness.uids.items():
            found[name] = found.get(name, set()) | uids
    return found


def _troubles(processes: Any) -> list[str]:
    """Lines by which Archer says that it met a defect of its own."""
    found: list[str] = []
    process: ArcherProcess
    for process in processes:
        lines = (process.folder / "log").read_text(errors="replace").splitlines()
        found += [line for line in lines if '"level": "error"' in line or line.startswith("Traceback")]
    return found
