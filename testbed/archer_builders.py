"""Builders for Archer's records: what a test doesn't care about is filled in."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from archer.cluster_config import ClusterConfig
from archer.ids import emr_id, new_job_id
from archer.model import Attempt, Job, JobState
from archer.store.interface import NewJob
from archer.submission import Submission

JOB_ID = "j-01m859fwfddstqp1h5f85fkkjm"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def make_submission(**fields: Any) -> Submission:
    """A Python application with default sizes."""
    return Submission.model_validate({"name": "report", "application": {"file": "/jobs/report.py"}, **fields})


def make_cluster_config(
    *leaves: str,
    default: str | None = None,
    teams: Mapping[str, Sequence[str]] | None = None,
    profiles: Sequence[Mapping[str, Any]] = (),
) -> ClusterConfig:
    """Environment `lab` with these queues and all above them; the first is the default, `{"ads": ["root.ads"]}` teams.

    Without teams there is one, `everyone`, that may use every queue.
    """
    inner = {path.rsplit(".", depth)[0] for path in leaves for depth in range(1, path.count("."))}
    node = {"architecture": "arm64", "node_vcpu": 16, "node_memory_mib": 65536, "max_nodes": 9, "local_disk": True}
    pools = [
        {"name": role, "role": role, "capacity": "on_demand", "node_selector": {"pool": role}, **node}
        for role in ("driver", "executor")
    ]
    cluster = {"name": "batch", "eks_name": "moka-lab-batch", "kubernetes_version": "1.35", "creates_per_minute": 100}
    team = {"clusters": ["batch"], "service_account": "spark", "quota": {"vcores": 8, "memory_gib": 64}, "pods": 20}
    return ClusterConfig.model_validate(
        {
            "schema_version": 1,
            "environment": "lab",
            "region": "us-east-1",
            "job_retention_days": 30,
            "clusters": [{**cluster, "pools": pools}],
            "queues": {
                "default": default or leaves[0],
                "tree": [{"path": path, "leaf": path in leaves} for path in sorted({*inner, *leaves})],
            },
            "teams": [
                {"name": name, "namespace": f"spark-{name}", "queues": list(queues), **team}
                for name, queues in (teams or {"everyone": leaves}).items()
            ],
            "profiles": list(profiles),
            "storage": {
                use: f"s3://moka-lab-{use.replace('_', '-')}"
                for use in ("event_logs", "container_logs", "artifacts", "staging")
            },
        }
    )


def make_job(*, submission: Submission | None = None, **fields: Any) -> Job:
    """A job in state QUEUED unless told otherwise."""
    defaults: dict[str, Any] = {
        "id": JOB_ID,
        "number": 1,
        "emr_id": emr_id(JOB_ID),
        "name": "report",
        "team": None,
        "queue": "root.default",
        "user": "ada",
        "cluster": "local",
        "state": JobState.QUEUED,
        "substate": None,
        "reason": None,
        "attempt": 0,
        "max_attempts": 1,
        "created_at": NOON,
        "updated_at": NOON,
        "queued_at": NOON,
        "started_at": None,
        "finished_at": None,
        "retry_at": None,
        "version": 1,
        "spark_app_id": None,
        "ui_url": None,
        "diagnosis": None,
        "memory_rung": 1.0,
        "labels": {},
        "submission": (submission or make_submission()).model_dump(mode="json"),
    }
    return Job(**{**defaults, **fields})


def make_attempt(**fields: Any) -> Attempt:
    """The first attempt of `make_job`, in state RUNNING since noon."""
    defaults: dict[str, Any] = {
        "job_id": JOB_ID,
        "number": 1,
        "name": f"{JOB_ID}-1",
        "cluster": "local",
        "state": JobState.RUNNING,
        "backend_ref": "pid 1",
        "created_at": NOON,
        "started_at": NOON,
        "finished_at": None,
        "exit_code": None,
        "spark_app_id": None,
        "ui_url": None,
        "diagnosis": None,
        "memory_rung": 1.0,
    }
    return Attempt(**{**defaults, **fields})


def make_new_job(**fields: Any) -> NewJob:
    """A job of its own id, about to be submitted to the default queue."""
    at = fields.get("at", NOON)
    job_id = new_job_id(at)
    defaults: dict[str, Any] = {
        "id": job_id,
        "emr_id": emr_id(job_id),
        "name": "report",
        "team": None,
        "queue": "root.default",
        "user": "ada",
        "cluster": None,
        "max_attempts": 1,
        "labels": {},
        "submission": make_submission().model_dump(mode="json"),
        "actor": "api:ada",
        "at": at,
    }
    return NewJob(**{**defaults, **fields})
