"""Real Spark by Archer on the real node: jobs through the public API to their true ends, and what is left of them in the cluster.

The operator is the binary that SPARK_OPERATOR_BIN names, with Spark's own spark-submit, or else the stand-in, whose drivers
make their executors here themselves. All jobs are submitted at once; the queue lets through what the node has room for. Rows
whose end differs between cgroup v1 and v2 say so.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from testbed.real_node.archer_node import QUEUE, TEAM, ArcherOnNode
from testbed.real_node.image import NEED as SCRIPT
from testbed.real_node.remains import is_version_2
from testbed.real_node.spark_jobs import PI, SECONDS, wait_until
from testbed.real_spark_operator import RealOperatorProcess, binary
from testbed.spark_home import pyspark_home
from testbed.spark_operator.process import OperatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.kubernetes import Client, Manifest
    from testbed.operator_chart import OperatorChart
    from testbed.real_node.node import RealNode

NEED = "local:///opt/moka/need.py"
APPLICATION = "sparkoperator.k8s.io/v1beta2", "SparkApplication"
PRETOUCH = "-XX:+AlwaysPreTouch"
MOST_SECONDS = 3 * SECONDS
"""For all jobs before one and itself: they run one after another on a node of two cores."""

JOBS: dict[str, dict[str, Any]] = {
    "pi": {"file": PI, "arguments": ["10"]},
    # fits beside the heap of 512 MiB on the second rung
    "driver-python": {"arguments": ["driver-python", "700"]},
    # the heap is whole from the start, and there is no room for anything else
    "driver-jvm": {
        "file": PI,
        "driver": {"memory_overhead": "16m"},
        "conf": {"spark.driver.extraJavaOptions": f"-Xms512m {PRETOUCH}"},
    },
    "executor-python": {"arguments": ["executor-python", "700"]},
    "executor-jvm": {
        "file": PI,
        "executor": {"memory_overhead": "110m"},
        "conf": {"spark.executor.extraJavaOptions": PRETOUCH, "spark.executor.maxNumFailures": "1"},
    },
    "driver-heap": {"arguments": ["driver-heap", "400"]},
    # as driver-jvm, but twice as much is more than the queue has and a node holds
    "no-room": {
        "file": PI,
        "driver": {"memory_overhead": "16m"},
        "executor": {"memory": "4g"},
        "conf": {"spark.driver.extraJavaOptions": f"-Xms512m {PRETOUCH}"},
    },
    "mistake": {"arguments": ["nonsense", "1"]},
    "no-image": {
        "file": PI,
        "image": "localhost/moka-testbed-missing:1",
        "spark_version": "4.0.5",
        "retry": {"max_attempts": 1},
    },
}
V2 = is_version_2()
OOMS = {
    # what Archer says of each failed attempt, and whose memory it is about
    "driver-python": ("oom-container", "driver"),
    "driver-jvm": ("oom-container", "driver"),
    # v1 kills the worker alone, v2 the whole container with it
    "executor-python": ("oom-container" if V2 else "oom-python", "executor"),
    "executor-jvm": ("oom-container", "executor"),
    "driver-heap": ("oom-heap", "driver"),
}


class Jobs:
    """Jobs of one Archer, by name, and their objects in the cluster."""

    def __init__(self, archer: ArcherOnNode, client: Client) -> None:
        self.namespace = archer.namespace
        self.client = client
        self._http = httpx.Client(base_url=f"{archer.url}/api/v1", timeout=60, trust_env=False)
        self._ids: dict[str, str] = {}

    @cached_property
    def all(self) -> dict[str, str]:
        """The ids of JOBS, submitted now."""
        return {name: self.submit(name) for name in JOBS}

    def submit(self, name: str) -> str:
        """Submit the job of that name; returns its id."""
        given = dict(JOBS[name])
        application = {"file": given.pop("file", NEED), "arguments": given.pop("arguments", ["1"])}
        body = {
            "name": name,
            "application": application,
            "team": TEAM,
            "queue": QUEUE,
            "retry": {"max_attempts": 4},
            **given,
            "driver": {"memory": "512m", **given.get("driver", {})},
            "executor": {"memory": "512m", **given.get("executor", {})},
        }
        answer = self._http.post("/jobs", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def get(self, job: str, of: str = "") -> Any:
        """The job, or what belongs to it."""
        answer = self._http.get(f"/jobs/{job}{of}")
        assert answer.is_success, answer.text
        return answer.json()

    def attempts(self, job: str) -> list[dict[str, Any]]:
        """Its attempts, first to last."""
        found: list[dict[str, Any]] = self.get(job, "/attempts")["attempts"]
        return found

    def wait_end(self, job: str) -> dict[str, Any]:
        """The job, once it has ended; prints its attempts, for whoever reads the run's output."""
        wait_until(lambda: self.get(job)["finished_at"] is not None, lambda: str(self.told(job)), MOST_SECONDS)
        found: dict[str, Any] = self.get(job)
        print(f"\n{found['name']}: {found['state']}")  # noqa: T201  # figures of the run
        for each in self.attempts(job):
            said = each["diagnosis"] or {}
            print(  # noqa: T201
                f"  rung {each['memory_rung']:g}, {each['started_at'][11:19]}-{each['finished_at'][11:19]}: {each['state']}, "
                f"exit code {each['exit_code']}, {said.get('category')}, {said.get('role')}, {said.get('summary')}"
            )
        return found

    def told(self, job: str) -> list[str]:
        """Its history, as one reads it when something went wrong."""
        return [f"{each['at']} {each['to_state']} {each['message']}" for each in self.get(job, "/events")["events"]]

    def pods(self, job: str, role: str) -> list[Manifest]:
        """Its pods of that role, of all attempts."""
        selector = f"archer.moka.dev/job-id={job},spark-role={role}"
        return self.client.list("v1", "Pod", self.namespace, labelSelector=selector)

    def forget(self, job: str) -> None:
        """Delete its applications, as the operator does after an hour; returns when its pods are gone."""
        for attempt in self.attempts(job):
            self.client.delete(*APPLICATION, attempt["name"], self.namespace, missing_ok=True)
        wait_until(
            lambda: not self.pods(job, "driver"),
            lambda: f"drivers are gone: {[pod['metadata'] for pod in self.pods(job, 'driver')]}",
        )

    def log(self, job: str) -> str:
        """What Archer shows of the driver's log."""
        return str(self.get(job, "/logs")["text"])

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="module")
def jobs(node: RealNode, chart: OperatorChart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """All of JOBS, submitted to an Archer beside the node; an operator works in the team's namespace."""
    folder = tmp_path_factory.mktemp("archer")
    settings = {"ARCHER_STUCK_IMAGE_SECONDS": "5", "ARCHER_TRACK_ALL_SECONDS": "1"}
    with ArcherOnNode(node, folder, **settings) as archer, _operator(node, chart, archer.namespace):
        made = Jobs(archer, node.plane.client())
        assert set(made.all) == set(JOBS)
        yield made
        made.close()


def _operator(node: RealNode, chart: OperatorChart, namespace: str) -> OperatorProcess:
    # drivers run here, and make their executors themselves
    flags = {"drivers": "false", "leader-election": "false"}
    program = binary()
    if program is None:
        return OperatorProcess(node.plane, chart, namespaces=(namespace,), flags=flags)
    home = pyspark_home(node.keeper.folder / "operator-home")
    return RealOperatorProcess(program, node.plane, chart, namespaces=(namespace,), flags=flags, spark_home=home)


def test_a_job_comes_to_its_end_and_its_log_is_read_before_and_after(jobs: Jobs) -> None:
    job = jobs.all["pi"]
    while_it_ran = ""

    def has_been_read() -> bool:
        nonlocal while_it_ran
        text, state = jobs.log(job), jobs.get(job)["state"]
        assert state in {"QUEUED", "SUBMITTING", "SUBMITTED", "RUNNING"}, jobs.told(job)
        while_it_ran = text if state == "RUNNING" else ""
        return "Running Spark version" in while_it_ran

    wait_until(has_been_read, lambda: str(jobs.told(job)), MOST_SECONDS)
    ended = jobs.wait_end(job)

    assert (ended["state"], ended["attempt"], ended["diagnosis"]) == ("SUCCEEDED", 1, None), jobs.told(job)
    (attempt,) = jobs.attempts(job)
    # the image has no client of S3, and archer.yaml says so
    assert attempt["spec"]["spec"]["sparkConf"]["spark.eventLog.enabled"] == "false"
    (driver,) = jobs.pods(job, "driver")
    assert ended["spark_app_id"] == driver["metadata"]["labels"]["spark-app-selector"]
    whole = jobs.log(job)
    assert whole.startswith(while_it_ran[:200])
    assert "Pi is roughly 3.1" in whole

    jobs.forget(job)
    kept = jobs.log(job)
    assert "Pi is roughly 3.1" in kept
    assert whole.endswith(kept)


@pytest.mark.parametrize("name", OOMS)
def test_a_lack_of_memory_is_named_and_cured_by_more_of_it(jobs: Jobs, name: str) -> None:
    job = jobs.all[name]
    ended = jobs.wait_end(job)

    assert ended["state"] == "SUCCEEDED", jobs.told(job)
    *failed, last = jobs.attempts(job)
    assert [each["memory_rung"] for each in (*failed, last)] == [1.0, 2.0, 3.0, 4.0][: len(failed) + 1]
    assert 1 <= len(failed) <= 2
    for each in failed:
        diagnosis = each["diagnosis"]
        assert (diagnosis["category"], diagnosis["role"]) == OOMS[name], f"{diagnosis}\n{jobs.told(job)}"
    assert (last["state"], last["exit_code"], last["diagnosis"]) == ("SUCCEEDED", 0, None)
    # what each asked for stays readable
    for each in (*failed, last):
        for role in ("driver", "executor"):
            assert each["spec"]["spec"][role]["memory"] == f"{512 * each['memory_rung']:.0f}m"


def test_no_rung_is_tried_that_fits_neither_queue_nor_node(jobs: Jobs) -> None:
    job = jobs.all["no-room"]
    ended = jobs.wait_end(job)

    assert (ended["state"], ended["attempt"]) == ("FAILED", 1)
    assert (ended["diagnosis"]["category"], ended["diagnosis"]["role"]) == OOMS["driver-jvm"]
    assert "more fits neither the queue nor a node" in jobs.told(job)[-1]


def test_the_next_run_begins_with_what_was_enough(jobs: Jobs) -> None:
    before = jobs.attempts(jobs.all["driver-jvm"])[-1]["memory_rung"]

    job = jobs.submit("driver-jvm")
    ended = jobs.wait_end(job)

    assert ended["state"] == "SUCCEEDED", jobs.told(job)
    (attempt,) = jobs.attempts(job)
    assert attempt["memory_rung"] == before > 1


def test_a_programs_mistake_is_told_with_its_line_and_not_repeated(jobs: Jobs) -> None:
    job = jobs.all["mistake"]
    ended = jobs.wait_end(job)

    assert (ended["state"], ended["attempt"]) == ("FAILED", 1)
    assert ended["diagnosis"]["category"] == "user-error"
    assert ended["diagnosis"]["summary"] == f"ValueError: no such need: nonsense (need.py:{_line('raise ValueError')})"

    jobs.forget(job)
    assert "ValueError: no such need: nonsense" in jobs.log(job)


def test_an_image_that_cannot_be_pulled_ends_the_wait(jobs: Jobs) -> None:
    job = jobs.all["no-image"]
    ended = jobs.wait_end(job)

    assert (ended["state"], ended["attempt"]) == ("FAILED", 1)
    diagnosis = ended["diagnosis"]
    assert diagnosis["category"] == "image-pull"
    assert JOBS["no-image"]["image"] in diagnosis["summary"]


def test_nothing_is_kept_in_the_cluster_once_all_is_recorded(jobs: Jobs) -> None:
    for job in jobs.all.values():
        jobs.wait_end(job)

    def is_free() -> bool:
        drivers = [pod for job in jobs.all.values() for pod in jobs.pods(job, "driver")]
        executors = [pod for job in jobs.all.values() for pod in jobs.pods(job, "executor")]
        return not executors and not any(pod["metadata"].get("finalizers") for pod in drivers)

    wait_until(is_free, lambda: str(jobs.client.list("v1", "Pod", jobs.namespace)), 60)


def _line(text: str) -> int:
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    (found,) = (number for number, line in enumerate(lines, 1) if text in line)
    return found
