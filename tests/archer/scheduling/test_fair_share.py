"""Whose job starts next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from archer.model import Job
from archer.scheduling.amounts import Amount, Ledger, demand
from archer.scheduling.fair_share import Round, pick
from archer.scheduling.limits import Hold, Scope
from archer.scheduling.queue_tree import Queue, QueueTree
from archer.store.interface import Usage
from testbed.archer_builders import make_job, make_submission

GIB = 1024


def tree(weights: Mapping[str, float], **guaranteed: Amount) -> QueueTree:
    leaves = {path: Queue(path=path, weight=weight) for path, weight in weights.items()}
    for name, amount in guaranteed.items():
        leaves[f"root.{name}"] = Queue(path=f"root.{name}", guaranteed=amount)
    return QueueTree(leaves)


def jobs(queue: str, number: int, *, first: int = 0, **fields: Any) -> list[Job]:
    made: dict[str, Any] = {"vcores": 1, "memory_mib": 4 * GIB, **fields}
    return [make_job(id=f"j-{queue}-{first + n}", number=first + n, queue=queue, **made) for n in range(number)]


def fill(
    waiting: Sequence[Job],
    queues: QueueTree,
    most: int = 10_000,
    ledger: Ledger | None = None,
    holds: Callable[[Job], Hold | None] = lambda _: None,
) -> Round[str]:
    known = Ledger.of([]) if ledger is None else ledger

    def admit(job: Job) -> Hold | str:
        held = holds(job)
        if held is None:
            known.charge(job, "east", demand(job))
            return "east"
        return held

    return pick(waiting, queues, known, most=most, admit=admit)


def names(found: Round[str]) -> list[str]:
    return [job.id for job, _ in found.picked]


def test_three_queues_of_weights_1_2_4_share_within_one_job_of_their_weights_at_every_step() -> None:
    weights = {"root.a": 1.0, "root.b": 2.0, "root.c": 4.0}
    waiting = [job for number, path in enumerate(weights) for job in jobs(path, 400, first=1000 * number)]

    found = fill(waiting, tree(weights), most=700)

    running: Counter[str] = Counter()
    for step, (job, _) in enumerate(found.picked, start=1):
        running[job.queue] += 1
        for path, weight in weights.items():
            assert abs(running[path] - step * weight / 7) <= 1, (step, running)
    assert running == {"root.a": 100, "root.b": 200, "root.c": 400}


def test_what_runs_already_counts() -> None:
    weights = {"root.a": 1.0, "root.b": 1.0}
    held = Usage(
        queue="root.a", user=None, cluster="east", namespace=None, jobs=3, unacknowledged=0, vcores=3, memory_mib=0
    )

    found = fill([*jobs("root.a", 9), *jobs("root.b", 9, first=10)], tree(weights), most=5, ledger=Ledger.of([held]))

    assert [job.queue for job, _ in found.picked] == ["root.b"] * 3 + ["root.a", "root.b"]


def test_within_a_leaf_the_higher_priority_goes_first_then_the_lower_number() -> None:
    waiting = [
        *jobs("root.a", 2, first=1),
        *jobs("root.a", 2, first=3, priority=10),
        *jobs("root.a", 1, first=5, priority=-1),
    ]

    found = fill(list(reversed(waiting)), tree({"root.a": 1}))

    assert names(found) == ["j-root.a-3", "j-root.a-4", "j-root.a-1", "j-root.a-2", "j-root.a-5"]


def test_a_queue_within_its_guarantee_goes_before_any_that_is_not_whatever_its_weight() -> None:
    queues = tree({"root.greedy": 1_000_000.0}, safe=Amount(vcores=5, memory_mib=1000 * GIB))

    found = fill([*jobs("root.greedy", 10), *jobs("root.safe", 6, first=10)], queues, most=7)

    order = [job.queue for job, _ in found.picked]
    assert order == ["root.safe"] * 5 + ["root.greedy"] * 2


def test_the_dominant_resource_counts_against_a_guarantee() -> None:
    queues = tree({}, cpu=Amount(vcores=10, memory_mib=1000 * GIB), memory=Amount(vcores=1000, memory_mib=10 * 4 * GIB))

    found = fill([*jobs("root.cpu", 20), *jobs("root.memory", 20, first=20)], queues, most=10)

    assert Counter(job.queue for job, _ in found.picked) == {"root.cpu": 5, "root.memory": 5}


def test_parents_share_first_however_many_leaves_one_has() -> None:
    inner = {path: Queue(path=path, leaf=False) for path in ("root.one", "root.two")}
    leaves = {path: Queue(path=path) for path in ("root.one.a", "root.two.a", "root.two.b", "root.two.c")}
    waiting = [job for number, path in enumerate(leaves) for job in jobs(path, 60, first=100 * number)]

    found = fill(waiting, QueueTree({**inner, **leaves}), most=60)

    assert Counter(job.queue for job, _ in found.picked) == {
        "root.one.a": 30,
        "root.two.a": 10,
        "root.two.b": 10,
        "root.two.c": 10,
    }


def test_the_order_does_not_depend_on_the_order_of_the_input() -> None:
    weights = {"root.a": 1.0, "root.b": 3.0}
    waiting = [*jobs("root.a", 30), *jobs("root.b", 30, first=30)]

    assert names(fill(waiting, tree(weights), most=20)) == names(fill(waiting[::-1], tree(weights), most=20))


def test_a_queue_that_is_held_back_keeps_its_whole_line_and_no_other_queue() -> None:
    def holds(job: Job) -> Hold | None:
        return Hold(Scope.QUEUE, "queue root.a is full", "root.a") if job.queue == "root.a" else None

    found = fill([*jobs("root.a", 3), *jobs("root.b", 2, first=10)], tree({"root.a": 1, "root.b": 1}), holds=holds)

    assert names(found) == ["j-root.b-10", "j-root.b-11"]
    assert found.waits == {("root.a", None): "queue root.a is full"}
    assert found.reasons == {}


def test_a_full_parent_is_the_reason_of_all_leaves_below_it() -> None:
    queues = QueueTree(
        {"root.p": Queue(path="root.p", leaf=False)} | {p: Queue(path=p) for p in ("root.p.a", "root.p.b", "root.q")}
    )

    def holds(job: Job) -> Hold | None:
        return Hold(Scope.QUEUE, "queue root.p is full", "root.p") if job.queue.startswith("root.p.") else None

    waiting = [*jobs("root.p.a", 1), *jobs("root.p.b", 1, first=1), *jobs("root.q", 1, first=2)]
    found = fill(waiting, queues, holds=holds)

    assert names(found) == ["j-root.q-2"]
    assert found.waits == dict.fromkeys([("root.p.a", None), ("root.p.b", None)], "queue root.p is full")


def test_a_user_at_the_limit_is_passed_over_and_asked_about_once() -> None:
    asked: Counter[str | None] = Counter()

    def holds(job: Job) -> Hold | None:
        asked[job.user] += 1
        return Hold(Scope.USER, "user ada runs 5 of 5 jobs", "ada") if job.user == "ada" else None

    waiting = [*jobs("root.a", 500, user="ada"), *jobs("root.a", 2, first=500, user="grace")]
    found = fill(waiting, tree({"root.a": 1}), holds=holds)

    assert names(found) == ["j-root.a-500", "j-root.a-501"]
    assert found.waits == {("root.a", "ada"): "user ada runs 5 of 5 jobs"}
    assert asked == {"ada": 1, "grace": 2}


def test_a_team_without_room_is_passed_over_and_a_job_that_named_its_cluster_has_a_reason_of_its_own() -> None:
    def holds(job: Job) -> Hold | None:
        return Hold(Scope.ROUTE, f"no room for {job.team}") if job.team == "ads" else None

    named = make_job(id="j-named", number=9, queue="root.a", team="ads", submission=make_submission(cluster="east"))
    waiting = [*jobs("root.a", 2, team="ads", user="ada"), named, *jobs("root.a", 1, first=20, team="ml", user="bob")]
    found = fill(waiting, tree({"root.a": 1}), holds=holds)

    assert names(found) == ["j-root.a-20"]
    assert found.waits == {("root.a", "ada"): "no room for ads"}
    assert found.reasons == {"j-named": "no room for ads"}


def test_a_job_that_can_never_start_keeps_no_other_waiting() -> None:
    def holds(job: Job) -> Hold | None:
        return Hold(Scope.JOB, "too large") if job.number == 0 else None

    found = fill(jobs("root.a", 2), tree({"root.a": 1}), holds=holds)

    assert names(found) == ["j-root.a-1"]
    assert found.reasons == {"j-root.a-0": "too large"}


def test_when_everything_stands_still_each_queue_says_so() -> None:
    found = fill(
        [*jobs("root.a", 3), *jobs("root.b", 3, first=5)],
        tree({"root.a": 1, "root.b": 1}),
        holds=lambda _: Hold(Scope.ALL, "2 of 2 slots of cluster east are taken"),
    )

    assert found.picked == []
    assert found.waits == dict.fromkeys([("root.a", None), ("root.b", None)], "2 of 2 slots of cluster east are taken")


@pytest.mark.parametrize("queue", ["root.gone", "root.p", "root.p.gone"])
def test_a_queue_that_the_tree_does_not_have_stops_no_other(queue: str) -> None:
    queues = QueueTree({"root.p": Queue(path="root.p", leaf=False), "root.p.a": Queue(path="root.p.a")})

    found = fill(
        [*jobs(queue, 1), *jobs("root.p.a", 2, first=5)],
        queues,
        holds=lambda job: Hold(Scope.QUEUE, "gone", queue) if job.queue == queue else None,
    )

    assert names(found) == ["j-root.p.a-5", "j-root.p.a-6"]
    assert found.waits == {(queue, None): "gone"}


def test_a_full_round_says_that_there_may_be_more() -> None:
    assert fill(jobs("root.a", 3), tree({"root.a": 1}), most=2).full
    assert not fill(jobs("root.a", 2), tree({"root.a": 1}), most=3).full
    assert fill([], tree({"root.a": 1})).picked == []


@pytest.mark.parametrize("number", [1000, 2000])
def test_each_job_is_judged_once_however_many_wait(number: int) -> None:
    judged: Counter[str] = Counter()

    def holds(job: Job) -> Hold | None:
        judged[job.id] += 1
        return Hold(Scope.JOB, "not now") if job.number % 2 else None

    fill(jobs("root.a", number), tree({"root.a": 1}), holds=holds)

    assert set(judged.values()) == {1}
    assert len(judged) == number
