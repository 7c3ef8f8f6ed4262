"""Builders for SparkApplications and their pods as an API server gives them; what a test doesn't care about is filled in."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from testbed.archer_builders import JOB_ID

NAME: Final = f"{JOB_ID}-1"
NAMESPACE: Final = "spark-ads"
BORN: Final = "2026-11-23T12:00:00Z"
LATER: Final = "2026-11-23T12:05:00Z"
LATEST: Final = "2026-11-23T12:05:30Z"
BORN_SECONDS: Final = 1795435200
FINALIZER: Final = "archer.moka.dev/outcome"
IMAGE: Final = "registry.invalid/spark:4.0.5"

Manifest = dict[str, Any]


def application(state: str = "", error: str = "", *, deleted: bool = False, **status: Any) -> Manifest:
    """An application in that state of the operator's."""
    told: Manifest = {"sparkApplicationId": "spark-1", "submissionID": "5-1", **status}
    if state:
        told["applicationState"] = {"state": state, **({"errorMessage": error} if error else {})}
    metadata = {**_metadata(NAME, "app-uid"), **({"deletionTimestamp": LATER} if deleted else {})}
    return {"metadata": metadata, "spec": {}, "status": told if state else {}}


def driver(
    phase: str = "Running",
    *,
    exit_code: int | None = None,
    reason: str = "Error",
    finished: str = LATER,
    deleted: str | None = None,
    waiting: Mapping[str, str] | None = None,
    conditions: Sequence[Mapping[str, str]] = (),
    node: str | None = "node-1",
    held: bool = True,
    annotations: Mapping[str, str] | None = None,
    pool: Mapping[str, str] | None = None,
    pod_reason: str = "",
    **status: Any,
) -> Manifest:
    """A driver's pod in that phase; `deleted` is when its deletion was asked for."""
    if pod_reason:
        status["reason"] = pod_reason
    pod = _pod(f"{NAME}-driver", "driver", phase, exit_code, reason, finished, waiting, conditions, node, pool, status)
    metadata = pod["metadata"]
    metadata["annotations"] = dict(annotations or {})
    metadata["finalizers"] = ["other.example/keep", FINALIZER] if held else []
    if deleted is not None:
        metadata |= {"deletionTimestamp": deleted, "deletionGracePeriodSeconds": 0}
    return pod


def executor(
    number: int = 1,
    phase: str = "Running",
    *,
    exit_code: int | None = None,
    reason: str = "Error",
    finished: str = LATER,
    conditions: Sequence[Mapping[str, str]] = (),
    node: str | None = "node-2",
    pool: Mapping[str, str] | None = None,
    **status: Any,
) -> Manifest:
    """An executor's pod in that phase."""
    name = f"{NAME}-exec-{number}"
    return _pod(name, "executor", phase, exit_code, reason, finished, None, conditions, node, pool, status)


def unschedulable(message: str = "0/12 nodes are available: 12 Insufficient memory.") -> dict[str, str]:
    """The condition of a pod that no node has room for."""
    return {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}


def disrupted(reason: str) -> dict[str, str]:
    """The condition of a pod that Kubernetes took away."""
    return {"type": "DisruptionTarget", "status": "True", "reason": reason}


def _metadata(name: str, uid: str) -> Manifest:
    labels = {"archer.moka.dev/job-id": JOB_ID, "archer.moka.dev/attempt": "1"}
    return {"name": name, "namespace": NAMESPACE, "uid": uid, "labels": labels, "creationTimestamp": BORN}


def _pod(  # noqa: PLR0917  # of this module alone
    name: str,
    role: str,
    phase: str,
    exit_code: int | None,
    reason: str,
    finished: str,
    waiting: Mapping[str, str] | None,
    conditions: Sequence[Mapping[str, str]],
    node: str | None,
    pool: Mapping[str, str] | None,
    status: Mapping[str, Any],
) -> Manifest:
    state: Manifest = {}
    if exit_code is not None:
        state = {
            "terminated": {
                "exitCode": exit_code,
                "reason": "Completed" if exit_code == 0 and reason == "Error" else reason,
                "finishedAt": finished,
            }
        }
    elif waiting is not None:
        state = {"waiting": dict(waiting)}
    elif phase == "Running":
        state = {"running": {"startedAt": BORN}}
    containers = [{"name": f"spark-kubernetes-{role}", "image": IMAGE, "state": state}] if state else []
    # a sidecar comes first in the alphabet, and is none of our business
    sidecar = {"name": "a-sidecar", "image": "sidecar", "state": {"running": {"startedAt": BORN}}}
    metadata = _metadata(name, f"{name}-uid")
    metadata["labels"] |= {"spark-role": role, "sparkoperator.k8s.io/app-name": NAME}
    spec = {"nodeName": node, "nodeSelector": dict(pool or {})} if node else {"nodeSelector": dict(pool or {})}
    return {
        "metadata": metadata,
        "spec": spec,
        "status": {
            "phase": phase,
            "conditions": list(conditions),
            "containerStatuses": [sidecar, *containers] if containers else [],
            **status,
        },
    }
