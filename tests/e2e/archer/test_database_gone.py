"""PostgreSQL is killed in the middle of everything: clients are told to come again, and nothing that was accepted is lost."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx

from testbed import archer_history as history
from testbed.archer_load import PACE, Clients, Order, new_key, scaled
from testbed.archer_rig import TEAMS, Rig, rig_environment, submission
from testbed.cluster_records import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@dataclass
class Reader:
    """Somebody who asks for the state of one job all the time."""

    url: str
    job: str
    answers: list[tuple[float, int]] = field(default_factory=list)
    """When, and with which status."""

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _ask(self) -> None:
        with httpx.Client(base_url=self.url, timeout=30, trust_env=False) as http:
            while not self._stop.is_set():
                self.answers.append((time.monotonic(), http.get(f"/api/v1/jobs/{self.job}").status_code))
                time.sleep(0.2)


def test_nothing_accepted_is_lost_while_the_database_is_gone(
    programs: None, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    jobs, away = scaled(1000), scaled(30, 5)
    orders = [_order(number) for number in range(jobs)]
    with ExitStack() as things:
        environment = rig_environment(tmp_path, clusters=("east",))
        rig = things.enter_context(Rig(folder=tmp_path, environment=environment, durable=True))
        witness = things.enter_context(Witness(rig.clusters["east"].plane))
        api = rig.archer("api", "api")
        rig.archer("hands", "dispatcher,tracker,janitor")
        url = api.url()
        assert url is not None
        clients = Clients(urls=lambda: [url])
        first, rest = orders[: jobs // 4], orders[jobs // 4 :]
        begun = time.monotonic()
        clients.submit(first)
        reader = things.enter_context(Reader(url, clients.accepted[first[0].key]))
        before = Counter(clients.answers)
        submitting = threading.Thread(target=clients.submit, args=(rest,), kwargs={"seconds": away * 2}, daemon=True)
        submitting.start()
        time.sleep(away / 2)
        states: Mapping[str, int] = rig.states()
        rig.database.kill()
        gone = time.monotonic()
        time.sleep(away)
        rig.database.start()
        back = time.monotonic()
        submitting.join()
        history.wait_until_over(rig, jobs, seconds=scaled(600, 120))
        took = time.monotonic() - begun
        history.wait_until_clean(rig, seconds=60)
        wrong, pace = history.wrong_ends(rig, orders, clients), history.creates_per_minute(rig)
        written = set(history.ends(rig))
        names = [name for job in history.attempts_of(rig).values() for name, _, _ in job]
        made, doubles, repeated = set(witness.uids), witness.doubles, witness.repeated()
        processes_alive = [each.process is not None and each.process.poll() is None for each in rig.processes.values()]
    meanwhile = [status for when, status in reader.answers if gone < when < back - 1]
    status_back = next((when - back for when, status in reader.answers if when > back and status == 200), None)
    refused = clients.answers["503"] - before["503"]
    tell(
        f"database gone: {jobs} jobs, PostgreSQL killed for {away} s with {dict(states)}; {len(clients.accepted)} accepted, "
        f"{len(set(clients.accepted.values()) - written)} of them lost, {refused} answers 503, {clients.without_retry_after} of "
        f"them without Retry-After, other answers {dict(clients.answers - Counter({'503': refused}))}; status answers "
        f"{status_back or 0:.1f} s after the restart; all ended in {took:.0f} s, {len(wrong)} in a wrong state, {pace:.0f} "
        f"creates/min (pacing raised to {PACE}/min)"
    )
    assert sum(number for state, number in states.items() if state != "SUCCEEDED") > 0, "nothing was under way"
    assert refused > 0, "nobody submitted while the database was gone"
    assert clients.without_retry_after == 0
    assert set(clients.answers) <= {"201", "200", "503"}
    assert set(clients.accepted.values()) == written, "a 2xx without a row, or a row that nobody was told of"
    assert not wrong, "\n".join(f"{job}: {found}" for job, found in list(wrong.items())[:5])
    assert meanwhile, "nobody asked for the status meanwhile"
    assert set(meanwhile) == {503}
    assert status_back is not None
    assert not doubles
    assert not repeated
    assert set(names) == made
    assert all(processes_alive), "a process ended, and nobody starts it again here"


def _order(number: int) -> Order:
    ends = {0: ("fail", "FAILED user-error"), 1: ("oom", "FAILED oom-container")}
    outcome, end = ends.get(number % 10, ("succeed", "SUCCEEDED"))
    return Order(key=new_key(), body=submission(number, team=TEAMS[number % 3], outcome=outcome, seconds=2), ends=end)
