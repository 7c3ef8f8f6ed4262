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
        before = _made_before(client, namespace, name, spec, error)
        if before is None:
            raise _refusal(error, namespace) from error
        made = before
    uid: str = made["metadata"]["uid"]
    return uid


def _made_before(
    client: ApiClient, namespace: str, name: str, spec: Mapping[str, Any], refused: ApiError
) -> dict[str, Any] | None:
    """The application, where an earlier create made it and only its answer was lost; None where it isn't there.

    Quotas, webhooks and the schema are asked before the name, so they may refuse what is there already.
    """
    if refused.overloaded:
        return None
    try:
        found = client.get(names.applications(namespace, name))
    except ApiError as error:
        if error.not_found or refused.status not in _INVALID:
            return None
        raise BackendUnavailableError(f"can't tell whether application {namespace}/{name} is there: {error}") from error
    return found if _is_ours(found["metadata"], spec) else None


def _is_ours(found: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    labels, wanted = found.get("labels") or {}, spec["metadata"].get("labels") or {}
    ours = all(labels.get(key) == wanted.get(key) for key in (names.JOB_LABEL, names.ATTEMPT_LABEL))
    return ours and names.JOB_LABEL in labels


def _adopt(client: ApiClient, namespace: str, name: str, spec: Mapping[str, Any]) -> str:
    try:
        found = client.get(names.applications(namespace, name))["metadata"]
    except ApiError as error:
        # it has gone between the two calls: tried again, the create tells
        raise BackendUnavailableError(f"can't tell whose application {namespace}/{name} is: {error}") from error
    if not _is_ours(found, spec):
        raise LaunchRefusedError(
            f"somebody else's SparkApplication has the name {namespace}/{name}",
            "delete it, then submit again",
            f"its labels are {found.get('labels') or {}}",
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
