"""The use cases, without HTTP."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from archer.backends.fleet import Fleet
from archer.cluster_config import ClusterConfig
from archer.errors import (
    IdempotencyKeyReusedError,
    InvalidQueryError,
    InvalidSubmissionError,
    JobAlreadyFinishedError,
    NotFoundError,
    Problem,
    QueueFullError,
)
from archer.model import EventKind, JobState
from archer.service import Service
from archer.store.interface import JobFilter
from testbed.archer_builders import make_cluster_config, make_submission

if TYPE_CHECKING:
    from tests.archer.workers.conftest import Shop

S = JobState


def test_a_waiting_job_says_what_it_waits_for(shop: Shop) -> None:
    for _ in range(3):
        shop.submit()
    shop.dispatch()
    last, urgent = shop.submit(), shop.submit(priority=5)

    assert shop.service.job(last.id).reason == "waits for a slot: 2 of 2 are taken, 2 jobs wait before it"
    assert shop.service.job(urgent.id).reason == "waits for a slot: 2 of 2 are taken, no job waits before it"


def test_what_the_place_can_not_honour_is_refused_and_leaves_no_row(shop: Shop) -> None:
    shop.backend.problems = [Problem(path="image", value="x", allowed="absent", fix="leave it out")]

    with pytest.raises(InvalidSubmissionError, match="`image` must be absent"):
        shop.submit(image="x")

    assert shop.service.jobs(JobFilter(), limit=10).jobs == []


def test_a_repeated_request_is_answered_even_when_its_file_is_gone_by_now(shop: Shop) -> None:
    first = shop.service.submit(make_submission(), header_key="k", actor="a").result()
    shop.backend.problems = [Problem(path="application.file", value="x", allowed="a file", fix="create it")]

    again = shop.service.submit(make_submission(), header_key="k", actor="a").result()

    assert (again.replayed, again.job.id) == (True, first.job.id)


def test_defaults_written_out_are_the_same_request(shop: Shop) -> None:
    first = shop.service.submit(make_submission(), header_key="k", actor="a").result()

    again = shop.service.submit(make_submission(driver={"memory": "1g"}, idempotency_key="k"), actor="a").result()

    assert again.job.id == first.job.id
    with pytest.raises(IdempotencyKeyReusedError):
        shop.service.submit(make_submission(queue="root.other"), header_key="k", actor="a").result()


def test_the_same_body_is_the_same_request_whatever_the_environment_fills_in(shop: Shop) -> None:
    before = Service(shop.store, Fleet([shop.backend]), shop.clock, config=make_cluster_config("root.a", "root.b"))
    after = Service(
        shop.store, Fleet([shop.backend]), shop.clock, config=make_cluster_config("root.a", "root.b", default="root.b")
    )
    first = before.submit(make_submission(), header_key="k", actor="a").result()

    again = after.submit(make_submission(), header_key="k", actor="a").result()

    assert (again.replayed, again.job.id, again.job.queue) == (True, first.job.id, "root.a")
    assert shop.store.job(first.job.id).submission["queue"] == "root.a"


def test_a_repeated_request_is_answered_even_when_its_queue_is_gone_by_now(shop: Shop) -> None:
    before = Service(shop.store, Fleet([shop.backend]), shop.clock, config=make_cluster_config("root.a"))
    after = Service(shop.store, Fleet([shop.backend]), shop.clock, config=make_cluster_config("root.b"))
    first = before.submit(make_submission(queue="root.a"), header_key="k", actor="a").result()

    assert after.submit(make_submission(queue="root.a"), header_key="k", actor="a").result().job.id == first.job.id


def test_under_a_profile_a_value_left_out_is_another_request_than_the_default_written_out(shop: Shop) -> None:
    profiles = [{"name": "large", "driver": {"cores": 2, "memory": "8g"}}]
    service = Service(
        shop.store, Fleet([shop.backend]), shop.clock, config=make_cluster_config("root.a", profiles=profiles)
    )
    first = service.submit(make_submission(profile="large"), header_key="k", actor="a").result()

    assert service.submit(make_submission(profile="large"), header_key="k", actor="a").result().job.id == first.job.id
    with pytest.raises(IdempotencyKeyReusedError):
        service.submit(make_submission(profile="large", driver={"memory": "1g"}), header_key="k", actor="a").result()


def test_a_problem_with_a_profiles_value_says_whose_it_is(shop: Shop) -> None:
    profiles = [{"name": "large", "driver": {"cores": 2, "memory": "8g"}}]
    service = Service(
        shop.store, Fleet([shop.backend]), shop.clock, config=make_cluster_config("root.a", profiles=profiles)
    )
    shop.backend.problems = [
        Problem(path=f"{part}.memory", value='"8g"', allowed="small", fix="ask for less")
        for part in ("driver", "executor")
    ]

    with pytest.raises(InvalidSubmissionError) as caught:
        service.submit(make_submission(profile="large", queue="root.b"), actor="a").result()

    assert [(problem.path, problem.fix) for problem in caught.value.problems] == [
        ("queue", "did you mean `root.a`?"),
        ("driver.memory", "ask for less; the value is profile large's"),
        ("executor.memory", "ask for less"),
    ]


def test_killing_a_waiting_job_ends_it_at_once_and_names_who_asked(shop: Shop) -> None:
    job = shop.submit()

    killed = shop.service.kill(str(job.number), actor="api:grace")

    assert killed.state is S.CANCELLED
    assert killed.finished_at is not None
    events = shop.store.events(job.id)
    assert [(event.kind, event.message) for event in events[1:]] == [
        (EventKind.REQUEST, "kill requested by api:grace"),
        (EventKind.STATE, "killed before it ran"),
    ]


def test_killing_a_job_between_two_attempts_ends_it_at_once(shop: Shop) -> None:
    job = shop.submit(retry={"max_attempts": 2})
    shop.dispatch()
    shop.backend.end(f"{job.id}-1", exit_code=137, stopped_for="memory-limit")
    shop.track()
    assert shop.states(job) == ["RETRY_WAIT"]

    assert shop.service.kill(job.id, actor="a").state is S.CANCELLED


def test_killing_a_job_whose_attempt_was_just_lost_ends_it_at_once(shop: Shop) -> None:
    """The moment between a loss and the decision about it lasts as long as no tracker runs."""
    job = shop.submit()
    shop.dispatch()
    shop.backend.lose(f"{job.id}-1")
    shop.tracker.step(shop.fence("tracker"))
    assert shop.states(job) == ["LOST"]

    killed = shop.service.kill(job.id, actor="api:grace")

    assert killed.state is S.CANCELLED
    (attempt,) = shop.store.attempts(job.id)
    assert attempt.state is S.CANCELLED
    shop.track()
    shop.dispatch()
    assert shop.states(job) == ["CANCELLED"]


def test_a_second_kill_changes_nothing(shop: Shop) -> None:
    job = shop.submit()
    shop.dispatch()
    first = shop.service.kill(job.id, actor="a")

    assert first.state is S.CANCELLING
    assert shop.service.kill(job.id, actor="b") == first


def test_a_finished_job_can_not_be_killed(shop: Shop) -> None:
    job = shop.submit()
    shop.service.kill(job.id, actor="a")

    with pytest.raises(JobAlreadyFinishedError, match="already ended CANCELLED"):
        shop.service.kill(job.id, actor="a")


def test_unknown_jobs_and_attempts_are_not_found(shop: Shop) -> None:
    job = shop.submit()

    for call in (shop.service.job, shop.service.attempts, shop.service.events, shop.service.logs):
        with pytest.raises(NotFoundError):
            call("j-nobody")
    with pytest.raises(NotFoundError, match=f"{job.id}-7"):
        shop.service.logs(job.id, attempt=7)


def test_logs_are_the_latest_attempts_unless_asked_otherwise(shop: Shop) -> None:
    job = shop.submit(retry={"max_attempts": 2})
    assert shop.service.logs(job.id).text == ""
    shop.dispatch()
    shop.backend.end(f"{job.id}-1", exit_code=137, stopped_for="memory-limit")
    shop.track()
    shop.clock.advance(60)
    shop.dispatch()

    latest, first = shop.service.logs(job.id, stream="stdout"), shop.service.logs(job.id, attempt=1)

    assert (latest.text, latest.complete) == (f"{job.id}-2 stdout\n", False)
    assert (first.text, first.complete) == (f"{job.id}-1 driver\n", True)


@pytest.mark.parametrize("cursor", ["", "x", "YmVmb3JlOng", "AAAA", "ünïcode", "YmVmb3JlOi0x"])
def test_a_cursor_that_no_page_gave_is_refused(shop: Shop, cursor: str) -> None:
    with pytest.raises(InvalidQueryError, match="cursor"):
        shop.service.jobs(JobFilter(), limit=1, cursor=cursor)


def test_the_history_servers_page_of_a_job_exists_once_the_application_does(shop: Shop) -> None:
    service = Service(shop.store, Fleet([shop.backend]), shop.clock, history_server=lambda: "http://127.0.0.1:18080")
    job = shop.submit()
    assert service.history_url(service.job(job.id)) is None
    shop.dispatch()
    shop.backend.run(f"{job.id}-1")
    shop.track()

    assert service.history_url(service.job(job.id)) == f"http://127.0.0.1:18080/history/app-{job.id}-1/jobs/"
    assert shop.service.history_url(service.job(job.id)) is None


def test_a_request_is_known_by_what_its_body_says_so_that_new_fields_make_no_other_request_of_it(shop: Shop) -> None:
    job = (
        shop.service.submit(make_submission(driver={"cores": 1, "memory": "2g"}), header_key="k", actor="a")
        .result()
        .job
    )

    with shop.database.read() as connection:
        (kept,) = connection.exec_driver_sql("SELECT request_hash FROM idempotency_keys").scalars()

    said = '{"application":{"file":"/jobs/report.py"},"driver":{"memory":"2g"},"name":"report"}'
    assert kept == hashlib.sha256(said.encode()).hexdigest()
    assert job.submission["driver"]["cores"] == 1


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ({"tree": [{"path": "root.a", "leaf": True, "max_waiting": 2}]}, "root.a"),
        ({"user_limit": {"max_applications": 9, "max": {"vcores": 9, "memory_gib": 9}, "max_waiting": 2}}, "ada"),
    ],
)
def test_more_jobs_than_may_wait_are_refused_and_nothing_is_written(
    shop: Shop, limits: dict[str, Any], names: str
) -> None:
    given = make_cluster_config("root.a").model_dump(mode="json", exclude_none=True)
    config = ClusterConfig.model_validate({**given, "queues": {**given["queues"], **limits}})
    service = Service(shop.store, Fleet([shop.backend]), shop.clock, config=config)
    for _ in range(2):
        service.submit(make_submission(user="ada"), actor="api:ada").result()

    with pytest.raises(QueueFullError, match=names):
        service.submit(make_submission(user="ada"), actor="api:ada").result()

    assert len(shop.store.jobs(JobFilter(), limit=10).jobs) == 2
