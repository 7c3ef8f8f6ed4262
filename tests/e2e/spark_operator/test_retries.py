"""Rows about restart policies: what runs again, how often, and after which wait."""

import time
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from testbed.spark_applications import Application, Applications, wait_until
from testbed.spark_operator.spark_submit import ERROR

BROKEN = {"annotations": {ERROR: "broken"}}


def on_failure(**fields: int) -> dict[str, Any]:
    return {"type": "OnFailure", **fields}


def test_always_runs_again_after_each_success(applications: Applications) -> None:
    app = applications.create(restartPolicy={"type": "Always"})
    uid = ""
    for run in (1, 2, 3):
        pod = app.wait_driver(but_not=uid)
        uid = pod["metadata"]["uid"]
        wait_until(partial(_is_run, app, run), f"run {run} is counted")
        app.set_phase("Succeeded", exit_code=0, pod=pod)
    app.wait_passed("", *["SUBMITTED", "SUCCEEDING", "PENDING_RERUN"] * 3, "SUBMITTED")


@pytest.mark.parametrize("policy", [{"type": "Never"}, on_failure(onFailureRetries=3, onFailureRetryInterval=1)])
def test_a_success_is_the_end_under_any_other_policy(applications: Applications, policy: dict[str, Any]) -> None:
    app = applications.create(restartPolicy=policy)
    app.run_driver()
    app.succeed()
    app.wait("COMPLETED")
    assert app.states[-3:] == ["RUNNING", "SUCCEEDING", "COMPLETED"]


def test_never_ends_with_the_first_failure(applications: Applications) -> None:
    app = applications.create(restartPolicy={"type": "Never"})
    app.fail()
    app.wait("FAILED")
    assert app.status["executionAttempts"] == 1


def test_on_failure_runs_once_more_than_its_retries(applications: Applications) -> None:
    app = applications.create(restartPolicy=on_failure(onFailureRetries=1, onFailureRetryInterval=1))
    first = app.wait_driver()["metadata"]["uid"]
    app.fail()
    app.wait_passed("FAILING", "PENDING_RERUN", "SUBMITTED")
    app.set_phase("Failed", exit_code=1, pod=app.wait_driver(but_not=first))
    app.wait("FAILED")
    assert app.status["executionAttempts"] == 2
    assert app.states[-3:] == ["SUBMITTED", "FAILING", "FAILED"]


def test_the_new_run_forgets_the_old_ones_end(applications: Applications) -> None:
    app = applications.create(restartPolicy=on_failure(onFailureRetries=1, onFailureRetryInterval=1))
    app.fail()
    app.wait_passed("PENDING_RERUN", "SUBMITTED")
    status = app.status
    assert status["terminationTime"] is None
    assert status["applicationState"] == {"state": "SUBMITTED"}


def test_on_failure_without_a_number_runs_once(applications: Applications) -> None:
    app = applications.create(restartPolicy=on_failure(onFailureRetryInterval=1))
    app.fail()
    app.wait("FAILED")
    assert app.status["executionAttempts"] == 1


def test_without_an_interval_the_application_stays_failing(applications: Applications) -> None:
    """The operator ends each pass with "invalid retry interval" and tries for ever."""
    app = applications.create(restartPolicy=on_failure(onFailureRetries=1))
    app.fail()
    app.wait("FAILING")
    app.stays("FAILING", 2)


def test_a_failed_submission_is_tried_once_more_than_its_retries(applications: Applications) -> None:
    policy = on_failure(onSubmissionFailureRetries=1, onSubmissionFailureRetryInterval=1)
    app = applications.create(driver=BROKEN, restartPolicy=policy)
    status = app.wait("FAILED")
    assert status["submissionAttempts"] == 2
    assert "executionAttempts" not in status
    assert status["terminationTime"] is not None
    assert "broken" in app.error


def test_a_failed_submission_under_never_is_the_end(applications: Applications) -> None:
    app = applications.create(driver=BROKEN)
    assert app.wait("FAILED")["submissionAttempts"] == 1


def test_before_a_retry_the_driver_pod_in_its_way_is_deleted(applications: Applications) -> None:
    """So a submission whose result was lost is made good by the next one."""
    blocker = applications.create(name="blocked")
    blocker.wait("SUBMITTED")
    first = blocker.wait_driver()["metadata"]["uid"]
    policy = on_failure(onSubmissionFailureRetries=2, onSubmissionFailureRetryInterval=1)
    app = applications.create(
        driver={"podName": "blocked-driver"}, restartPolicy=policy, name="blocked-by-another-ones-pod"
    )
    app.wait_passed("SUBMISSION_FAILED", "SUBMITTED")
    assert app.status["submissionAttempts"] == 2
    assert blocker.wait_driver(but_not=first)["metadata"]["labels"]["sparkoperator.k8s.io/app-name"] == app.name


def test_the_wait_is_the_interval_times_the_submissions(applications: Applications) -> None:
    policy = on_failure(onSubmissionFailureRetries=2, onSubmissionFailureRetryInterval=2)
    app = applications.create(driver=BROKEN, restartPolicy=policy)
    app.wait("FAILED")
    first, second, third = _submission_times(app)
    # whole seconds are all that the status has
    assert 2 <= (second - first).total_seconds() <= 3.9
    assert 4 <= (third - second).total_seconds() <= 5.9


def test_the_wait_counts_from_the_last_submission_so_a_long_run_is_repeated_at_once(
    applications: Applications,
) -> None:
    app = applications.create(restartPolicy=on_failure(onFailureRetries=1, onFailureRetryInterval=3))
    app.run_driver()
    time.sleep(3)
    app.fail()
    app.wait_passed("FAILING", "PENDING_RERUN", "SUBMITTED", seconds=10)
    ended = next(manifest for manifest in app.among.history(app.name) if _state(manifest) == "FAILING")
    first, second = _submission_times(app)
    stopped = datetime.fromisoformat(ended["status"]["terminationTime"])
    assert (second - stopped).total_seconds() <= 1.9
    assert (second - first).total_seconds() >= 3


def test_failure_retries_and_retry_interval_of_the_old_api_do_nothing(applications: Applications) -> None:
    app = applications.create(failureRetries=3, retryInterval=1, restartPolicy={"type": "OnFailure"})
    app.fail()
    app.wait("FAILED")
    assert app.status["executionAttempts"] == 1


def _is_run(app: Application, number: int) -> bool:
    return app.status.get("executionAttempts") == number


def _submission_times(app: Application) -> list[datetime]:
    times = [manifest.get("status", {}).get("lastSubmissionAttemptTime") for manifest in app.among.history(app.name)]
    return [datetime.fromisoformat(text) for text in dict.fromkeys(times) if text]


def _state(manifest: dict[str, Any]) -> str:
    return str(manifest.get("status", {}).get("applicationState", {}).get("state", ""))
