"""Who may knock at the local door, and how large a letter may be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from archer.api.door import MAX_BODY_BYTES, is_loopback

if TYPE_CHECKING:
    from tests.archer.api.conftest import Door

JOBS = "/api/v1/jobs"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.1.2.3:80", "[::1]:8080"])
def test_names_of_this_machine_are_let_in(door: Door, host: str) -> None:
    assert door.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "archer.example",
        "127.0.0.1.archer.example",
        "10.0.0.1",
        "0.0.0.0:8080",
        "[::]:80",
        "",
        "localhost@evil.example",
        "[",
        "a b",
    ],
)
def test_a_foreign_host_header_is_turned_away(door: Door, host: str) -> None:
    answer = door.get("/healthz", headers={"Host": host})

    assert (answer.status_code, answer.json()["code"]) == (421, "foreign-host")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_foreign_page_could_send_without_permission_is_refused(door: Door, content_type: str) -> None:
    job = door.submit()

    for path in (JOBS, f"{JOBS}/{job.id}/kill"):
        answer = door.ask("POST", path, content=b"{}", headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert door.store.job(job.id) == job


def test_json_with_a_character_set_is_json(door: Door) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}

    assert door.ask("POST", JOBS, json=door.body(), headers=headers).status_code == 201


def test_no_permission_is_given_to_foreign_pages(door: Door) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    answer = door.ask("OPTIONS", JOBS, headers=headers)

    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", [JOBS, f"{JOBS}/none", "/healthz", "/metrics", "/", "/api/openapi.json", "/none"])
def test_browsers_are_told_not_to_guess_and_not_to_hand_answers_to_foreign_pages(door: Door, path: str) -> None:
    answer = door.get(path)

    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert answer.headers.get_list("cross-origin-resource-policy") == ["same-origin"]


def test_a_refusal_at_the_door_carries_the_same_protection(door: Door) -> None:
    answer = door.get("/", headers={"Host": "evil.example"})

    assert (answer.status_code, answer.headers["x-content-type-options"]) == (421, "nosniff")


def test_a_name_given_twice_is_refused_and_leaves_no_row(door: Door) -> None:
    body = f'{{"name": "a", "application": {{"file": "{door.application}"}}, "name": "b"}}'

    answer = door.post(JOBS, body.encode())

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json")
    assert door.get(JOBS).json()["jobs"] == []


def test_a_body_of_just_the_limit_is_read_and_one_more_byte_is_not(door: Door) -> None:
    fits = b"{}".ljust(MAX_BODY_BYTES)

    assert door.post(JOBS, fits).status_code == 422
    answer = door.post(JOBS, fits + b" ")
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_a_body_without_a_length_is_cut_off_at_the_limit(door: Door) -> None:
    sent: list[dict[str, Any]] = []
    chunk = b" " * 65536
    given = 0

    async def receive() -> dict[str, Any]:
        nonlocal given
        given += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": JOBS,
        "raw_path": JOBS.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }
    asyncio.run(door.app(scope, receive, send))

    assert sent[0]["status"] == 413
    assert given <= MAX_BODY_BYTES + len(chunk)


def test_loopback_is_judged_by_the_address_not_by_its_looks() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("127.0.0.1.example")
