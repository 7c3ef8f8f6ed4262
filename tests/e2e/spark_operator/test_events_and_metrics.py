"""Rows about Events and metrics: which reasons there are, which never come, and what is counted by which label."""

import re
import urllib.request

from testbed.spark_applications import Applications, wait_until
from testbed.spark_operator.process import OperatorProcess
from testbed.spark_operator.spark_submit import ERROR


def test_a_success_gives_these_events_and_never_completed_or_added(applications: Applications) -> None:
    app = applications.create()
    app.run_driver()
    app.wait_executors(1)
    app.succeed()
    app.wait("COMPLETED")
    wait_until(lambda: "SparkDriverCompleted" in app.reasons(), "the last event")
    assert app.reasons() >= {"SparkApplicationSubmitted", "SparkDriverRunning", "SparkDriverCompleted"}
    never = {"SparkApplicationAdded", "SparkApplicationCompleted", "SparkDriverNotFound"}
    assert not app.reasons() & never
    # a pass that meets a conflict is done again, its Event too
    said = {event["message"] for event in app.events() if event["reason"] == "SparkDriverCompleted"}
    assert said == {f"Driver {app.name}-driver completed"}


def test_a_failed_run_is_told_by_its_driver_never_by_its_application(applications: Applications) -> None:
    app = applications.create()
    app.fail()
    app.wait("FAILED")
    wait_until(lambda: "SparkDriverFailed" in app.reasons(), "the last event")
    assert "SparkApplicationFailed" not in app.reasons()


def test_exhausted_submissions_give_added_submission_failed_and_failed(applications: Applications) -> None:
    app = applications.create(driver={"annotations": {ERROR: "broken {pod}"}})
    app.wait("FAILED")
    expected = {"SparkApplicationAdded", "SparkApplicationSubmissionFailed", "SparkApplicationFailed"}
    wait_until(lambda: app.reasons() == expected, f"exactly {expected}")


def test_a_driver_that_is_not_found_gives_no_event(applications: Applications) -> None:
    """`SparkDriverNotFound` (#2971) is on the main branch alone."""
    app = applications.create()
    app.run_driver()
    app.delete_pod()
    app.wait("FAILED")
    app.nudge()
    assert not [
        reason for reason in app.reasons() if reason.endswith(("NotFound", "DriverFailed", "ApplicationFailed"))
    ]


def test_suspend_resume_and_rerun_give_their_events(applications: Applications) -> None:
    app = applications.create(restartPolicy={"type": "Always"})
    app.succeed()
    app.wait_passed("PENDING_RERUN", "SUBMITTED")
    app.edit({"suspend": True})
    app.wait("SUSPENDED")
    app.edit({"suspend": False})
    app.wait("SUBMITTED")
    states = ("PendingRerun", "Suspending", "Suspended", "Resuming")
    expected = {f"SparkApplication{state}" for state in states}
    wait_until(lambda: app.reasons() >= expected, f"all of {expected}")


def test_applications_are_counted_by_namespace_and_queue(applications: Applications, operator: OperatorProcess) -> None:
    """The labels of our chart: a label of the application, the word namespace, "Unknown" for what it does not carry."""
    queue = {"queue": "root.counted"}
    good, bad = applications.create(labels=queue), applications.create(labels=queue)
    broken = applications.create(labels=queue, driver={"annotations": {ERROR: "broken"}})
    running = applications.create(labels=queue)
    good.succeed()
    bad.fail()
    good.wait("COMPLETED")
    bad.wait("FAILED")
    broken.wait("FAILED")
    running.run_driver()
    expected = {
        "count": 4,
        "submit_count": 3,
        "failed_submission_count": 1,
        "running_count": 1,
        "success_count": 1,
        "failure_count": 2,
    }
    wait_until(lambda: expected.items() <= _counts(operator, "root.counted").items(), f"{expected}")
    running.succeed()
    running.wait("COMPLETED")
    wait_until(lambda: _counts(operator, "root.counted")["running_count"] == 0, "none is running")
    applications.create().wait("SUBMITTED")
    assert _counts(operator, "Unknown")["submit_count"] >= 1


def _counts(operator: OperatorProcess, queue: str) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{operator.metrics_port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    labels = re.escape(f'{{namespace="spark-contract",queue="{queue}"}}')
    return {
        name: float(value)
        for name, value in re.findall(rf"^spark_application_((?:\w+_)?count){labels} (\S+)$", text, re.MULTILINE)
    }
