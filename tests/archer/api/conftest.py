"""The web application over a real store and the real local backend's rules, asked in this process."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from archer import ids
from archer.api.app import create_app
from archer.auth.access import make_access
from archer.auth.desk import TokenDesk
from archer.backends.fleet import Fleet
from archer.backends.local.backend import LocalBackend
from archer.cluster_config import ClusterConfig
from archer.model import Job, JobState
from archer.service import Service
from archer.settings import ServeSettings
from archer.store.connection import Database
from archer.store.interface import Change, NewAttempt
from archer.store.migrate import upgrade
from archer.store.sql import SqlStore
from testbed.archer_builders import make_cluster_config
from testbed.archer_fakes import FakeClock

JSON = {"Content-Type": "application/json"}


class Door:
    """Asks the application as a client on this machine would."""

    def __init__(self, data: Path, config: ClusterConfig | None = None, **settings: Any) -> None:
        self.clock = FakeClock()
        self.settings = ServeSettings(data=data, history=False, slots=1, **settings)
        self.database = Database(self.settings.database.url)
        upgrade(self.database)
        self.store = SqlStore(self.database, self.clock)
        self.service = Service(
            self.store,
            Fleet([LocalBackend(self.settings, {})]),
            self.clock,
            history_server=lambda: "http://127.0.0.1:18080",
            config=config,
        )
        self.stopping = threading.Event()
        access = make_access(self.settings, self.store, self.clock, config)
        self.app = create_app(self.service, stopping=self.stopping, access=access)
        self.application = data / "report.py"
        self.application.write_text("print(1)\n")

    def ask(
        self, method: str, path: str, *, host: str = "127.0.0.1", peer: str = "127.0.0.1", **request: Any
    ) -> httpx.Response:
        """`peer`: the address at the other end of the connection."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(peer, 40000))
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
                return await client.request(method, path, **request)

        return asyncio.run(send())

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.ask("GET", path, **request)

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """`body` as JSON; bytes as they are."""
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.ask("POST", path, headers={**JSON, **(headers or {})}, **content)

    def token(self, subject: str, *roles: str, expires_in_seconds: float | None = None) -> str:
        """The secret of a new token."""
        desk = TokenDesk(self.store, self.clock)
        return desk.create(subject=subject, roles=roles, expires_in_seconds=expires_in_seconds).secret

    def rows(self) -> list[str]:
        """Everything that the database holds."""
        with contextlib.closing(sqlite3.connect(self.settings.data / "archer.db")) as connection:
            return list(connection.iterdump())

    def body(self, **fields: Any) -> dict[str, Any]:
        return {"name": "report", "application": {"file": str(self.application)}, **fields}

    def submit(self, **fields: Any) -> Job:
        answer = self.post("/api/v1/jobs", self.body(**fields))
        assert answer.status_code == 201, answer.text
        return self.store.job(answer.json()["id"])

    def move(self, job: Job, *path: JobState, **fields: Any) -> Job:
        """Through all states of `path`; `fields` belong to the last move."""
        for position, to in enumerate(path):
            more = dict(fields) if position == len(path) - 1 else {}
            if to is JobState.SUBMITTING:
                name = ids.attempt_name(job.id, job.attempt + 1)
                spec = {"conf": {"spark.my.password": "hunter2"}}
                more["new_attempt"] = NewAttempt(number=job.attempt + 1, name=name, memory_rung=1.0, spec=spec)
            change = Change(
                expect_version=job.version, actor="tracker:t", at=self.clock.now(), message="as told", to=to, **more
            )
            job = self.store.change(job.id, change)
        return job

    def write_log(self, job: Job, text: str, stream: str = "driver") -> None:
        folder = self.settings.attempts_folder / ids.attempt_name(job.id, job.attempt)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{stream}.log").write_text(text, encoding="utf-8")


@pytest.fixture
def door(tmp_path: Path, migrated_database: Path) -> Iterator[Door]:
    shutil.copy(migrated_database, tmp_path / "archer.db")
    made = Door(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def lab(tmp_path: Path, migrated_database: Path) -> Iterator[Door]:
    """A door that knows an environment: three queues, two teams, one profile."""
    shutil.copy(migrated_database, tmp_path / "archer.db")
    config = make_cluster_config(
        *("root.shared.adhoc.tier3", "root.ads.ctr.tier1", "root.ads.ctr.tier2"),
        teams={"ads": ["root.ads"], "everyone": ["root.shared"]},
        profiles=[
            {"name": "small", "driver": {"cores": 2, "memory": "2g"}, "conf": {"spark.sql.ansi.enabled": "true"}}
        ],
    )
    made = Door(tmp_path, config)
    yield made
    made.store.close()


@pytest.fixture
def guarded(tmp_path: Path, migrated_database: Path) -> Iterator[Door]:
    """A door that asks who knocks: it takes tokens, and believes proxies in 10.9.0.0/16. Team ads has submitters."""
    shutil.copy(migrated_database, tmp_path / "archer.db")
    config = make_cluster_config(
        *("root.shared.adhoc", "root.ads.ctr.tier1", "root.ads.ctr.tier2"),
        teams={"ads": ["root.ads"], "everyone": ["root.shared"]},
    )
    ads, everyone = config.teams
    teams = (ads.model_copy(update={"submitters": ("ads-devs",)}), everyone)
    made = Door(
        tmp_path,
        config.model_copy(update={"teams": teams}),
        authentication="token,proxy",
        trusted_proxies="10.9.0.0/16",
        group_roles="night-watch=operator,readers=viewer",
    )
    yield made
    made.store.close()
