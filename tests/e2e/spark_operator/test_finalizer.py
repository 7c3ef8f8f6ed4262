"""Section "premature driver cleanup", the effects of a finalizer on the driver: what waits for it, and what does not."""

from typing import Any

import pytest

from testbed.spark_applications import FINALIZER, Application, Applications, wait_until
from testbed.spark_operator.spark_submit import ERROR

HELD = {"finalizers": [FINALIZER]}


def _held_driver(app: Application) -> dict[str, Any]:
    """Wait until the driver is deleted but for its finalizer."""

    def found() -> dict[str, Any] | None:
        pod = app.driver()
        return pod if pod is not None and pod["metadata"].get("deletionTimestamp") else None

    pod: dict[str, Any] = wait_until(found, "the driver is being deleted")
    return pod


def _bind_driver(app: Application) -> None:
    """Give the driver a node: every 20 s, Kubernetes' pod collector calls pods failed that are being deleted and have none."""
    name = app.wait_driver()["metadata"]["name"]
    path = app.client.path("v1", "Pod", name, app.namespace)
    target = {"apiVersion": "v1", "kind": "Node", "name": "somewhere"}
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
    app.client.request("POST", f"{path}/binding", binding)


@pytest.mark.parametrize(("exit_code", "state"), [(0, "COMPLETED"), (143, "FAILED")])
def test_a_driver_that_is_deleted_with_a_finalizer_tells_how_it_ended(
    applications: Applications, exit_code: int, state: str
) -> None:
    app = applications.create(template=HELD)
    _bind_driver(app)
    app.run_driver()
    app.delete_pod()
    _held_driver(app)
    app.stays("RUNNING", 1)
    app.set_phase("Failed" if exit_code else "Succeeded", exit_code=exit_code)
    app.wait(state)
    assert app.error == (f"driver container failed with ExitCode: {exit_code}, Reason: Error" if exit_code else "")


@pytest.mark.parametrize("how", ["on-failure", "always", "changed-spec"])
def test_a_rerun_waits_for_the_finalizer_and_wakes_when_it_is_taken_off(applications: Applications, how: str) -> None:
    """Nothing is requeued meanwhile: the deletion of the old pod is the event that goes on."""
    policies: dict[str, dict[str, Any]] = {
        "on-failure": {"type": "OnFailure", "onFailureRetries": 1, "onFailureRetryInterval": 1},
        "always": {"type": "Always"},
        "changed-spec": {"type": "Never"},
    }
    app = applications.create(template=HELD, restartPolicy=policies[how])
    match how:
        case "on-failure":
            app.fail()
        case "always":
            app.succeed()
        case _:
            app.run_driver()
            app.edit({"arguments": ["2000"]})
    app.wait("PENDING_RERUN")
    uid = _held_driver(app)["metadata"]["uid"]
    app.stays("PENDING_RERUN", 1)
    app.release_driver()
    app.wait("SUBMITTED", seconds=10)
    app.wait_driver(but_not=uid)
    app.release_driver()


def test_suspended_waits_for_the_finalizer_and_resumes_when_it_is_taken_off(applications: Applications) -> None:
    app = applications.create(template=HELD)
    app.run_driver()
    app.edit({"suspend": True})
    app.wait("SUSPENDED")
    uid = _held_driver(app)["metadata"]["uid"]
    app.edit({"suspend": False})
    app.stays("SUSPENDED", 1)
    app.release_driver()
    app.wait("SUBMITTED", seconds=10)
    app.wait_driver(but_not=uid)
    app.release_driver()


def test_a_retry_of_a_submission_loops_until_the_finalizer_is_off(applications: Applications) -> None:
    """A driver pod that an earlier submission left; the deletion is asked for, and each pass ends in an error."""
    first = applications.create(name="left", template=HELD)
    first.wait("SUBMITTED")
    uid = first.wait_driver()["metadata"]["uid"]
    policy = {"type": "OnFailure", "onSubmissionFailureRetries": 1, "onSubmissionFailureRetryInterval": 1}
    app = applications.create(driver={"podName": "left-driver"}, restartPolicy=policy)
    app.wait("SUBMISSION_FAILED")
    _held_driver(first)
    app.stays("SUBMISSION_FAILED", 1)
    first.release_driver()
    app.wait("SUBMITTED")
    first.wait_driver(but_not=uid)


def test_a_deleted_application_leaves_the_driver_and_what_it_owns_until_the_finalizer_is_off(
    applications: Applications,
) -> None:
    app = applications.create(template=HELD)
    uid = app.run_driver()["metadata"]["uid"]
    app.wait_executors(1)
    app.delete()
    app.wait_gone()
    _held_driver(app)
    assert sorted(kind for kind, _name in _owned_by(app, uid)) == ["ConfigMap", "ConfigMap", "Service"]
    app.release_driver()
    app.wait_no_driver()
    wait_until(lambda: not _owned_by(app, uid), "what the driver owned is gone")
    wait_until(lambda: not app.executors(), "the executors are gone")


def test_a_foreground_deletion_of_the_application_waits_for_the_driver(applications: Applications) -> None:
    app = applications.create(template=HELD)
    app.run_driver()
    app.delete("Foreground")
    _held_driver(app)
    app.stays("RUNNING", 1.5)
    app.release_driver()
    app.wait_gone()


def test_a_finalizer_on_the_application_keeps_its_last_status_while_its_driver_goes(
    applications: Applications,
) -> None:
    app = applications.create(finalizers=(FINALIZER,))
    app.run_driver()
    app.delete()
    app.wait_no_driver()
    app.stays("RUNNING", 1)
    assert app.driver() is None
    app.edit(finalizers=None)
    app.wait_gone()


def test_the_status_of_a_deleted_application_is_frozen_even_when_its_driver_ends(applications: Applications) -> None:
    app = applications.create(finalizers=(FINALIZER,), template=HELD)
    app.run_driver()
    app.delete()
    _held_driver(app)
    app.succeed()
    app.stays("RUNNING", 1)
    app.release_driver()
    app.edit(finalizers=None)
    app.wait_gone()


def test_a_submission_that_always_fails_leaves_nothing_that_a_finalizer_could_hold(applications: Applications) -> None:
    app = applications.create(template=HELD, driver={"annotations": {ERROR: "broken"}})
    app.wait("FAILED")
    assert app.driver() is None
    app.delete()
    app.wait_gone()


def _owned_by(app: Application, uid: str) -> list[tuple[str, str]]:
    return [
        (kind, manifest["metadata"]["name"])
        for kind in ("Service", "ConfigMap")
        for manifest in app.client.list("v1", kind, app.namespace)
        if any(owner["uid"] == uid for owner in manifest["metadata"].get("ownerReferences", ()))
    ]
