"""Clients that wait for news of jobs, many of them."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from archer.model import Job
    from tests.archer.api.conftest import Door

CLIENTS = 30


def all_at_once(door: Door, paths: Sequence[str], meanwhile: Callable[[], Awaitable[None]] | None = None) -> list[Any]:
    """The answers to clients that ask at the same time."""

    async def ask() -> list[Any]:
        transport = httpx.ASGITransport(door.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client:
            asked = [asyncio.create_task(client.get(f"/api/v1/jobs/{path}")) for path in paths]
            if meanwhile is not None:
                await meanwhile()
            return await asyncio.gather(*asked)

    return asyncio.run(ask())


def looks(door: Door) -> list[Any]:
    """Fills with the parameters of each statement that reads versions of jobs and nothing else."""
    seen: list[Any] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.split("FROM", maxsplit=1)[0].strip().endswith("jobs.version") and "jobs.state" not in statement:
            seen.append(parameters)

    event.listen(door.database.engine, "before_cursor_execute", note)
    return seen


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110  # what it waits for happens in the application
        await asyncio.sleep(0.01)


def submit(door: Door, number: int) -> list[Job]:
    return [door.submit(name=f"report-{count}") for count in range(number)]


def test_the_database_is_not_asked_for_each_client_that_waits(door: Door) -> None:
    jobs = submit(door, CLIENTS)
    seen = looks(door)

    answers = all_at_once(door, [f"{job.id}?wait_seconds=1" for job in jobs])

    assert [answer.json()["version"] for answer in answers] == [1] * CLIENTS
    assert seen
    assert len(seen) < CLIENTS
    assert {job.id for job in jobs} in [set(parameters) for parameters in seen]


def test_who_waits_for_one_job_is_told_of_that_one_alone(door: Door) -> None:
    changed, other = submit(door, 2)
    seen = looks(door)

    async def change() -> None:
        await until(lambda: len(seen) > 0)
        await asyncio.to_thread(door.post, f"/api/v1/jobs/{changed.id}/kill")

    paths = [f"{changed.id}?wait_seconds=50", f"{changed.number}?wait_seconds=50", f"{other.id}?wait_seconds=1"]
    answers = all_at_once(door, paths, change)

    assert [answer.json()["state"] for answer in answers] == ["CANCELLED", "CANCELLED", "QUEUED"]


def test_a_client_that_knows_more_than_is_true_waits_until_it_is(door: Door) -> None:
    job = door.submit()

    answer = door.get(f"/api/v1/jobs/{job.id}?wait_seconds=0.5&version=7")

    assert answer.json()["version"] == 1


def test_a_job_that_is_forgotten_meanwhile_is_not_found(door: Door) -> None:
    job = door.submit()
    seen = looks(door)

    async def forget() -> None:
        await until(lambda: len(seen) > 0)
        with sqlite3.connect(door.settings.data / "archer.db") as database:
            database.execute("DELETE FROM jobs")

    (answer,) = all_at_once(door, [f"{job.id}?wait_seconds=50"], forget)

    assert answer.status_code == 404


def test_a_database_that_goes_away_is_told_to_all_who_wait(door: Door) -> None:
    jobs = submit(door, 3)
    seen = looks(door)

    async def lose() -> None:
        await until(lambda: len(seen) > 0)
        with sqlite3.connect(door.settings.data / "archer.db") as database:
            database.execute("ALTER TABLE jobs RENAME TO gone")

    answers = all_at_once(door, [f"{job.id}?wait_seconds=50" for job in jobs], lose)

    assert [answer.status_code for answer in answers] == [503] * 3


def test_nobody_looks_when_nobody_waits(door: Door) -> None:
    job = door.submit()
    seen = looks(door)
    door.get(f"/api/v1/jobs/{job.id}?wait_seconds=0.5")
    told = len(seen)

    all_at_once(door, [], lambda: asyncio.sleep(0.7))

    assert len(seen) == told
