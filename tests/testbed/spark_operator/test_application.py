from datetime import UTC, datetime
from typing import Any

import pytest

from testbed.spark_operator import application as apps

NOW = datetime(2026, 11, 25, 10, 0, 30, tzinfo=UTC)


def _app(state: str, policy: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "daily", "namespace": "spark-ads", "uid": "u"},
        "spec": {"restartPolicy": policy, "driver": {}},
        "status": {"applicationState": {"state": state}, **status},
    }


@pytest.mark.parametrize(
    ("state", "policy", "done", "again"),
    [
        ("FAILING", {"type": "OnFailure", "onFailureRetries": 2}, 2, True),
        ("FAILING", {"type": "OnFailure", "onFailureRetries": 2}, 3, False),
        ("FAILING", {"type": "OnFailure"}, 0, False),
        ("SUCCEEDING", {"type": "OnFailure", "onFailureRetries": 2}, 1, False),
        ("SUCCEEDING", {"type": "Always"}, 1000, True),
        ("FAILING", {"type": "Always"}, 1000, True),
        ("FAILING", {"type": "Never"}, 0, False),
        ("FAILING", {}, 0, False),
        ("RUNNING", {"type": "Always"}, 0, False),
    ],
)
def test_the_policy_says_whether_to_run_again(state: str, policy: dict[str, Any], done: int, again: bool) -> None:
    assert apps.should_retry(_app(state, policy, executionAttempts=done)) is again


def test_retries_of_submissions_count_submissions_and_those_of_runs_count_runs() -> None:
    policy = {"type": "OnFailure", "onFailureRetries": 1, "onSubmissionFailureRetries": 5}
    counts = {"submissionAttempts": 4, "executionAttempts": 2}
    assert apps.should_retry(_app("SUBMISSION_FAILED", policy, **counts))
    assert not apps.should_retry(_app("FAILING", policy, **counts))


def test_the_wait_grows_with_the_submissions_and_counts_from_the_last_one() -> None:
    status = {"submissionAttempts": 3, "lastSubmissionAttemptTime": "2026-11-25T10:00:00Z"}
    policy = {"type": "OnFailure", "onFailureRetryInterval": 20, "onSubmissionFailureRetryInterval": 5}
    assert apps.seconds_until_retry(_app("FAILING", policy, **status), NOW) == 30
    assert apps.seconds_until_retry(_app("SUBMISSION_FAILED", policy, **status), NOW) == -15


def test_without_an_interval_there_is_no_wait_that_could_be_told() -> None:
    status = {"submissionAttempts": 1, "lastSubmissionAttemptTime": "2026-11-25T10:00:00Z"}
    with pytest.raises(ValueError, match="invalid retry interval"):
        apps.seconds_until_retry(_app("FAILING", {"type": "Always"}, **status), NOW)


@pytest.mark.parametrize(
    ("phase", "exit_code", "state"),
    [
        ("Pending", None, "PENDING"),
        ("Running", None, "RUNNING"),
        ("Running", 0, "COMPLETED"),
        ("Running", 1, "FAILED"),
        ("Succeeded", None, "COMPLETED"),
        ("Failed", None, "FAILED"),
        ("Failed", 0, "COMPLETED"),
        ("Failed", 1, "FAILED"),
        ("Unknown", None, "UNKNOWN"),
        (None, None, "UNKNOWN"),
    ],
)
def test_the_drivers_exit_code_wins_over_its_pods_phase(phase: str | None, exit_code: int | None, state: str) -> None:
    status: dict[str, Any] = {"phase": phase}
    if exit_code is not None:
        end = {"terminated": {"exitCode": exit_code}}
        status["containerStatuses"] = [{"name": "spark-kubernetes-driver", "state": end}]
    assert apps.driver_state({"status": status}) == state


def test_names_of_63_characters_stay_and_longer_ones_are_cut_and_told_apart() -> None:
    whole = "a" * 56
    assert apps.short_name(whole, "ui-svc") == f"{whole}-ui-svc"
    cut = {apps.short_name(f"{whole}{last}", "ui-svc") for last in "bc"}
    assert len(cut) == 2
    assert {len(name) for name in cut} == {63}


def test_time_to_live_counts_from_the_end_and_an_application_without_one_never_expires() -> None:
    app = _app("COMPLETED", {}, terminationTime="2026-11-25T10:00:00Z")
    assert apps.age_beyond_ttl(app, NOW) is None
    app["spec"]["timeToLiveSeconds"] = 20
    assert apps.age_beyond_ttl(app, NOW) == 10
    app["status"]["terminationTime"] = None
    assert apps.age_beyond_ttl(app, NOW) is None
