"""`archer cluster`, `queue` and `route`: whole lines, JSON as the API has it, and the exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from testbed.archer_builders import make_new_job

if TYPE_CHECKING:
    from tests.archer.cli.conftest import Run
    from tests.archer.conftest import HandDriven


def test_clusters_are_listed_with_what_was_said_of_them(archer: Run, by_hand: HandDriven) -> None:
    by_hand.run(by_hand.submit())

    assert archer("cluster", "drain", "local", "--message", "upgrade").talk == [
        "archer: cluster local is draining; active jobs there: 1"
    ]
    ran = archer("cluster", "list")

    assert ran.code == 0
    title, row = ran.lines
    assert title == "NAME  MODE  JOBS  NOT UP YET  VCORES  GIB  CREATE  MESSAGE"
    assert row.startswith(f"local  draining  1/{by_hand.settings.slots}  0  ")
    assert row.endswith("-  anonymous: upgrade")
    assert archer("cluster", "resume", "local").talk == ["archer: cluster local is open; active jobs there: 1"]
    (cluster,) = json.loads(archer("cluster", "list", "--output", "json").out)
    assert (cluster["mode"], cluster["switch"]) == ("open", None)


def test_queues_are_listed_with_what_waits(archer: Run, by_hand: HandDriven) -> None:
    by_hand.submit(queue="root.etl")

    assert archer("queue", "pause", "root.etl", "--message", "month end").talk == [
        "archer: queue root.etl is paused; active jobs: 0, waiting: 1"
    ]
    ran = archer("queue", "list")

    assert ran.lines[0] == "PATH  MODE  WAITING  JOBS  VCORES  GIB  WEIGHT  MESSAGE"
    assert "root.etl  paused  1  0  0  0  1  anonymous: month end" in ran.lines
    assert "root.x  open  0  0  0  0  1  -" in ran.lines
    archer("queue", "resume", "root.etl")
    assert {queue["mode"] for queue in json.loads(archer("queue", "list", "-o", "json").out)} == {"open"}


def test_a_cluster_that_is_gone_is_forgotten_and_one_that_is_there_is_not(archer: Run, by_hand: HandDriven) -> None:
    job = by_hand.store.submit(make_new_job(cluster="gone", max_attempts=1)).job
    by_hand.start(job)

    ran = archer("cluster", "forget", "gone")

    active = "of its active jobs 1 are repeated and 0 have ended"
    assert ran.code == 0
    assert ran.talk == [f"archer: cluster gone is forgotten; {active}, waiting jobs that name it: 0"]
    refused = archer("cluster", "forget", "local")
    assert refused.code == 2
    assert "cluster local is in this server's configuration; take it out there" in refused.err
    assert archer("cluster", "forget", "nowhere").code == 3


@pytest.mark.parametrize(
    ("words", "kind", "known"),
    [
        (("cluster", "pause", "east", "--message", "x"), "cluster", "local"),
        (("cluster", "resume", "east"), "cluster", "local"),
        (("queue", "pause", "east", "--message", "x"), "queue", "root.default"),
    ],
)
def test_an_unknown_name_ends_with_3_and_the_names_there_are(
    archer: Run, words: tuple[str, ...], kind: str, known: str
) -> None:
    ran = archer(*words)

    assert ran.code == 3
    assert f"no {kind} 'east'; there are " in ran.err
    assert known in ran.err


def test_a_pause_without_a_reason_is_refused(archer: Run) -> None:
    ran = archer("cluster", "pause", "local")

    assert ran.code == 2
    assert "--message" in ran.err


def test_a_route_is_the_clusters_name_and_explains_itself_when_asked(archer: Run, by_hand: HandDriven) -> None:
    application = str(by_hand.application)

    short = archer("route", application)
    long = archer("route", application, "--explain")

    assert (short.code, short.out, short.talk) == (0, "local\n", ["archer: cluster local alone may take it"])
    assert long.lines[:3] == ["local", "", "CLUSTER  WHAT  VALUE  WHY"]
    assert "local  pending  1.00 x 0.25  0 applications are not up yet" in long.lines
    assert by_hand.store.counters() == {}


def test_a_route_to_nowhere_says_why(archer: Run, by_hand: HandDriven) -> None:
    archer("cluster", "pause", "local", "--message", "upgrade")

    ran = archer("route", str(by_hand.application), "--explain")

    assert (ran.code, ran.lines[0]) == (0, "-")
    assert "local  switch  refused  cluster local is paused by anonymous: upgrade" in ran.lines
    assert "local  score  refused" in [line.rstrip() for line in ran.lines]
