"""Which jobs are admitted, where to, and what the others are told."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from archer.errors import LaunchRefusedError
from archer.model import Category, JobState
from archer.store.interface import ClusterHealth, Mode
from tests.archer.scheduling.conftest import finish, make_config

if TYPE_CHECKING:
    from tests.archer.scheduling.conftest import MakeYard, Yard

S = JobState


def health(yard: Yard, name: str, breaker: str = "closed", **fields: Any) -> None:
    whole = {"healthy": breaker == "closed", "message": "", "create_seconds": None, "at": yard.clock.now(), **fields}
    yard.store.report_health(ClusterHealth(name=name, breaker=breaker, **whole))


def test_a_job_is_written_down_with_its_cluster_and_attempt_before_anything_is_created(yard: Yard) -> None:
    job = yard.submit()

    yard.admit()

    found = yard.job(job)
    (attempt,) = yard.store.attempts(job.id)
    assert (found.state, found.attempt, found.namespace) == (S.SUBMITTING, 1, "spark-ads")
    assert attempt.name == f"{job.id}-1"
    assert attempt.spec == {"name": "report", "attempt": 1, "rung": 1.0}
    assert found.cluster in {"east", "west"}
    message = yard.store.events(job.id)[-1].message
    assert message == (
        f"attempt 1 goes to cluster {found.cluster}: "
        f"east, west are about equal, and jobs named report go to {found.cluster}"
    )
    assert not any(cluster.creates for cluster in yard.clusters.values())


def test_a_full_queue_says_so_and_starts_the_next_job_when_one_ends(make_yard: MakeYard) -> None:
    yard = make_yard(**{"root.ads.ctr": {"max_applications": 2}})
    jobs = [yard.submit() for _ in range(3)]

    yard.admit()

    assert yard.states(*jobs) == ["SUBMITTING", "SUBMITTING", "QUEUED"]
    assert yard.reason(jobs[2]) == "queue root.ads.ctr runs 2 of 2 jobs"
    assert yard.store.standing(yard.job(jobs[2])) == ("queue root.ads.ctr runs 2 of 2 jobs", 0)
    finish(yard, jobs[0])
    yard.admit()
    assert yard.states(jobs[2]) == ["SUBMITTING"]
    assert yard.reason(jobs[2]) is None


def test_reasons_are_as_users_read_them(make_yard: MakeYard) -> None:
    yard = make_yard(
        **{
            "root.ads": {"max": {"vcores": 8, "memory_gib": 100}},
            "queues": {"user_limit": {"max_applications": 2, "max": {"vcores": 100, "memory_gib": 100}}},
        }
    )
    own = [yard.submit(user="grace") for _ in range(3)]
    huge = yard.submit(vcores=9, user="linus")
    large = yard.submit(vcores=6, user="linus")

    yard.admit()

    assert yard.states(*own, huge, large) == ["SUBMITTING", "SUBMITTING", "QUEUED", "QUEUED", "QUEUED"]
    assert yard.reason(own[2]) == "user grace runs 2 of 2 jobs"
    assert yard.reason(huge) == (
        "can never start: the job asks for 9 vcores, more than the 8 vcores of queue root.ads; "
        "kill it and submit it smaller, or to another queue"
    )
    assert yard.reason(large) == "queue root.ads holds 4 of 8 vcores, the next job asks for 6 vcores"


def test_a_reason_that_no_longer_holds_is_taken_back(make_yard: MakeYard) -> None:
    yard = make_yard()
    job = yard.submit(submission={"cluster": "east"})
    yard.switch("cluster", "east")
    yard.admit()
    assert yard.reason(job) == "cluster east is paused by ada: month end"

    yard.switch("cluster", "east", Mode.OPEN)
    yard.switch("queue", "root.ads")
    yard.admit()

    assert yard.reason(job) == "queue root.ads is paused by ada: month end"


def test_unchanged_reasons_are_not_written_again(make_yard: MakeYard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard = make_yard(**{"root.ads.ctr": {"max_applications": 1}})
    [yard.submit() for _ in range(2)]
    yard.submit(submission={"cluster": "south"}, queue="root.ads.etl")
    yard.admit()
    written: list[str] = []
    for name in ("set_waits", "set_reasons"):
        monkeypatch.setattr(yard.store, name, lambda _, name=name: written.append(name))

    yard.admit()

    assert written == []


@pytest.mark.parametrize(
    ("kind", "name"), [("queue", "root.ads.ctr"), ("queue", "root.ads"), ("queue", "root"), ("all", "")]
)
def test_a_paused_queue_starts_nothing_and_the_others_do(yard: Yard, kind: str, name: str) -> None:
    held, other = yard.submit(), yard.submit(queue="root.ml")
    yard.switch(kind, name)

    yard.admit()

    free = "SUBMITTING" if name.startswith("root.ads") else "QUEUED"
    assert yard.states(held, other) == ["QUEUED", free]
    assert "is paused by ada: month end" in (yard.reason(held) or "")
    yard.switch(kind, name, Mode.OPEN)
    yard.admit()
    assert yard.states(held, other) == ["SUBMITTING", "SUBMITTING"]


@pytest.mark.parametrize("mode", [Mode.DRAINING, Mode.PAUSED])
def test_jobs_go_elsewhere_from_a_cluster_that_takes_none_unless_they_asked_for_it(yard: Yard, mode: Mode) -> None:
    yard.switch("cluster", "east", mode)
    free, named = [yard.submit() for _ in range(5)], yard.submit(submission={"cluster": "east"})

    yard.admit()

    assert {yard.job(job).cluster for job in free} == {"west"}
    assert yard.states(named) == ["QUEUED"]
    assert yard.reason(named) == f"cluster east is {mode} by ada: month end"


def test_a_cluster_that_does_not_answer_takes_no_job_until_one_has_tried_it(yard: Yard) -> None:
    yard.switch("cluster", "west")
    jobs = [yard.submit() for _ in range(4)]
    health(yard, "east", "open", message="connection refused")
    yard.admit()
    assert yard.states(*jobs) == ["QUEUED"] * 4
    assert (
        yard.reason(jobs[0])
        == "cluster east doesn't answer: connection refused; cluster west is paused by ada: month end"
    )

    health(yard, "east", "half-open")
    yard.admit()
    yard.admit()

    assert Counter(yard.states(*jobs)) == {"SUBMITTING": 1, "QUEUED": 3}
    health(yard, "east")
    yard.admit()
    assert yard.states(*jobs) == ["SUBMITTING"] * 4


def test_what_a_launcher_said_long_ago_keeps_no_job_out(yard: Yard) -> None:
    job = yard.submit()
    for name in yard.clusters:
        health(yard, name, "open")
    yard.clock.advance(121)

    yard.admit()

    assert yard.states(job) == ["SUBMITTING"]


def test_a_teams_quota_is_one_per_cluster_and_holds_that_team_only(make_yard: MakeYard) -> None:
    yard = make_yard(ads={"quota": {"vcores": 4, "memory_gib": 1000}})
    ads, ml = [yard.submit() for _ in range(6)], yard.submit(queue="root.ml")

    yard.admit()

    assert Counter(yard.job(job).cluster for job in ads) == {"east": 2, "west": 2, None: 2}
    assert yard.states(ml) == ["SUBMITTING"]
    assert "team ads on cluster east holds 4 of 4 vcores, the next job asks for 2 vcores" in (yard.reason(ads[5]) or "")


def test_the_first_attempt_starts_with_the_memory_that_worked_last_time(yard: Yard) -> None:
    before = yard.submit(memory_mib=1024)
    yard.admit()
    attempt_rung = 2.0
    with yard.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE attempts SET memory_rung = {attempt_rung}")
    finish(yard, before, remember_rung=True)
    job, other = yard.submit(), yard.submit(name="another")

    yard.admit()

    assert yard.job(job).memory_rung == yard.store.attempts(job.id)[0].memory_rung == 2.0
    assert yard.store.attempts(job.id)[0].spec["rung"] == 2.0
    notes = [event.message for event in yard.store.events(job.id)]
    assert "starts with 2 times the memory: that worked last time" in notes
    assert yard.job(other).memory_rung == 1.0


def test_memory_that_worked_elsewhere_and_fits_no_node_here_is_not_asked_for(yard: Yard) -> None:
    before = yard.submit()
    yard.admit()
    with yard.database.write() as connection:
        connection.exec_driver_sql("UPDATE attempts SET memory_rung = 4")
    finish(yard, before, remember_rung=True)
    job = yard.submit(submission={"executor": {"memory": "20g"}})

    yard.admit()

    assert (yard.states(job), yard.job(job).memory_rung) == (["SUBMITTING"], 1.0)


def test_nodes_must_hold_the_memory_that_a_teams_properties_add(make_yard: MakeYard) -> None:
    conf = {"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "60g"}
    yard = make_yard(ads={"conf": conf})
    job, other = yard.submit(), yard.submit(queue="root.ml")

    yard.admit()

    assert yard.states(job, other) == ["QUEUED", "SUBMITTING"]
    assert str(yard.reason(job)).startswith(
        "can never start: no executor node of cluster east holds 1 vcores and 61.4 GiB"
    )


SMALL_NODES = {
    "pools": [{**pool, "node_memory_mib": 2048} for pool in make_config().clusters[0].model_dump(mode="json")["pools"]]
}


@pytest.mark.parametrize(
    ("changes", "wishes", "reason"),
    [
        (
            {"root.ads.ctr": {"max": {"vcores": 1, "memory_gib": 100}}},
            {},
            (
                "can never start: the job asks for 2 vcores, more than the 1 vcores of queue root.ads.ctr; "
                "kill it and submit it smaller, or to another queue"
            ),
        ),
        (
            {"ads": {"quota": {"vcores": 1, "memory_gib": 100}}},
            {},
            (
                "can never start: the job asks for 2 vcores, more than the 1 vcores of team ads on cluster east; "
                "the job asks for 2 vcores, more than the 1 vcores of team ads on cluster west; "
                "kill it and submit it as a cluster can take it"
            ),
        ),
        (
            {"east": SMALL_NODES, "west": SMALL_NODES},
            {"cluster": "east", "executor": {"memory": "2g"}},
            (
                "can never start: no executor node of cluster east holds 1 vcores and 2.8 GiB; "
                "the largest has 16 and 2, less what the system keeps; kill it and submit it as a cluster can take it"
            ),
        ),
        (
            {},
            {"cluster": "south"},
            (
                "can never start: the job asks for cluster south, which this server doesn't know; it knows east, west; "
                "kill it and submit it as a cluster can take it"
            ),
        ),
    ],
    ids=["queue", "quota", "nodes", "cluster"],
)
def test_a_job_that_a_changed_configuration_has_no_room_for_says_so_and_what_to_do(
    make_yard: MakeYard, changes: dict[str, Any], wishes: dict[str, Any], reason: str
) -> None:
    yard = make_yard(**changes)
    job = yard.submit(submission=wishes)

    yard.admit()

    assert (yard.states(job), yard.reason(job)) == (["QUEUED"], reason)


def test_a_job_that_fits_no_node_does_not_close_its_queue_to_others(make_yard: MakeYard) -> None:
    yard = make_yard(**{"root.ads.ctr": {"max": {"vcores": 10, "memory_gib": 100}}})
    running = yard.submit(vcores=4)
    yard.admit()
    stuck = yard.submit(vcores=8, submission={"executor": {"memory": "200g"}})
    small = yard.submit(vcores=4)

    yard.admit()

    assert yard.states(running, stuck, small) == ["SUBMITTING", "QUEUED", "SUBMITTING"]
    assert str(yard.reason(stuck)).startswith("can never start: no executor node")


def test_a_pod_that_no_nodes_usable_memory_holds_is_not_sent_there(yard: Yard) -> None:
    # 56 GiB of 64: more than what the manifest's own check leaves of a node
    job = yard.submit(submission={"executor": {"memory": "40g"}})

    yard.admit()

    assert yard.states(job) == ["QUEUED"]
    assert str(yard.reason(job)).startswith(
        "can never start: no executor node of cluster east holds 1 vcores and 56.0 GiB"
    )


@pytest.mark.parametrize(
    ("error", "category", "summary"),
    [
        (LaunchRefusedError("no such profile", "name another"), Category.SUBMIT_ERROR, "no such profile"),
        (LaunchRefusedError("full", "wait", category="quota"), Category.QUOTA, "full"),
        (TypeError("ours"), Category.SUBMIT_ERROR, "its specification could not be written: a defect of Archer"),
    ],
)
def test_a_job_whose_plan_fails_fails_alone_and_says_why(
    yard: Yard, error: Exception, category: Category, summary: str
) -> None:
    bad, good = yard.submit(), yard.submit()
    for cluster in yard.clusters.values():
        cluster.unplannable = {bad.id: error}

    yard.admit()

    assert yard.states(bad, good) == ["FAILED", "SUBMITTING"]
    diagnosis = yard.job(bad).diagnosis
    assert diagnosis is not None
    assert (diagnosis.category, diagnosis.summary) == (category, summary)
    assert yard.store.attempts(bad.id) == []


def test_a_job_that_can_not_be_read_keeps_no_other_waiting(yard: Yard) -> None:
    bad, good = yard.submit(), yard.submit()
    with yard.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE jobs SET submission = '{{}}' WHERE id = '{bad.id}'")

    yard.admit()

    assert yard.states(bad, good) == ["QUEUED", "SUBMITTING"]
    assert "can't read this job" in (yard.reason(bad) or "")


def test_a_job_that_waited_too_long_fails(yard: Yard) -> None:
    yard.switch("all", "")
    deadline = yard.clock.now() + timedelta(seconds=60)
    job = yard.submit(queue_deadline=deadline, submission={"timeouts": {"queue_seconds": 60}})
    yard.clock.advance(61)

    yard.admit()

    diagnosis = yard.job(job).diagnosis
    assert yard.states(job) == ["FAILED"]
    assert diagnosis is not None
    assert diagnosis.category is Category.TIMEOUT


def test_one_more_round_is_asked_for_while_there_may_be_more(make_yard: MakeYard) -> None:
    yard = make_yard()
    yard.admission = yard.admission_of("d", per_round=2)
    jobs = [yard.submit() for _ in range(3)]

    assert yard.admit() is True
    assert yard.admit() is False
    assert set(yard.states(*jobs)) == {"SUBMITTING"}
    assert yard.admit() is False


def test_users_behind_hundreds_of_jobs_of_one_at_the_limit_are_reached(make_yard: MakeYard) -> None:
    limit = {"max_applications": 1, "max": {"vcores": 100, "memory_gib": 100}}
    yard = make_yard(queues={"user_limit": limit})
    for _ in range(450):
        yard.submit(user="ada")
    other = yard.submit(user="grace")

    for _ in range(10):
        # other queues go on starting jobs
        yard.submit(user=None, queue="root.ml")
        yard.admit()

    assert yard.states(other) == ["SUBMITTING"]


@pytest.mark.parametrize("number", [100, 400])
def test_a_rounds_calls_to_the_store_do_not_depend_on_how_many_wait(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    for place in range(number):
        yard.submit(name=f"report-{place}")
    calls: Counter[str] = Counter()
    for name in [name for name in dir(yard.store) if not name.startswith("_")]:
        method = getattr(yard.store, name)
        if callable(method):

            def counted(*args: Any, method: Any = method, name: str = name, **fields: Any) -> Any:
                calls[name] += 1
                return method(*args, **fields)

            monkeypatch.setattr(yard.store, name, counted)

    yard.admit()

    assert dict(calls) == {
        "acquire": 1,
        # of each cluster, in the first round of a new holder of the lease
        "begun_since": 2,
        "overdue": 1,
        "waiting": 1,
        "switches": 1,
        "health": 1,
        "usage": 1,
        "rungs": 1,
        "change_many": 1,
        "set_waits": 1,
    }
