"""Creates an attempt's application. The name is computed from the attempt, so a name that is taken by us means: done (D13)."""

from collections.abc import Mapping
from typing import Any

from archer.backends.kubernetes import names
from archer.errors import BackendUnavailableError, LaunchRefusedError
from archer.kubernetes.client import ApiClient
from archer.kubernetes.errors import ApiError

_INVALID = frozenset({400, 413, 422})


def launch(client: ApiClient, name: str, spec: Mapping[str, Any]) -> str:
    """The uid of the attempt's application. Raises LaunchRefusedError, BackendUnavailableError."""
    namespace: str = spec["metadata"]["namespace"]
    try:
        made = client.create(names.applications(namespace), spec)
    except ApiError as error:
        if error.already_exists:
            return _adopt(client, namespace, name, spec)
        raise _refusal(error, namespace) from error
    uid: str = made["metadata"]["uid"]
    return uid


def _adopt(client: ApiClient, namespace: str, name: str, spec: Mapping[str, Any]) -> str:
    try:
        found = client.get(names.applications(namespace, name))["metadata"]
    except ApiError as error:
        # it has gone between the two calls: tried again, the create tells
        raise BackendUnavailableError(f"can't tell whose application {namespace}/{name} is: {error}") from error
    labels, wanted = found.get("labels") or {}, spec["metadata"].get("labels") or {}
    ours = all(labels.get(key) == wanted.get(key) for key in (names.JOB_LABEL, names.ATTEMPT_LABEL))
    if not ours or names.JOB_LABEL not in labels:
        raise LaunchRefusedError(
            f"somebody else's SparkApplication has the name {namespace}/{name}",
            "delete it, then submit again",
            f"its labels are {labels}",
        )
    uid: str = found["uid"]
    return uid


def _refusal(error: ApiError, namespace: str) -> LaunchRefusedError | BackendUnavailableError:
    if error.status in _INVALID:
        fix = "correct the field that the message names, then submit again"
        return LaunchRefusedError(f"the API server refuses the application: {error.message}"[:200], fix, error.message)
    if error.status == 403 and "exceeded quota" in error.message:
        why = f"namespace {namespace} has no room for another application: {error.message}"
        return BackendUnavailableError(why, retry_after_seconds=error.retry_after, refused=True)
    # no right, no namespace, no such kind: the platform's to repair, and no job's fault
    why = f"can't create an application in namespace {namespace}: {error}"
    known = error.status == 429 or 400 <= error.status < 500
    return BackendUnavailableError(why, retry_after_seconds=error.retry_after, refused=known)
