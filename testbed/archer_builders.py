"""Builders for Archer's records: what a test doesn't care about is filled in."""

from datetime import UTC, datetime
from typing import Any

from archer.ids import emr_id
from archer.model import Attempt, Job, JobState
from archer.submission import Submission

JOB_ID = "j-01m859fwfddstqp1h5f85fkkjm"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def make_submission(**fields: Any) -> Submission:
    """A Python application with default sizes."""
    return Submission.model_validate({"name": "report", "application": {"file": "/jobs/report.py"}, **fields})


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
