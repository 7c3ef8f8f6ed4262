"""Behind a proxy: who is believed, and that nothing a client sends makes it one."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.concurrency import run_in_threadpool

from archer.http_server import HttpServer
from tests.archer.api.conftest import Door

JOBS = "/api/v1/jobs"
ADMIN = {"X-Forwarded-User": "eve", "X-Forwarded-Groups": "night-watch"}
PROXY = "10.9.3.7"


def test_the_same_headers_count_from_the_proxy_and_from_nobody_else(guarded: Door) -> None:
    before = guarded.rows()

    assert guarded.get(JOBS, peer=PROXY, headers=ADMIN).status_code == 200
    for peer in ("127.0.0.1", "10.8.3.7", "192.0.2.1"):
        spoofed = guarded.ask(
            "POST",
            JOBS,
            peer=peer,
            json=guarded.body(),
            headers={**ADMIN, "X-Forwarded-For": PROXY, "X-Real-IP": PROXY},
        )
        assert spoofed.status_code == 401
    assert guarded.rows() == before


def test_the_proxys_word_is_taken_without_a_thread_and_an_unknown_token_with_one(
    guarded: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a token that is not remembered is looked up in the database, which the thread of all connections must not await."""
    threads: list[str] = []

    async def counted(call: Callable[..., Any], *given: Any) -> Any:
        threads.append(call.__name__)
        return await run_in_threadpool(call, *given)

    monkeypatch.setattr("archer.api.door.run_in_threadpool", counted)

    assert guarded.get(JOBS, peer=PROXY, headers=ADMIN).status_code == 200
    assert threads == []
    assert guarded.get(JOBS, headers={"Authorization": f"Bearer {guarded.token('vera', 'viewer')}"}).status_code == 200
    assert threads == ["identify"]


def test_headers_beside_a_token_add_nothing_to_it(guarded: Door) -> None:
    headers = {**ADMIN, "Authorization": f"Bearer {guarded.token('sam', 'submitter:root.shared')}"}

    answer = guarded.ask("POST", JOBS, peer=PROXY, json=guarded.body(user="bob"), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


def test_a_bad_token_is_not_made_good_by_the_proxy(guarded: Door) -> None:
    headers = {**ADMIN, "Authorization": "Bearer archer_x"}

    assert guarded.get(JOBS, peer=PROXY, headers=headers).status_code == 401


@pytest.fixture
def alone(tmp_path: Path, migrated_database: Path) -> Iterator[Door]:
    """A door that only a proxy opens."""
    shutil.copy(migrated_database, tmp_path / "archer.db")
    made = Door(tmp_path, authentication="proxy", trusted_proxies=PROXY, group_roles="night-watch=operator")
    yield made
    made.store.close()


def test_without_tokens_there_is_no_login_and_no_token_is_taken(alone: Door) -> None:
    secret = alone.token("adam", "admin")

    assert alone.get("/login").status_code == 404
    assert alone.get(JOBS, headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert alone.get(JOBS, headers={"Cookie": f"archer_token={secret}"}).status_code == 401


def test_a_browser_that_comes_past_the_proxy_reads_why_it_is_refused(alone: Door) -> None:
    answer = alone.get("/", headers={"Accept": "text/html", **ADMIN})

    assert answer.status_code == 401
    assert "reached through its proxy" in answer.text


@pytest.mark.parametrize("forwarded", ["10.9.3.7", "10.9.3.7, 127.0.0.1", "127.0.0.1, 10.9.3.7"])
def test_the_web_server_does_not_take_a_header_for_the_peer(alone: Door, forwarded: str) -> None:
    # uvicorn would, from 127.0.0.1, when it was not told otherwise
    listening = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(alone.app, listening, shutdown_seconds=1)
    assert server.start()
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}{JOBS}"
        answer = httpx.get(url, headers={**ADMIN, "X-Forwarded-For": forwarded}, trust_env=False)
    finally:
        server.stop(5)

    assert answer.status_code == 401
