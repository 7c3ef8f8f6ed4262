"""Events about applications, with the operator's reasons and texts; written aside, so that no application waits for one."""

import logging
import queue
import threading
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from testbed.spark_operator import application as apps
from testbed.spark_operator.kube import EVENTS, ApiError, Client, Object

_LOG = logging.getLogger("events")
_NORMAL: Final = "Normal"
_WARNING: Final = "Warning"

_APPLICATION: Final = {
    apps.NEW: (_NORMAL, "SparkApplicationAdded", "SparkApplication {name} was added, enqueuing it for submission"),
    apps.SUBMITTED: (_NORMAL, "SparkApplicationSubmitted", "SparkApplication {name} was submitted successfully"),
    apps.SUBMISSION_FAILED: (
        _WARNING,
        "SparkApplicationSubmissionFailed",
        "failed to submit SparkApplication {name}: {error}",
    ),
    apps.FAILED: (_WARNING, "SparkApplicationFailed", "SparkApplication {name} failed: {error}"),
    apps.PENDING_RERUN: (_WARNING, "SparkApplicationPendingRerun", "SparkApplication {name} is pending rerun"),
    apps.SUSPENDING: (_WARNING, "SparkApplicationSuspending", "SparkApplication {name} is suspending"),
    apps.SUSPENDED: (_WARNING, "SparkApplicationSuspended", "SparkApplication {name} is suspended"),
    apps.RESUMING: (_WARNING, "SparkApplicationResuming", "SparkApplication {name} is resuming"),
}
_DRIVER: Final = {
    "PENDING": (_NORMAL, "SparkDriverPending", "Driver {pod} is pending"),
    "RUNNING": (_NORMAL, "SparkDriverRunning", "Driver {pod} is running"),
    "COMPLETED": (_NORMAL, "SparkDriverCompleted", "Driver {pod} completed"),
    "FAILED": (_WARNING, "SparkDriverFailed", "Driver {pod} failed"),
    "UNKNOWN": (_WARNING, "SparkDriverUnknown", "Driver {pod} in unknown state"),
}
_EXECUTOR: Final = {
    "PENDING": (_NORMAL, "SparkExecutorPending", "Executor {pod} is pending"),
    "RUNNING": (_NORMAL, "SparkExecutorRunning", "Executor {pod} is running"),
    "COMPLETED": (_NORMAL, "SparkExecutorCompleted", "Executor {pod} completed"),
    "FAILED": (
        _WARNING,
        "SparkExecutorFailed",
        "Executor {pod} failed with ExitCode: {code}, Reason: {reason}, Pod Message: {message}",
    ),
    "UNKNOWN": (_WARNING, "SparkExecutorUnknown", "Executor {pod} in unknown state"),
}


class Recorder:
    """Writes Events from a thread of its own; when it is off, nothing is written."""

    def __init__(self, client: Client, *, enabled: bool) -> None:
        self._client = client
        self._waiting: queue.SimpleQueue[Object] | None = queue.SimpleQueue() if enabled else None
        if enabled:
            threading.Thread(target=self._write, name="events", daemon=True).start()

    def application(self, app: Object) -> None:
        """Record the application's present state."""
        if (state := apps.state_of(app)) in _APPLICATION:
            error = app.get("status", {}).get("applicationState", {}).get("errorMessage", "")
            self._record(app, _APPLICATION[state], error=error)

    def driver(self, app: Object, state: str, pod: str) -> None:
        self._record(app, _DRIVER[state], pod=pod)

    def executor(self, app: Object, state: str, pod: Object) -> None:
        end = apps.terminated(pod, apps.EXECUTOR_CONTAINER)
        code, reason = (
            (-1, "Unknown (Container not Found)") if end is None else (end["exitCode"], end.get("reason", ""))
        )
        message = pod.get("status", {}).get("message", "")
        self._record(app, _EXECUTOR[state], pod=pod["metadata"]["name"], code=code, reason=reason, message=message)

    def spec_update_failed(self, app: Object, error: Exception) -> None:
        text = f"Failed to update spec for SparkApplication {app['metadata']['name']}: {error}"
        self._record(app, (_WARNING, "SparkApplicationSpecUpdateFailed", text))

    def _record(self, app: Object, event: tuple[str, str, str], **fields: Any) -> None:
        if self._waiting is None:
            return
        kind, reason, text = event
        namespace, name = apps.name_of(app)
        now = apps.timestamp(datetime.now(UTC))
        # a text with braces of its own (an error of the API server) has no fields to fill in
        message = text.format(name=name, **fields) if fields or "{name}" in text else text
        self._waiting.put(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": f"{name[:200]}.{uuid.uuid4().hex[:16]}", "namespace": namespace},
                "involvedObject": {
                    "apiVersion": f"{apps.GROUP}/v1beta2",
                    "kind": "SparkApplication",
                    "namespace": namespace,
                    "name": name,
                    "uid": app["metadata"]["uid"],
                    "resourceVersion": app["metadata"]["resourceVersion"],
                },
                "type": kind,
                "reason": reason,
                "message": message[:1024],
                "source": {"component": "spark-application-controller"},
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
            }
        )

    def _write(self) -> None:
        assert self._waiting is not None
        while True:
            event = self._waiting.get()
            try:
                self._client.create(EVENTS.path(event["metadata"]["namespace"]), event)
            except (ApiError, OSError) as error:
                _LOG.error("Server rejected event %s: %s", event["reason"], error)
