"""Rows about `status.executorState`: what becomes of executors, how many are tracked, and what a missing one counts as."""

import pytest

from testbed.spark_applications import Applications, Phase, wait_until
from testbed.spark_operator.process import OperatorProcess


@pytest.mark.parametrize(
    ("phase", "state"),
    [("Pending", "PENDING"), ("Running", "RUNNING"), ("Succeeded", "COMPLETED"), ("Failed", "FAILED")],
)
def test_an_executors_phase_is_its_state(applications: Applications, phase: Phase, state: str) -> None:
    app = applications.create(executor={"deleteOnTermination": False})
    app.run_driver()
    (pod,) = app.wait_executors(1)
    app.set_phase(phase, pod=pod)
    name = pod["metadata"]["name"]
    wait_until(lambda: app.status.get("executorState", {}).get(name) == state, f"{name} is {state}")


def test_only_as_many_executors_are_tracked_as_the_chart_says(
    applications: Applications, operator: OperatorProcess
) -> None:
    assert "--max-tracked-executor-per-app=1" in operator.chart.arguments
    app = applications.create(executor={"instances": 3})
    app.run_driver()
    pods = app.wait_executors(3)
    for pod in pods:
        app.set_phase("Running", pod=pod)
    first = pods[0]["metadata"]["name"]
    wait_until(lambda: app.status.get("executorState", {}).get(first) == "RUNNING", "the first executor runs")
    app.nudge()
    app.stays("RUNNING", 1)
    assert set(app.status["executorState"]) == {first}


def test_an_executor_that_is_gone_while_the_driver_runs_is_unknown(applications: Applications) -> None:
    app = applications.create()
    app.run_driver()
    (pod,) = app.wait_executors(1)
    name = pod["metadata"]["name"]
    app.set_phase("Running", pod=pod)
    wait_until(lambda: app.status.get("executorState", {}).get(name) == "RUNNING", "the executor runs")
    app.delete_pod(pod)
    wait_until(lambda: app.status["executorState"][name] == "UNKNOWN", "the executor is unknown")


@pytest.mark.parametrize(("exit_code", "state"), [(0, "COMPLETED"), (1, "FAILED")])
def test_an_executor_that_goes_after_the_end_shares_the_applications_end(
    applications: Applications, exit_code: int, state: str
) -> None:
    app = applications.create(executor={"deleteOnTermination": False})
    app.run_driver()
    (pod,) = app.wait_executors(1)
    name = pod["metadata"]["name"]
    app.set_phase("Running", pod=pod)
    wait_until(lambda: app.status.get("executorState", {}).get(name) == "RUNNING", "the executor runs")
    app.set_phase("Failed" if exit_code else "Succeeded", exit_code=exit_code)
    app.wait(state)
    app.delete_pod(pod)
    wait_until(lambda: app.status["executorState"][name] == state, f"the executor is {state}")


def test_a_driver_that_ends_takes_its_executors_along_unless_told_otherwise(applications: Applications) -> None:
    """The drivers' part, played by `testbed.spark_operator.executors` under either operator."""
    gone, kept = applications.create(), applications.create(executor={"deleteOnTermination": False})
    for app in (gone, kept):
        app.run_driver()
        app.wait_executors(1)
        app.succeed()
        app.wait("COMPLETED")
    wait_until(lambda: not gone.executors(), "the executors are gone")
    assert len(kept.executors()) == 1


def test_dynamic_allocation_starts_with_the_executors_that_it_names(applications: Applications) -> None:
    allocation = {"enabled": True, "initialExecutors": 2, "minExecutors": 1, "maxExecutors": 5}
    app = applications.create(dynamicAllocation=allocation, executor={"instances": None})
    app.run_driver()
    assert len(app.wait_executors(2)) == 2
