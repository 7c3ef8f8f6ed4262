"""The page where jobs are pods of clusters: where each attempt ran and with what, why a job waits, and a cluster that is away."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from archer.api.app import create_app
from archer.backends.fleet import Fleet
from archer.backends.kubernetes.backend import KubernetesBackend
from archer.clock import SystemClock
from archer.errors import BackendUnavailableError
from archer.ids import attempt_name
from archer.model import Category, Diagnosis, Job, JobState
from archer.service import Service
from archer.store.connection import Database
from archer.store.interface import Change, NewAttempt
from archer.store.sql import SqlStore
from archer.submission import Submission
from testbed.archer_builders import make_cluster_config
from testbed.fake_kubernetes import FakeKubernetes
from tests.archer.web.test_pages import Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

S = JobState
HEAP = Diagnosis(
    category=Category.OOM_HEAP,
    summary="executor 4 ran out of heap",
    detail="exit code 52",
    resolution="give it more",
    exit_code=1,
    role="executor",
)


class Pods:
    """A server whose one cluster answers what the test wants."""

    def __init__(self, folder: Path) -> None:
        self.store = SqlStore(Database(f"sqlite:///{folder}/archer.db"))
        self.cluster = FakeKubernetes()
        config = make_cluster_config("root.a", teams={"ads": ["root.a"]})
        (view,) = config.clusters
        self.backend = KubernetesBackend(
            config=config,
            cluster=view,
            client=self.cluster.client,
            known=self.store.known_attempts,
            text=self.store.text,
        )
        self.service = Service(
            self.store,
            Fleet([self.backend]),
            SystemClock(),
            config=config,
            history_server=lambda: "https://history.example.com",
        )
        self.app = create_app(self.service)

    def submit(self, **fields: Any) -> Job:
        given = {
            "name": "report",
            "team": "ads",
            "image": "spark:4",
            "spark_version": "4.0",
            "application": {"file": "local:///job.py"},
            **fields,
        }
        return self.service.submit(Submission.model_validate(given), actor="api:ada").result().job

    def change(self, job: Job, to: JobState, **more: Any) -> None:
        version = self.store.version(job.id)
        change = Change(
            expect_version=version, actor="tracker:t", at=SystemClock().now(), to=to, message="as told", **more
        )
        self.store.change(job.id, change)

    def start(self, job: Job, number: int, rung: float = 1.0) -> None:
        """The attempt as the backend would create it, up to RUNNING."""
        spec = self.backend.plan(self.store.job(job.id), attempt=number, memory_rung=rung)
        new = NewAttempt(number=number, name=attempt_name(job.id, number), memory_rung=rung, spec=spec)
        self.change(job, S.SUBMITTING, new_attempt=new, cluster="batch")
        self.change(job, S.SUBMITTED)
        self.change(job, S.RUNNING, spark_app_id=f"{job.id}-{number}")

    def get(self, path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
                return await browser.get(path, headers={"Accept": "text/html"})

        return asyncio.run(ask())

    def page(self, path: str) -> Page:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return Page(answer.text)


@pytest.fixture
def pods(tmp_path: Path, migrated_database: Path) -> Iterator[Pods]:
    shutil.copy(migrated_database, tmp_path / "archer.db")
    made = Pods(tmp_path)
    yield made
    made.backend.close()
    made.store.close()


def test_attempts_tell_where_they_ran_on_which_rung_and_why_they_failed(pods: Pods) -> None:
    job = pods.submit(retry={"max_attempts": 3})
    pods.start(job, 1)
    pods.change(job, S.RETRY_WAIT, attempt_state=S.FAILED, diagnosis=HEAP, exit_code=1, memory_rung=2.0)
    pods.start(job, 2, rung=2.0)

    page = pods.page(f"/jobs/{job.id}")

    header, first, second = page.rows
    assert header[:3] == ["Attempt", "State", "Cluster"]
    assert (first[1:3], first[5:8]) == (
        ["Failed", "batch"],
        ["1", "1\N{MULTIPLICATION SIGN}", "executor 4 ran out of heap"],
    )
    assert (second[1:3], second[6]) == (["Running", "batch"], "2\N{MULTIPLICATION SIGN}")
    assert "Namespace spark-ads" in page.text
    assert f"https://history.example.com/history/{job.id}-2/jobs/" in page.attribute("href")


def test_what_the_cluster_was_asked_to_run_is_there_for_each_attempt_without_secrets(pods: Pods) -> None:
    job = pods.submit(environment={"DB_PASSWORD": "hunter2"})
    pods.start(job, 1)

    text = pods.page(f"/jobs/{job.id}").text

    assert "What the cluster was asked to run in attempt 1 apiVersion: sparkoperator.k8s.io/v1beta2" in text
    assert f"name: {job.id}-1" in text
    assert "DB_PASSWORD" in text
    assert "hunter2" not in text


def test_a_pods_one_log_is_shown_once(pods: Pods) -> None:
    job = pods.submit()
    pods.start(job, 1)
    pods.cluster.logs[f"/api/v1/namespaces/spark-ads/pods/{job.id}-1-driver/log"] = b"hello from the driver\n"

    page = pods.page(f"/jobs/{job.id}")

    assert "hello from the driver" in page.text
    assert not any("stdout" in link for link in page.attribute("href"))


def test_a_cluster_that_is_away_takes_the_log_from_the_page_and_nothing_else(
    pods: Pods, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = pods.submit()
    pods.start(job, 1)

    def away(*_: object, **__: object) -> None:
        raise BackendUnavailableError("connection refused")

    monkeypatch.setattr(pods.cluster, "text", away)

    page = pods.page(f"/jobs/{job.id}")
    assert "Cluster batch does not answer just now" in page.text
    assert "Spark is running" in page.text

    whole = pods.get(f"/jobs/{job.id}/attempts/1/driver.log")
    assert whole.status_code == 503
    assert "The cluster does not answer" in whole.text


def test_the_list_tells_clusters_and_what_each_waits_for_and_the_job_its_place_too(pods: Pods) -> None:
    pods.submit(name="first")
    second = pods.submit(name="second")
    pods.start(pods.submit(name="third"), 1)
    pods.store.set_waits({("root.a", None): "queue root.a runs 1 application of 1"})

    header, *rows = pods.page("/").rows
    found = {row[0].split(" ")[0]: row for row in rows}

    assert header[4] == "Cluster"
    assert found["third"][4] == "batch"
    assert "queue root.a runs 1 application of 1" in found["second"][0]
    assert "runs 1 application of 1, 1 job waits before it" in pods.page(f"/jobs/{second.id}").text
