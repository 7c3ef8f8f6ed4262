"""Rows about `spec.suspend`: from any state that is not final to SUSPENDED, and back by RESUMING."""

from collections.abc import Callable

import pytest

from testbed.spark_applications import FINALIZER, Application, Applications
from testbed.spark_operator.spark_submit import ERROR

WAITING = {
    "type": "OnFailure",
    "onFailureRetries": 1,
    "onFailureRetryInterval": 3600,
    "onSubmissionFailureRetries": 1,
    "onSubmissionFailureRetryInterval": 3600,
}


def _new(applications: Applications) -> Application:
    return applications.create(suspend=True)


def _submitted(applications: Applications) -> Application:
    app = applications.create()
    app.wait("SUBMITTED")
    return app


def _running(applications: Applications) -> Application:
    app = applications.create()
    app.run_driver()
    return app


def _unknown(applications: Applications) -> Application:
    app = applications.create()
    app.set_phase("Unknown")
    app.wait("UNKNOWN")
    return app


def _failing(applications: Applications) -> Application:
    app = applications.create(restartPolicy=WAITING)
    app.fail()
    app.wait("FAILING")
    return app


def _submission_failed(applications: Applications) -> Application:
    app = applications.create(driver={"annotations": {ERROR: "broken"}}, restartPolicy=WAITING)
    app.wait("SUBMISSION_FAILED")
    return app


@pytest.mark.parametrize(
    ("reach", "state"),
    [
        (_new, ""),
        (_submitted, "SUBMITTED"),
        (_running, "RUNNING"),
        (_unknown, "UNKNOWN"),
        (_failing, "FAILING"),
        (_submission_failed, "SUBMISSION_FAILED"),
    ],
)
def test_suspend_ends_the_run_from_every_state_that_is_not_final(
    applications: Applications, reach: Callable[[Applications], Application], state: str
) -> None:
    app = reach(applications)
    if state:
        app.edit({"suspend": True})
    status = app.wait("SUSPENDED")
    assert app.states[-3:] == [state, "SUSPENDING", "SUSPENDED"]
    app.wait_no_driver()
    assert status["driverInfo"] == {}
    assert status["applicationState"] == {"state": "SUSPENDED"}


def test_suspend_ends_a_pending_rerun_too(applications: Applications) -> None:
    app = applications.create(restartPolicy={"type": "Always"}, template={"finalizers": [FINALIZER]})
    app.succeed()
    app.wait("PENDING_RERUN")
    app.edit({"suspend": True})
    app.wait_passed("PENDING_RERUN", "SUSPENDING", "SUSPENDED")
    app.release_driver()
    app.wait_no_driver()
    app.stays("SUSPENDED", 1)


def test_a_suspended_application_that_is_changed_stays_suspended_and_resumes_as_changed(
    applications: Applications,
) -> None:
    app = applications.create(suspend=True)
    app.wait("SUSPENDED")
    app.edit({"arguments": ["2000"]})
    app.wait_passed("SUSPENDED", "INVALIDATING", "SUSPENDING", "SUSPENDED")
    app.edit({"suspend": False})
    app.wait("SUBMITTED")
    assert app.wait_driver()["spec"]["containers"][0]["args"][-1] == "2000"


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED"])
def test_suspend_does_nothing_to_a_final_state(applications: Applications, state: str) -> None:
    app = applications.create()
    app.set_phase("Succeeded" if state == "COMPLETED" else "Failed", exit_code=0 if state == "COMPLETED" else 1)
    app.wait(state)
    app.edit({"suspend": True})
    app.stays(state, 1)


def test_resume_runs_the_application_again(applications: Applications) -> None:
    app = _running(applications)
    first = app.wait_driver()["metadata"]["uid"]
    app.edit({"suspend": True})
    app.wait("SUSPENDED")
    app.edit({"suspend": False})
    status = app.wait("SUBMITTED")
    assert app.states[-3:] == ["SUSPENDED", "RESUMING", "SUBMITTED"]
    assert status["executionAttempts"] == 2
    app.wait_driver(but_not=first)
