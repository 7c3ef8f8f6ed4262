"""Rows about an edited specification: the job runs again, whatever became of it, except for two fields."""

from typing import Any

import pytest

from testbed.spark_applications import Application, Applications
from testbed.spark_operator.spark_submit import ERROR

OTHER = {"arguments": ["2000"]}


def _reach(applications: Applications, state: str) -> Application:
    broken = {"annotations": {ERROR: "broken"}} if state == "SUBMISSION_FAILED" else {}
    waiting = {"type": "OnFailure", "onSubmissionFailureRetries": 1, "onSubmissionFailureRetryInterval": 3600}
    app = applications.create(driver=broken, restartPolicy=waiting if broken else {"type": "Never"})
    match state:
        case "RUNNING":
            app.run_driver()
        case "COMPLETED":
            app.succeed()
        case "FAILED":
            app.fail()
    app.wait(state)
    app.wait_quiet()
    return app


@pytest.mark.parametrize("state", ["SUBMITTED", "RUNNING", "COMPLETED", "FAILED"])
def test_a_changed_spec_runs_the_job_again_from_every_state(applications: Applications, state: str) -> None:
    app = _reach(applications, state)
    first = app.wait_driver()["metadata"]["uid"]
    app.edit(OTHER)
    app.wait_passed(state, "INVALIDATING", "PENDING_RERUN", "SUBMITTED")
    second = app.wait_driver(but_not=first)
    assert second["spec"]["containers"][0]["args"][-1] == "2000"
    status = app.status
    assert (status["submissionAttempts"], status["executionAttempts"]) == (1, 1)
    assert status["terminationTime"] is None


def test_a_changed_spec_submits_anew_what_could_not_be_submitted(applications: Applications) -> None:
    app = _reach(applications, "SUBMISSION_FAILED")
    app.edit({"driver": {"annotations": {ERROR: None}}})
    app.wait_passed("SUBMISSION_FAILED", "INVALIDATING", "PENDING_RERUN", "SUBMITTED")
    assert app.status["submissionAttempts"] == 1


def test_a_changed_toleration_of_executors_runs_the_job_again(applications: Applications) -> None:
    """The feature gate PartialRestart, which would spare it, is off."""
    app = _reach(applications, "RUNNING")
    app.edit({"executor": {"tolerations": [{"key": "spot", "operator": "Exists"}]}})
    app.wait_passed("RUNNING", "INVALIDATING", "PENDING_RERUN", "SUBMITTED")


@pytest.mark.parametrize("change", [{"timeToLiveSeconds": 3600}, {"suspend": False}])
def test_time_to_live_and_suspend_may_change_without_a_new_run(
    applications: Applications, change: dict[str, Any]
) -> None:
    app = _reach(applications, "RUNNING")
    app.edit(change)
    app.stays("RUNNING", 1)


def test_a_changed_label_is_no_new_run(applications: Applications) -> None:
    app = _reach(applications, "COMPLETED")
    app.nudge()
    app.stays("COMPLETED", 1)
