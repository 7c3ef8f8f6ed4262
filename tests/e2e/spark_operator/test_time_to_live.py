"""Rows about `spec.timeToLiveSeconds`: counted from the end, kept by requeues, a plain deletion of the application."""

import contextlib
import time

import pytest

from testbed.kubernetes import ApiError
from testbed.spark_applications import FINALIZER, Applications, wait_until


@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_finished_application_is_deleted_when_its_time_to_live_is_over(
    applications: Applications, exit_code: int
) -> None:
    app = applications.create(timeToLiveSeconds=2)
    app.set_phase("Failed" if exit_code else "Succeeded", exit_code=exit_code)
    app.wait("FAILED" if exit_code else "COMPLETED")
    app.wait_gone()
    app.wait_no_driver()


def test_the_time_to_live_counts_from_the_end(applications: Applications) -> None:
    app = applications.create(timeToLiveSeconds=2)
    app.run_driver()
    time.sleep(3)
    assert app.state == "RUNNING"
    app.succeed()
    app.wait("COMPLETED")
    app.stays("COMPLETED", 0.8)
    app.wait_gone()


def test_a_time_to_live_that_is_added_after_the_end_counts_too(applications: Applications) -> None:
    app = applications.create()
    app.succeed()
    app.wait("COMPLETED")
    app.edit({"timeToLiveSeconds": 1})
    app.wait_gone()
    assert "INVALIDATING" not in app.states


def test_without_a_time_to_live_the_application_stays(applications: Applications) -> None:
    app = applications.create()
    app.succeed()
    app.wait("COMPLETED")
    app.stays("COMPLETED", 2)


def test_a_time_to_live_of_zero_is_over_with_the_first_event_after_the_end(applications: Applications) -> None:
    """The status has whole seconds: the event of the final state itself finds it expired, or else the next one."""
    app = applications.create(timeToLiveSeconds=0)
    app.succeed()
    wait_until(lambda: "COMPLETED" in app.states, "the end")
    time.sleep(1.1)
    with contextlib.suppress(ApiError):
        app.nudge()
    app.wait_gone()


def test_expiry_deletes_in_the_background_and_waits_for_no_finalizer_of_the_driver(
    applications: Applications,
) -> None:
    app = applications.create(timeToLiveSeconds=1, template={"finalizers": [FINALIZER]})
    app.succeed()
    app.wait_gone()
    pod = app.driver()
    assert pod is not None
    app.release_driver()
    app.wait_no_driver()
