"""Every limit, the sentence it is told in, and who else waits for the same reason."""

from __future__ import annotations

from typing import Any

import pytest

from archer.cluster_config import Resources, TeamView
from archer.scheduling.amounts import Amount, Ledger
from archer.scheduling.limits import Bounds, Hold, Scope, cluster_hold, queue_hold, switch_hold, user_hold
from archer.scheduling.queue_tree import Queue, QueueTree
from archer.store.interface import Mode, Switch, Usage
from testbed.archer_builders import NOON, make_job

GIB = 1024
TREE = QueueTree(
    {
        "root.ads": Queue(path="root.ads", leaf=False, most=Amount(vcores=100, memory_mib=400 * GIB)),
        "root.ads.ctr": Queue(path="root.ads.ctr", max_applications=20),
    }
)
TEAM = TeamView(
    name="ads",
    namespace="spark-ads",
    service_account="spark",
    clusters=("east",),
    queues=("root.ads",),
    quota=Resources(vcores=50, memory_gib=200),
    pods=20,
)


def ledger(**held: Any) -> Ledger:
    defaults: dict[str, Any] = {"queue": "root.ads.ctr", "user": "ada", "cluster": "east", "namespace": "spark-ads"}
    amounts = {"jobs": 1, "unacknowledged": 0, "vcores": 0, "memory_mib": 0}
    return Ledger.of([Usage(**{**defaults, **amounts, **held})])


@pytest.mark.parametrize(
    ("held", "asked", "expected"),
    [
        ({"jobs": 19}, Amount(jobs=1), None),
        ({"jobs": 20}, Amount(jobs=1), Hold(Scope.QUEUE, "queue root.ads.ctr runs 20 of 20 jobs", "root.ads.ctr")),
        ({"jobs": 25}, Amount(jobs=1), Hold(Scope.QUEUE, "queue root.ads.ctr runs 25 of 20 jobs", "root.ads.ctr")),
        ({"vcores": 96}, Amount(vcores=4), None),
        (
            {"vcores": 96},
            Amount(vcores=8),
            Hold(Scope.QUEUE, "queue root.ads holds 96 of 100 vcores, the next job asks for 8 vcores", "root.ads"),
        ),
        (
            {"memory_mib": 398 * GIB},
            Amount(memory_mib=2560),
            Hold(Scope.QUEUE, "queue root.ads holds 398 of 400 GiB, the next job asks for 2.5 GiB", "root.ads"),
        ),
        (
            {},
            Amount(vcores=101),
            Hold(
                Scope.JOB,
                "can never start: the job asks for 101 vcores, more than the 100 vcores of queue root.ads; "
                "kill it and submit it smaller, or to another queue",
            ),
        ),
        # what it could never have is told before what others hold, of whichever queue
        (
            {"jobs": 20, "memory_mib": 400 * GIB},
            Amount(memory_mib=401 * GIB),
            Hold(
                Scope.JOB,
                "can never start: the job asks for 401 GiB, more than the 400 GiB of queue root.ads; "
                "kill it and submit it smaller, or to another queue",
            ),
        ),
        # another branch of the tree
        ({"queue": "root.ml", "vcores": 999, "jobs": 99}, Amount(vcores=8), None),
    ],
)
def test_a_queue_and_those_above_it_hold_a_job_back(held: dict[str, Any], asked: Amount, expected: Hold | None) -> None:
    job = make_job(queue="root.ads.ctr")

    assert queue_hold(job, asked, TREE, ledger(**held)) == expected


@pytest.mark.parametrize("queue", ["root.gone", "root.ads", "root.ads.gone"])
def test_a_queue_that_takes_no_jobs_any_more_says_what_to_do(queue: str) -> None:
    held = queue_hold(make_job(queue=queue), Amount(jobs=1), TREE, ledger())

    assert held == Hold(
        Scope.QUEUE,
        f"can never start: queue {queue} no longer takes jobs in this environment; "
        "kill it and submit it to another queue",
        queue,
    )


@pytest.mark.parametrize(
    ("user", "held", "bounds", "reason"),
    [
        ("ada", {"jobs": 5}, Bounds(user_jobs=5), "user ada runs 5 of 5 jobs"),
        ("ada", {"jobs": 4}, Bounds(user_jobs=5), None),
        ("grace", {"jobs": 5}, Bounds(user_jobs=5), None),
        (None, {"jobs": 5}, Bounds(user_jobs=5), None),
        ("ada", {"jobs": 5}, Bounds(), None),
        (
            "ada",
            {"vcores": 30},
            Bounds(user_vcores=32),
            "user ada holds 30 of 32 vcores, the next job asks for 4 vcores",
        ),
        ("ada", {"vcores": 28}, Bounds(user_vcores=32), None),
        (
            "ada",
            {"memory_mib": 63 * GIB},
            Bounds(user_memory_mib=64 * GIB),
            "user ada holds 63 of 64 GiB, the next job asks for 8 GiB",
        ),
    ],
)
def test_a_users_limit_is_over_all_queues(
    user: str | None, held: dict[str, Any], bounds: Bounds, reason: str | None
) -> None:
    job = make_job(queue="root.ads.ctr", user=user)

    found = user_hold(job, Amount(jobs=1, vcores=4, memory_mib=8 * GIB), bounds, ledger(queue="root.other", **held))

    assert found == (None if reason is None else Hold(Scope.USER, reason, "ada"))


def test_a_job_larger_than_all_that_its_user_may_hold_can_never_start() -> None:
    bounds = Bounds(user_jobs=1, user_vcores=8)

    found = user_hold(make_job(user="ada"), Amount(jobs=1, vcores=9), bounds, ledger(jobs=1))

    told = (
        "can never start: the job asks for 9 vcores, more than the 8 vcores of user ada; kill it and submit it smaller"
    )
    assert found == Hold(Scope.JOB, told)


@pytest.mark.parametrize(
    ("asked", "pods", "reason"),
    [
        (
            Amount(jobs=1, vcores=51),
            20,
            "the job asks for 51 vcores, more than the 50 vcores of team ads on cluster east",
        ),
        (
            Amount(jobs=1, memory_mib=201 * GIB),
            20,
            "the job asks for 201 GiB, more than the 200 GiB of team ads on cluster east",
        ),
        (Amount(jobs=1), 1, "team ads on cluster east may have 1 pod, and a job needs at least 2"),
    ],
)
def test_what_a_teams_quota_never_has_is_told_before_what_its_jobs_hold(asked: Amount, pods: int, reason: str) -> None:
    found = cluster_hold(
        "east",
        make_job(namespace="spark-ads"),
        asked,
        team=TEAM.model_copy(update={"pods": pods}),
        capacity=None,
        bounds=Bounds(),
        ledger=ledger(jobs=10, unacknowledged=200),
    )

    assert found is not None
    assert (found.reason, found.passing) == (reason, False)


@pytest.mark.parametrize(
    ("held", "capacity", "reason", "common"),
    [
        ({}, None, None, False),
        ({"jobs": 2}, 2, "2 of 2 slots of cluster east are taken", True),
        ({"jobs": 1}, 2, None, False),
        (
            {"unacknowledged": 200},
            None,
            "cluster east has 200 of 200 applications that Spark has not taken up yet",
            True,
        ),
        ({"jobs": 2000}, None, "namespace spark-ads on cluster east has 2000 of 2000 applications", False),
        ({"jobs": 2000, "namespace": "spark-ml"}, None, None, False),
        ({"jobs": 10}, None, "team ads on cluster east runs 10 jobs, which need at least 20 of its 20 pods", False),
        ({"jobs": 9}, None, None, False),
        (
            {"vcores": 48},
            None,
            "team ads on cluster east holds 48 of 50 vcores, the next job asks for 4 vcores",
            False,
        ),
        (
            {"memory_mib": 200 * GIB},
            None,
            "team ads on cluster east holds 200 of 200 GiB, the next job asks for 1 GiB",
            False,
        ),
        # the team's quota is one per cluster
        ({"vcores": 48, "cluster": "west"}, None, None, False),
    ],
)
def test_a_cluster_has_slots_creates_under_way_namespaces_and_quotas(
    held: dict[str, Any], capacity: int | None, reason: str | None, common: bool
) -> None:
    found = cluster_hold(
        "east",
        make_job(namespace="spark-ads"),
        Amount(jobs=1, vcores=4, memory_mib=GIB),
        team=TEAM,
        capacity=capacity,
        bounds=Bounds(),
        ledger=ledger(**held),
    )

    assert (None if found is None else (found.reason, found.common)) == (None if reason is None else (reason, common))


@pytest.mark.parametrize(
    ("kind", "name", "mode", "expected"),
    [
        ("all", "", Mode.PAUSED, Hold(Scope.ALL, "Archer is paused by ada: month end")),
        ("queue", "root.ads", Mode.PAUSED, Hold(Scope.QUEUE, "queue root.ads is paused by ada: month end", "root.ads")),
        (
            "queue",
            "root.ads.ctr",
            Mode.DRAINING,
            Hold(Scope.QUEUE, "queue root.ads.ctr is draining by ada: month end", "root.ads.ctr"),
        ),
        ("queue", "root.ad", Mode.PAUSED, None),
        ("cluster", "east", Mode.PAUSED, None),
        ("queue", "root.ads", Mode.OPEN, None),
    ],
)
def test_a_pause_holds_what_stands_below_it(kind: str, name: str, mode: Mode, expected: Hold | None) -> None:
    switch = Switch(kind=kind, name=name, mode=mode, message="month end", actor="api:ada", at=NOON)

    assert switch_hold(make_job(queue="root.ads.ctr"), [switch]) == expected
