"""Rows about what the driver pod says: SUBMITTED, RUNNING and UNKNOWN follow its phase, and end with it or without it."""

import pytest

from testbed.spark_applications import (
    DRIVER,
    Applications,
    Phase,
    container_status,
    pod_template,
    wait_until,
)
from testbed.spark_operator.process import StartOperator
from testbed.spark_operator.spark_submit import POD_DELAY


@pytest.mark.parametrize(
    ("phase", "states"),
    [
        ("Pending", ["", "SUBMITTED"]),
        ("Running", ["", "SUBMITTED", "RUNNING"]),
        ("Unknown", ["", "SUBMITTED", "UNKNOWN"]),
        ("Succeeded", ["", "SUBMITTED", "SUCCEEDING", "COMPLETED"]),
        ("Failed", ["", "SUBMITTED", "FAILING", "FAILED"]),
    ],
)
def test_a_driver_that_is_in_a_phase_gives_the_application_its_state(
    applications: Applications, phase: Phase, states: list[str]
) -> None:
    app = applications.create()
    app.wait("SUBMITTED")
    app.set_phase(phase)
    app.wait(states[-1])
    assert app.states == states


@pytest.mark.parametrize(
    ("exit_code", "reason", "state", "error"),
    [
        (0, "Completed", "COMPLETED", ""),
        (1, "Error", "FAILED", "driver container failed with ExitCode: 1, Reason: Error"),
        (137, "OOMKilled", "FAILED", "driver container failed with ExitCode: 137, Reason: OOMKilled"),
    ],
)
def test_the_end_of_the_driver_container_is_told_in_the_error_message(
    applications: Applications, exit_code: int, reason: str, state: str, error: str
) -> None:
    app = applications.create()
    app.run_driver()
    app.set_phase("Failed" if exit_code else "Succeeded", exit_code=exit_code, reason=reason)
    status = app.wait(state)
    assert app.error == error
    assert status["terminationTime"] is not None


def test_a_failed_pod_without_a_container_status_is_told_so(applications: Applications) -> None:
    app = applications.create()
    app.set_phase("Failed")
    app.wait("FAILED")
    assert app.error == "driver container status missing"


def test_exit_code_0_of_the_driver_makes_a_failed_pod_a_success(applications: Applications) -> None:
    app = applications.create()
    app.run_driver()
    app.set_phase("Failed", exit_code=0)
    app.wait("COMPLETED")
    assert app.error == ""


@pytest.mark.parametrize(("exit_code", "state"), [(0, "COMPLETED"), (3, "FAILED")])
def test_a_sidecar_does_not_keep_the_application_running_but_its_end_is_seen_with_the_next_event_only(
    applications: Applications, exit_code: int, state: str
) -> None:
    """The phase stays Running, and the operator's filter passes changes of the phase alone (event_filter.go, Update)."""
    template = pod_template(DRIVER)
    sidecar = {**template["spec"]["containers"][0], "name": "sidecar", "image": "registry.invalid/sidecar:1"}
    template["spec"]["containers"].append(sidecar)
    app = applications.create(driver={"template": template}, executor={"instances": 1})
    pod = app.run_driver()
    # the executor's own events are over
    wait_until(lambda: app.status.get("executorState"), "the executor's state")
    app.stays("RUNNING", 1.5)
    statuses = [
        container_status(DRIVER, {"terminated": {"exitCode": exit_code, "reason": "Error"}}),
        container_status("sidecar", {"running": {}}),
    ]
    name = pod["metadata"]["name"]
    app.client.patch_status("v1", "Pod", name, app.namespace, status={"containerStatuses": statuses})
    app.stays("RUNNING", 1.5)
    app.nudge()
    app.wait(state)


def test_within_the_grace_period_a_driver_that_is_not_in_the_cache_is_waited_for(applications: Applications) -> None:
    app = applications.create(driver={"annotations": {POD_DELAY: "1.5"}})
    app.wait("SUBMITTED")
    assert app.driver() is None
    app.run_driver()
    assert app.states == ["", "SUBMITTED", "RUNNING"]


def test_after_the_grace_period_a_driver_that_is_not_in_the_cache_has_failed(applications: Applications) -> None:
    app = applications.create(driver={"annotations": {POD_DELAY: "never"}})
    status = app.wait("FAILED")
    assert app.states == ["", "SUBMITTED", "FAILING", "FAILED"]
    assert app.error == "driver pod not found"
    assert status["terminationTime"] > status["lastSubmissionAttemptTime"]


@pytest.mark.parametrize(("phase", "state"), [("Running", "RUNNING"), ("Unknown", "UNKNOWN")])
def test_a_driver_that_ran_and_is_not_in_the_cache_has_failed_at_once(
    alone: Applications, start_operator: StartOperator, phase: Phase, state: str
) -> None:
    """Long before the grace period ends, which is about drivers that nobody has seen yet."""
    start_operator({"driver-pod-creation-grace-period": "10m"})
    app = alone.create()
    app.set_phase(phase)
    app.wait(state)
    app.delete_pod()
    status = app.wait("FAILED")
    assert app.states == ["", "SUBMITTED", state, "FAILING", "FAILED"]
    assert app.error == "driver pod not found"
    assert status["terminationTime"] is not None


def test_a_pending_driver_has_no_deadline(applications: Applications) -> None:
    """Not the grace period either, which is about pods that are not there: Archer must own start and run deadlines."""
    app = applications.create()
    app.wait("SUBMITTED")
    app.stays("SUBMITTED", 4)
