import itertools
from typing import Any

from testbed.spark_operator.metrics import Metrics


def _app(state: str, **labels: str) -> dict[str, Any]:
    metadata = {"name": "daily", "namespace": "spark-ads", "labels": labels}
    return {"metadata": metadata, "status": {"applicationState": {"state": state}}}


def test_states_are_counted_when_they_are_entered_and_running_ones_when_they_leave() -> None:
    metrics = Metrics(["namespace", "queue"])
    steps = [
        None,
        *(_app(state, queue="root.ads") for state in ("", "SUBMITTED", "RUNNING", "SUCCEEDING", "COMPLETED")),
    ]
    for before, after in itertools.pairwise(steps):
        metrics.on_application(before, after)
    labels = '{namespace="spark-ads",queue="root.ads"}'
    lines = metrics.text().splitlines()
    for metric in ("count", "submit_count", "success_count"):
        assert f"spark_application_{metric}{labels} 1" in lines
        assert f"# TYPE spark_application_{metric} counter" in lines
    assert f"spark_application_running_count{labels} 0" in lines
    assert "# TYPE spark_application_running_count gauge" in lines


def test_a_running_application_that_is_deleted_runs_no_more() -> None:
    metrics = Metrics(["namespace"])
    metrics.on_application(None, _app("RUNNING"))
    metrics.on_application(_app("RUNNING"), None)
    assert 'spark_application_running_count{namespace="spark-ads"} 0' in metrics.text()


def test_a_label_that_an_application_does_not_carry_is_unknown_and_names_are_made_valid() -> None:
    metrics = Metrics(["moka.dev/team", "queue"])
    metrics.on_application(None, _app("FAILED", **{"moka.dev/team": "ads"}))
    assert 'spark_application_failure_count{moka_dev_team="ads",queue="Unknown"} 1' in metrics.text()
