"""The report says what was found, what went wrong with what to do, and where to look."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from moka.local.results import report
from moka.local.server import Address
from moka.local.session import Step
from moka.local.work import Work
from moka.output import write

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = Address(url="http://127.0.0.1:8081", history_url="http://127.0.0.1:18081")
SUMMARY = {
    "facts": {"flights": 336776, "scale factor": "0.1"},
    "tables": [
        {
            "name": "routes",
            "title": "Worst routes",
            "columns": [{"name": "origin", "type": "string"}, {"name": "delay", "type": "decimal(10,2)"}],
            "rows": [["EWR", "41.15"], ["JFK", None]],
            "total_rows": 10,
        }
    ],
}


def job(state: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "j-01",
        "name": "delays",
        "state": state,
        "attempt": 1,
        "duration_seconds": 12.3,
        "links": {"page": "/jobs/j-01"},
        "history_url": "http://127.0.0.1:18081/history/app-1",
        "diagnosis": None,
        **more,
    }


def reported(steps: list[Step], tmp_path: Path) -> list[str]:
    out = io.StringIO()
    write(report(steps, ADDRESS, tmp_path / "attempts"), out)
    return out.getvalue().splitlines()


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    (folder / "summary").mkdir(parents=True)
    (folder / "summary" / "part-00000-x.txt").write_text(json.dumps(SUMMARY))
    (folder / "summary" / "_SUCCESS").touch()
    return folder


def test_tables_of_a_job_that_succeeded_are_printed(results: Path, tmp_path: Path) -> None:
    step = Step(work=Work(name="delays", submission={}, results=results), job=job("SUCCEEDED"))

    lines = reported([step], tmp_path)

    assert lines[0] == f"delays: 336,776 flights, scale factor 0.1; all of it as Parquet in {results}"
    at = lines.index("Worst routes (the first 2 of 10 rows)")
    assert [line.split() for line in lines[at + 1 : at + 4]] == [["origin", "delay"], ["EWR", "41.15"], ["JFK"]]
    at = lines.index("delays SUCCEEDED in 12s")
    assert lines[at + 1 : at + 3] == [
        "  page     http://127.0.0.1:8081/jobs/j-01",
        "  history  http://127.0.0.1:18081/history/app-1",
    ]
    assert "Archer          http://127.0.0.1:8081" in lines
    assert "History Server  http://127.0.0.1:18081" in lines


def test_failure_is_told_with_its_diagnosis_and_log(tmp_path: Path) -> None:
    diagnosis = {
        "category": "user-error",
        "summary": "ValueError: no such column",
        "detail": "job.py:7: " + "x" * 300,
        "resolution": "correct the job and submit it again",
        "exit_code": 1,
    }
    step = Step(work=Work(name="delays", submission={}), job=job("FAILED", diagnosis=diagnosis))

    log = tmp_path / "attempts" / "j-01-1" / "driver.log"
    log.parent.mkdir(parents=True)
    log.touch()

    lines = reported([step], tmp_path)

    assert lines[:4] == [
        "delays FAILED: ValueError: no such column",
        "  job.py:7: " + "x" * 300,
        "  what to do: correct the job and submit it again",
        f"  log: {log}",
    ]


def test_no_log_is_named_for_an_attempt_that_was_never_launched(tmp_path: Path) -> None:
    diagnosis = {"summary": "this machine has no Java for Spark", "detail": "", "resolution": "install Java 17 or 21"}
    step = Step(work=Work(name="delays", submission={}), job=job("FAILED", diagnosis=diagnosis))

    lines = reported([step], tmp_path)

    assert lines[:3] == ["delays FAILED: this machine has no Java for Spark", "  what to do: install Java 17 or 21", ""]


def test_history_server_that_does_not_run_is_said(tmp_path: Path) -> None:
    step = Step(work=Work(name="delays", submission={}), job=job("SUCCEEDED", history_url=None, duration_seconds=None))
    out = io.StringIO()

    write(report([step], Address(url="http://127.0.0.1:1", history_url=None), tmp_path), out)

    assert "History Server  not running; see the log of archer" in out.getvalue()
