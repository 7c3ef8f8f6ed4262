"""What the operator reads off a SparkApplication and its pods: names, retries, expiry, and a pod's meaning.

Pure functions over the API's own JSON, each named after the rule of the status machine that it is.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from testbed.spark_operator.kube import Object

GROUP: Final = "sparkoperator.k8s.io"
LABEL_APP: Final = f"{GROUP}/app-name"
LABEL_LAUNCHED: Final = f"{GROUP}/launched-by-spark-operator"
LABEL_MUTATED: Final = f"{GROUP}/mutated-by-spark-operator"
LABEL_SUBMISSION: Final = f"{GROUP}/submission-id"
LABEL_SELECTOR: Final = "spark-app-selector"
LABEL_ROLE: Final = "spark-role"
LABEL_EXECUTOR: Final = "spark-exec-id"

DRIVER_CONTAINER: Final = "spark-kubernetes-driver"
EXECUTOR_CONTAINER: Final = "spark-kubernetes-executor"

NEW: Final = ""
SUBMITTED: Final = "SUBMITTED"
RUNNING: Final = "RUNNING"
SUCCEEDING: Final = "SUCCEEDING"
COMPLETED: Final = "COMPLETED"
FAILING: Final = "FAILING"
FAILED: Final = "FAILED"
SUBMISSION_FAILED: Final = "SUBMISSION_FAILED"
PENDING_RERUN: Final = "PENDING_RERUN"
INVALIDATING: Final = "INVALIDATING"
SUSPENDING: Final = "SUSPENDING"
SUSPENDED: Final = "SUSPENDED"
RESUMING: Final = "RESUMING"
UNKNOWN: Final = "UNKNOWN"

TERMINAL: Final = frozenset({COMPLETED, FAILED})

_STATE_OF_DRIVER: Final = {
    "PENDING": SUBMITTED,
    "RUNNING": RUNNING,
    "COMPLETED": SUCCEEDING,
    "FAILED": FAILING,
    "UNKNOWN": UNKNOWN,
}
_EXECUTOR_STATES: Final = {"Pending": "PENDING", "Running": "RUNNING", "Succeeded": "COMPLETED", "Failed": "FAILED"}


def name_of(app: Object) -> tuple[str, str]:
    """Return (namespace, name)."""
    return app["metadata"]["namespace"], app["metadata"]["name"]


def state_of(app: Object) -> str:
    """Return the application's state, NEW when it has none."""
    state: str = app.get("status", {}).get("applicationState", {}).get("state", NEW)
    return state


def driver_pod_name(app: Object) -> str:
    """Return the name that the driver pod has, or will have."""
    spec = app["spec"]
    chosen = spec["driver"].get("podName") or spec.get("sparkConf", {}).get("spark.kubernetes.driver.pod.name")
    return chosen or f"{app['metadata']['name']}-driver"


def short_name(name: str, suffix: str) -> str:
    """Return `name-suffix`, cut to the 63 characters of a DNS label with eight of a hash that keeps it unique."""
    whole = f"{name}-{suffix}"
    if len(whole) <= 63:
        return whole
    digest = hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest()[:8]
    return f"{name[: 63 - len(suffix) - 10]}-{digest}-{suffix}"


def owner_reference(app: Object) -> dict[str, Any]:
    """Return the reference that makes `app` the controller of what carries it."""
    metadata = app["metadata"]
    return {
        "apiVersion": f"{GROUP}/v1beta2",
        "kind": "SparkApplication",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def timestamp(moment: datetime) -> str:
    """Return `moment` as Kubernetes writes it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str | None) -> datetime | None:
    """Return the moment that a status field states; None when it is empty."""
    return datetime.fromisoformat(text) if text else None


def should_retry(app: Object) -> bool:
    """Return whether the restart policy allows another run from the application's present state."""
    policy = app["spec"].get("restartPolicy", {})
    status, state, kind = app.get("status", {}), state_of(app), policy.get("type", "Never")
    if kind == "Always":
        return state in (SUCCEEDING, FAILING, SUBMISSION_FAILED)
    if kind != "OnFailure" or state not in (FAILING, SUBMISSION_FAILED):
        return False
    limit, done = {
        FAILING: (policy.get("onFailureRetries"), status.get("executionAttempts", 0)),
        SUBMISSION_FAILED: (policy.get("onSubmissionFailureRetries"), status.get("submissionAttempts", 0)),
    }[state]
    return limit is not None and done <= limit


def seconds_until_retry(app: Object, now: datetime) -> float:
    """Return how long to wait before the next run: interval times submissions, counted from the last submission.

    Raises ValueError when the policy has no interval, as the operator fails then, again and again.
    """
    policy, status = app["spec"].get("restartPolicy", {}), app.get("status", {})
    failed = state_of(app) == SUBMISSION_FAILED
    interval = policy.get("onSubmissionFailureRetryInterval" if failed else "onFailureRetryInterval")
    attempts, last = status.get("submissionAttempts", 0), parse_timestamp(status.get("lastSubmissionAttemptTime"))
    if interval is None or last is None or attempts <= 0:
        raise ValueError(
            f"invalid retry interval ({interval}), last attempt time ({last}) or attemptsDone ({attempts})"
        )
    return float(interval * attempts) - (now - last).total_seconds()


def age_beyond_ttl(app: Object, now: datetime) -> float | None:
    """Return the seconds since the application's time to live ended, negative before; None when it has none."""
    ttl, ended = app["spec"].get("timeToLiveSeconds"), parse_timestamp(app.get("status", {}).get("terminationTime"))
    return None if ttl is None or ended is None else (now - ended).total_seconds() - float(ttl)


def terminated(pod: Object, container: str) -> Mapping[str, Any] | None:
    """Return the terminated state of a container; None while it waits or runs, or has no status."""
    for status in pod.get("status", {}).get("containerStatuses", []):
        if status["name"] == container:
            found: Mapping[str, Any] | None = status.get("state", {}).get("terminated")
            return found
    return None


def driver_state(pod: Object) -> str:
    """Return PENDING, RUNNING, COMPLETED, FAILED or UNKNOWN; the driver container's exit code wins over the phase."""
    phase = pod.get("status", {}).get("phase")
    end = terminated(pod, DRIVER_CONTAINER)
    if phase == "Running" and end is not None:
        return "COMPLETED" if end.get("exitCode", 0) == 0 else "FAILED"
    if phase == "Failed":
        return "COMPLETED" if end is not None and end.get("exitCode", 0) == 0 else "FAILED"
    return {"Pending": "PENDING", "Running": "RUNNING", "Succeeded": "COMPLETED"}.get(str(phase), "UNKNOWN")


def application_state(driver: str) -> str:
    """Return the application's state for a state of its driver."""
    return _STATE_OF_DRIVER[driver]


def executor_state(pod: Object) -> str:
    """Return PENDING, RUNNING, COMPLETED, FAILED or UNKNOWN; of executors the phase alone counts."""
    return _EXECUTOR_STATES.get(str(pod.get("status", {}).get("phase")), "UNKNOWN")
