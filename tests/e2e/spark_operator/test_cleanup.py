"""Section "premature driver cleanup": what the operator makes of a driver that was deleted before it looked."""

from typing import Any

import pytest

from testbed.spark_applications import FINALIZER, Application, Applications, wait_until
from testbed.spark_operator.process import OperatorProcess, StartOperator
from testbed.spark_operator.spark_submit import SECONDS

NOT_FOUND = "driver pod not found"


def _run_and_stop(alone: Applications, operator: OperatorProcess, **create: Any) -> Application:
    """Return an application that runs, and whose operator does not."""
    app = alone.create(**create)
    app.run_driver()
    operator.stop()
    return app


def test_a_success_that_is_collected_while_the_operator_is_down_is_a_failure(
    alone: Applications, start_operator: StartOperator
) -> None:
    """#2054, #2755: nobody reads the pod's last phase, neither from the deletion nor from the server."""
    operator = start_operator()
    app = _run_and_stop(alone, operator)
    app.succeed()
    app.delete_pod()
    operator.start()
    app.wait("FAILED")
    assert app.states[-3:] == ["RUNNING", "FAILING", "FAILED"]
    assert app.error == NOT_FOUND


def test_with_a_finalizer_the_same_success_is_recorded(alone: Applications, start_operator: StartOperator) -> None:
    operator = start_operator()
    app = _run_and_stop(alone, operator, template={"finalizers": [FINALIZER]})
    app.succeed()
    app.delete_pod()
    pod = app.driver()
    assert pod is not None
    assert pod["metadata"]["deletionTimestamp"]
    operator.start()
    app.wait("COMPLETED")
    assert app.error == ""


def test_a_collected_success_is_run_a_second_time_when_failures_are_retried(
    alone: Applications, start_operator: StartOperator
) -> None:
    operator = start_operator()
    policy = {"type": "OnFailure", "onFailureRetries": 1, "onFailureRetryInterval": 1}
    app = _run_and_stop(alone, operator, restartPolicy=policy)
    app.succeed()
    app.delete_pod()
    operator.start()
    app.wait_passed("RUNNING", "FAILING", "PENDING_RERUN", "SUBMITTED")
    assert app.status["executionAttempts"] == 2
    app.wait_driver()


@pytest.mark.parametrize("state", ["SUCCEEDING", "FAILING"])
def test_once_the_end_is_stored_the_pod_is_not_looked_for(
    alone: Applications, start_operator: StartOperator, state: str
) -> None:
    operator = start_operator()
    app = _run_and_stop(alone, operator)
    app.write_status(applicationState={"state": state, "errorMessage": None})
    app.delete_pod()
    operator.start()
    app.wait("COMPLETED" if state == "SUCCEEDING" else "FAILED")
    assert app.error == ""


@pytest.mark.parametrize("how", ["delete", "eviction"])
def test_whoever_deletes_a_running_driver_its_application_has_failed(applications: Applications, how: str) -> None:
    """A person, a cron job, a collector (delete); a drain, Karpenter, a descheduler (eviction)."""
    app = applications.create()
    app.run_driver()
    if how == "delete":
        app.delete_pod()
    else:
        _evict(app)
    app.wait("FAILED")
    assert app.error == NOT_FOUND
    app.wait_no_driver()


def test_a_driver_that_is_collected_right_after_its_end_may_have_failed_even_while_the_operator_works(
    alone: Applications, start_operator: StartOperator
) -> None:
    """One queue for submissions and states: the only worker is at a slow spark-submit, and the pod is gone afterwards."""
    start_operator({"controller-threads": "1"})
    app = alone.create()
    app.run_driver()
    slow = alone.create(driver={"annotations": {SECONDS: "3"}})
    wait_until(lambda: "" in slow.states, "the slow application")
    app.stays("RUNNING", 0.5)
    app.succeed()
    app.stays("RUNNING", 0.5)
    app.delete_pod()
    app.wait("FAILED")
    assert app.error == NOT_FOUND
    slow.wait("SUBMITTED")


def test_the_operator_puts_no_finalizer_on_drivers(applications: Applications) -> None:
    """PR #2076 was never merged."""
    app = applications.create()
    pod = app.run_driver()
    assert "finalizers" not in pod["metadata"]
    app.succeed()
    app.wait("COMPLETED")


def test_the_operator_takes_no_finalizer_off_a_driver(applications: Applications) -> None:
    app = applications.create(template={"finalizers": [FINALIZER]})
    app.run_driver()
    app.succeed()
    app.wait("COMPLETED")
    app.stays("COMPLETED", 1)
    pod = app.driver()
    assert pod is not None
    assert pod["metadata"]["finalizers"] == [FINALIZER]


def test_a_submission_whose_result_was_lost_fails_after_a_restart_though_its_driver_runs(
    alone: Applications, start_operator: StartOperator
) -> None:
    """#2788: the driver pod was made, the operator died before it wrote the status, and the next one submits again."""
    operator = start_operator()
    app = alone.create()
    app.run_driver()
    operator.stop()
    app.write_status(applicationState={"state": ""})
    operator.start()
    app.wait("FAILED")
    assert app.error.endswith("driver pod already exist")
    assert app.driver() is not None


def _evict(app: Application) -> None:
    path = f"{app.client.path('v1', 'Pod', f'{app.name}-driver', app.namespace)}/eviction"
    metadata = {"name": f"{app.name}-driver", "namespace": app.namespace}
    app.client.request("POST", path, {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata})
