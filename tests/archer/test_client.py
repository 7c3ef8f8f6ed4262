"""The client repeats what is safe, never doubles a job, and ends in an error that says what to do.

Faults of the network are made with a transport that breaks on purpose; that the paths and shapes are the server's own is
shown against the real one in tests/archer/cli.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from archer.client import ArcherClient
from archer.client_errors import (
    ClientError,
    JobNotFoundError,
    RequestRefusedError,
    ServerUnavailableError,
    WaitTimeoutError,
)

JOB = {"id": "j-1", "state": "QUEUED", "version": 1}
NOT_ARCHER = (
    "something other than archer answers at http://127.0.0.1:8080 (status {}); "
    "give archer's address with --url or ARCHER_URL"
)
Answer = httpx.Response | Exception


class Time:
    """A clock that only sleeping and asking move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def scripted(answers: list[Answer], seen: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """Gives the answers one by one; an exception is raised as the network would."""

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.MockTransport(handle)


def client(transport: httpx.BaseTransport, **more: Any) -> ArcherClient:
    time = Time()
    return ArcherClient(transport=transport, sleep=time.sleep, clock=time.clock, **more)


def problem(status: int, code: str, detail: str, problems: list[dict[str, str]] | None = None) -> httpx.Response:
    body = {"title": "x", "status": status, "code": code, "detail": detail, "problems": problems or []}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


def test_a_submission_that_broke_on_the_way_is_sent_again_under_the_same_key() -> None:
    seen: list[httpx.Request] = []
    answers: list[Answer] = [
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        problem(503, "store-unavailable", "the job store is unavailable"),
        httpx.Response(200, json=JOB, headers={"Idempotent-Replay": "true"}),
    ]

    submitted = client(scripted(answers, seen)).submit({"name": "a"})

    assert submitted.job == JOB
    assert submitted.replayed
    assert len({request.headers["Idempotency-Key"] for request in seen}) == 1
    assert [json.loads(request.content) for request in seen] == [{"name": "a"}] * 4


def test_two_submissions_have_different_keys() -> None:
    seen: list[httpx.Request] = []
    archer = client(scripted([httpx.Response(201, json=JOB), httpx.Response(201, json=JOB)], seen))

    archer.submit({"name": "a"})
    archer.submit({"name": "a"})

    assert len({request.headers["Idempotency-Key"] for request in seen}) == 2


def test_a_key_in_the_submission_is_the_one_that_is_sent() -> None:
    seen: list[httpx.Request] = []

    client(scripted([httpx.Response(201, json=JOB)], seen)).submit({"name": "a", "idempotency_key": "mine"})

    assert seen[0].headers["Idempotency-Key"] == "mine"


def test_a_server_that_stays_away_is_given_up_with_its_address_and_the_reason() -> None:
    said: list[str] = []
    transport = httpx.MockTransport(lambda _request: (_ for _ in ()).throw(httpx.ConnectError("refused")))

    with pytest.raises(ServerUnavailableError) as caught:
        client(transport, on_retry=said.append, patience_seconds=2).job("j-1")

    assert str(caught.value) == (
        "archer at http://127.0.0.1:8080 does not answer (refused); "
        "is `archer serve` running, and is --url or ARCHER_URL right?"
    )
    assert set(said) == {"archer at http://127.0.0.1:8080 cannot answer just now; trying again"}


def test_retry_after_is_kept() -> None:
    time = Time()
    busy = problem(503, "store-unavailable", "later")
    busy.headers["Retry-After"] = "3"
    archer = ArcherClient(transport=scripted([busy, httpx.Response(200, json=JOB)]), sleep=time.sleep, clock=time.clock)

    archer.job("j-1")

    assert time.slept == [3.0]


@pytest.mark.parametrize(
    ("answer", "kind", "api_code", "message"),
    [
        (problem(404, "not-found", "no job 'x'"), JobNotFoundError, "not-found", "no job 'x'"),
        (problem(409, "job-already-finished", "over"), RequestRefusedError, "job-already-finished", "over"),
        (problem(500, "internal-error", "sorry"), ServerUnavailableError, "internal-error", "sorry"),
        (
            httpx.Response(404, text="<html>nginx"),
            ServerUnavailableError,
            "not-archer",
            NOT_ARCHER.format(404),
        ),
        (
            httpx.Response(200, text="hello"),
            ServerUnavailableError,
            "not-archer",
            NOT_ARCHER.format(200),
        ),
        (
            httpx.Response(500, text="oops"),
            ServerUnavailableError,
            "server-unavailable",
            "archer at http://127.0.0.1:8080 answered with status 500; see the server's log",
        ),
    ],
)
def test_each_refusal_has_its_error(
    answer: httpx.Response, kind: type[ClientError], api_code: str, message: str
) -> None:
    with pytest.raises(kind) as caught:
        client(scripted([answer])).job("x")

    assert (caught.value.api_code, str(caught.value)) == (api_code, message)


def test_a_refusal_carries_every_problem() -> None:
    problems = [{"path": "name", "value": '""', "allowed": "text", "fix": "name it"}] * 2

    with pytest.raises(RequestRefusedError) as caught:
        client(scripted([problem(422, "invalid-submission", "2 problems", problems)])).submit({})

    assert caught.value.problems == problems


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://host", "http://", "http://[::1", ""])
def test_an_address_that_is_none_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(RequestRefusedError, match="`url` must be an address such as"):
        ArcherClient(url=url)


def test_an_id_with_a_slash_stays_one_part_of_the_path() -> None:
    seen: list[httpx.Request] = []

    client(scripted([httpx.Response(200, json=JOB)], seen)).job("../metrics?x")

    assert seen[0].url.raw_path == b"/api/v1/jobs/..%2Fmetrics%3Fx"


def test_listing_follows_the_cursors_and_stops_at_the_limit() -> None:
    seen: list[httpx.Request] = []
    pages: list[Answer] = [
        httpx.Response(200, json={"jobs": [{"id": str(number)} for number in range(500)], "next_cursor": "c1"}),
        httpx.Response(200, json={"jobs": [{"id": "500"}], "next_cursor": "c2"}),
    ]

    jobs = list(client(scripted(pages, seen)).jobs(limit=501, state=["RUNNING", "QUEUED"], name=None))

    assert len(jobs) == 501
    assert [str(request.url.query, "ascii") for request in seen] == [
        "state=RUNNING&state=QUEUED&limit=500",
        "state=RUNNING&state=QUEUED&limit=1&cursor=c1",
    ]


def waiting(states: dict[str, list[str]], time: Time) -> httpx.MockTransport:
    """Each look at a job gives its next state; the last one stays. A long poll lasts as long as it was asked to."""
    versions = dict.fromkeys(states, 0)

    def handle(request: httpx.Request) -> httpx.Response:
        job_id = request.url.path.rpartition("/")[2]
        time.now += float(request.url.params.get("wait_seconds", 0))
        versions[job_id] = min(versions[job_id] + 1, len(states[job_id]))
        state = states[job_id][versions[job_id] - 1]
        return httpx.Response(200, json={"id": job_id, "state": state, "version": versions[job_id]})

    return httpx.MockTransport(handle)


def test_waiting_ends_when_every_job_has_and_tells_each_change() -> None:
    time = Time()
    changes: list[tuple[str, str]] = []
    note: Callable[[dict[str, Any]], None] = lambda job: changes.append((job["id"], job["state"]))  # noqa: E731 - short
    transport = waiting({"a": ["QUEUED", "SUCCEEDED"], "b": ["RUNNING", "RUNNING", "FAILED"]}, time)

    jobs = ArcherClient(transport=transport, sleep=time.sleep, clock=time.clock).wait(["a", "b", "a"], on_change=note)

    assert [(job["id"], job["state"]) for job in jobs] == [("a", "SUCCEEDED"), ("b", "FAILED")]
    assert changes[:2] == [("a", "QUEUED"), ("b", "RUNNING")]
    assert changes[-1] == ("b", "FAILED")


def test_waiting_gives_up_in_time_and_names_what_is_unfinished() -> None:
    time = Time()
    archer = ArcherClient(transport=waiting({"a": ["RUNNING"]}, time), sleep=time.sleep, clock=time.clock)

    with pytest.raises(WaitTimeoutError) as caught:
        archer.wait(["a"], timeout_seconds=50)

    assert str(caught.value) == "not finished after 50 s: a (RUNNING); the jobs go on: wait again, or kill them"
    assert [job["state"] for job in caught.value.jobs] == ["RUNNING"]
    assert time.now == pytest.approx(50, abs=0.01)
