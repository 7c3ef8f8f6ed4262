"""`by_hand`: a real store, service and application, with jobs moved through their states by hand instead of by Spark."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from archer.api.app import create_app
from archer.backends.fleet import Fleet
from archer.backends.local.backend import LocalBackend
from archer.clock import SystemClock
from archer.ids import attempt_name
from archer.model import Category, Diagnosis, Job, JobState
from archer.service import Service
from archer.settings import ServeSettings
from archer.store.connection import Database
from archer.store.interface import Change, NewAttempt
from archer.store.migrate import migrate
from archer.store.sql import SqlStore
from archer.submission import Submission
from testbed.archer_builders import make_cluster_config
from testbed.postgres import PostgresServer
from testbed.postgres_databases import EmptyDatabases

S = JobState
_TEMPLATE = "migrated"

KEY_ERROR = Diagnosis(
    category=Category.USER_ERROR,
    summary="KeyError: 'session' at job.py:42",
    detail="Traceback (most recent call last):\n  File \"job.py\", line 42\nKeyError: 'session'",
    resolution="fix the application at job.py:42 and submit it again",
    exit_code=1,
)


class HandDriven:
    """One server's inside and its door."""

    def __init__(self, data: Path) -> None:
        """`data` holds a migrated database."""
        self.settings = ServeSettings(data=data, history=False)
        self.database_file = data / "archer.db"
        self.store = SqlStore(Database(self.settings.database.url))
        self.history_server: str | None = "http://127.0.0.1:18080"
        self.service = Service(
            self.store,
            Fleet([LocalBackend(self.settings, {})]),
            SystemClock(),
            history_server=lambda: self.history_server,
            config=make_cluster_config(
                *("root.default", "root.etl", "root.x", "root.many", "root.ml"),
                teams={"ml": ["root.default", "root.x", "root.ml"]},
            ),
        )
        self.application = data / "job.py"
        self.application.write_text("print(1)\n")
        self.app = create_app(self.service)

    def submit(self, name: str = "report", *, arguments: tuple[str, ...] = (), **fields: Any) -> Job:
        application = {"file": str(self.application), "arguments": arguments}
        submission = Submission.model_validate({"name": name, "application": application, **fields})
        return self.service.submit(submission, actor="api:ada").result().job

    def change(self, job: Job, to: JobState | None, message: str = "as told", **more: Any) -> Job:
        version = self.store.version(job.id)
        at = datetime.now(UTC) + timedelta(milliseconds=version)
        return self.store.change(
            job.id, Change(expect_version=version, actor="tracker:one", at=at, to=to, message=message, **more)
        )

    def start(self, job: Job, *, number: int = 1, driver: str = "", stdout: str = "") -> Job:
        """To SUBMITTED, with logs as the runner would have written them."""
        name = attempt_name(job.id, number)
        self.change(job, S.SUBMITTING, new_attempt=NewAttempt(number=number, name=name, memory_rung=1.0, spec={}))
        folder = self.settings.attempts_folder / name
        folder.mkdir(parents=True)
        (folder / "driver.log").write_text(driver, encoding="utf-8")
        (folder / "stdout.log").write_text(stdout, encoding="utf-8")
        return self.change(job, S.SUBMITTED, backend_ref="4711")

    def run(self, job: Job, **logs: Any) -> Job:
        """To RUNNING."""
        self.start(job, **logs)
        return self.change(job, S.RUNNING, spark_app_id="local-1", ui_url="http://127.0.0.1:4040")

    def fail(self, job: Job, diagnosis: Diagnosis = KEY_ERROR, **logs: Any) -> Job:
        """To FAILED, after a run."""
        self.run(job, **logs)
        return self.change(job, S.FAILED, diagnosis=diagnosis, exit_code=diagnosis.exit_code)

    def one_of_each(self) -> dict[JobState, Job]:
        """A job in every state."""
        jobs = {state: self.submit(f"job-{state.lower().replace('_', '-')}") for state in S}
        self.change(
            jobs[S.SUBMITTING], S.SUBMITTING, new_attempt=NewAttempt(number=1, name="x", memory_rung=1, spec={})
        )
        self.start(jobs[S.SUBMITTED])
        for state in (S.RUNNING, S.RETRY_WAIT, S.CANCELLING, S.LOST, S.SUCCEEDED):
            self.run(jobs[state])
            if state is not S.RUNNING:
                self.change(jobs[state], state)
        self.fail(jobs[S.FAILED])
        self.change(jobs[S.CANCELLED], S.CANCELLED)
        return {state: self.service.job(job.id) for state, job in jobs.items()}

    def ask(self, path: str) -> httpx.Response:
        """What the application answers to a browser."""

        async def get() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
                return await browser.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

        return asyncio.run(get())

    def get(self, path: str) -> str:
        """A page that must be there."""
        answer = self.ask(path)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, migrated once: the migration costs more than most tests."""
    file = tmp_path_factory.mktemp("migrated") / "archer.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_database: Path) -> str:
    """An empty database of Archer's: archer.db in the test's folder."""
    shutil.copy(migrated_database, tmp_path / "archer.db")
    return f"sqlite:///{tmp_path}/archer.db"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One for each worker of the test run."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_databases(postgres_server: PostgresServer) -> EmptyDatabases:
    """Empty ones of Archer's, migrated once."""
    postgres_server.create_database(_TEMPLATE)
    migrate(postgres_server.url(_TEMPLATE))
    return EmptyDatabases(postgres_server, _TEMPLATE)


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer, postgresql_databases: EmptyDatabases) -> Iterator[str]:
    """An empty database of Archer's on the worker's server."""
    name = postgresql_databases.take()
    yield postgres_server.url(name)
    postgresql_databases.give_back(name)


@pytest.fixture
def unused_postgresql_url(postgres_server: PostgresServer, postgresql_databases: EmptyDatabases) -> Iterator[str]:
    """As `postgresql_url`, but no test had it before."""
    name = postgresql_databases.make()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def by_hand(tmp_path: Path, migrated_database: Path) -> Iterator[HandDriven]:
    shutil.copy(migrated_database, tmp_path / "archer.db")
    made = HandDriven(tmp_path)
    yield made
    made.store.close()
