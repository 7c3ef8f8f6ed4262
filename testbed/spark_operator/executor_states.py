"""`status.executorState`: what the operator keeps of the executors, up to the number it was told to track."""

from testbed.spark_operator import application as apps
from testbed.spark_operator.events import Recorder
from testbed.spark_operator.kube import Object

_TERMINATED = ("COMPLETED", "FAILED")


def update_executor_states(app: Object, pods: list[Object], most: int, recorder: Recorder) -> None:
    """Write the states of `pods` into the status; executors numbered above `most` are passed over.

    One that is gone counts as completed after a success, as failed otherwise, as unknown while the driver runs.
    """
    status = app["status"]
    known: dict[str, str] = status.get("executorState") or {}
    found: dict[str, str] = {}
    spark_id = ""
    for pod in pods:
        labels, name = pod["metadata"]["labels"], pod["metadata"]["name"]
        if _number(labels.get(apps.LABEL_EXECUTOR, "")) > most:
            continue
        found[name] = apps.executor_state(pod)
        if known.get(name) != found[name]:
            recorder.executor(app, found[name], pod)
        spark_id = spark_id or labels.get(apps.LABEL_SELECTOR, "")
    if spark_id:
        # a driver in client mode has another id than its executors; theirs is the one that Spark's History Server knows
        status["sparkApplicationId"] = spark_id
    states = {**known, **found}
    for name, state in states.items():
        if name not in found and state not in _TERMINATED:
            states[name] = _gone(apps.state_of(app))
    if states:
        status["executorState"] = states


def _gone(application: str) -> str:
    if application == apps.RUNNING:
        return "UNKNOWN"
    return "COMPLETED" if application == apps.COMPLETED else "FAILED"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
