"""Asks the API server itself, where the cache can't be believed or isn't there: one attempt at a time, a few calls each."""

from typing import Any

from archer.backends.kubernetes import names, records
from archer.backends.kubernetes.following import counted
from archer.backends.kubernetes.observation import Executors
from archer.backends.kubernetes.records import ApplicationRecord, DriverRecord, Pools
from archer.errors import BackendUnavailableError
from archer.kubernetes.client import ApiClient
from archer.kubernetes.errors import ApiError


def unavailable(error: ApiError, what: str) -> BackendUnavailableError:
    """An answer that says nothing about the attempt."""
    return BackendUnavailableError(f"can't {what}: {error}", retry_after_seconds=error.retry_after)


def application(client: ApiClient, namespace: str, attempt: str) -> ApplicationRecord | None:
    """The application; None when the API server says that there is none. Raises BackendUnavailableError."""
    manifest = _get(client, names.applications(namespace, attempt))
    return None if manifest is None else records.application(manifest)


def driver(client: ApiClient, namespace: str, attempt: str, pools: Pools) -> DriverRecord | None:
    """The driver; None when the API server says that there is none. Raises BackendUnavailableError."""
    manifest = _get(client, names.pods(namespace, names.driver(attempt)))
    # a pod of that name without our labels is somebody else's
    ours = manifest is not None and names.JOB_LABEL in (manifest["metadata"].get("labels") or {})
    return records.driver(manifest, pools) if manifest is not None and ours else None


def executor_pods(client: ApiClient, namespace: str, attempt: str) -> list[dict[str, Any]]:
    """The pods of the attempt's executors. Raises BackendUnavailableError."""
    selector = f"{names.EXECUTORS},{names.APP_LABEL}={attempt}"
    try:
        pages = client.pages(names.pods(namespace), labelSelector=selector)
        return [pod for page in pages for pod in page.items]
    except ApiError as error:
        raise unavailable(error, f"list the executors of {attempt}") from error


def executors(client: ApiClient, namespace: str, attempt: str, pools: Pools) -> Executors:
    """What is known of the attempt's executors. Raises BackendUnavailableError."""
    pods = executor_pods(client, namespace, attempt)
    return counted({pod["metadata"]["name"]: records.executor(pod, pools) for pod in pods})


def _get(client: ApiClient, path: str) -> dict[str, Any] | None:
    try:
        return client.get(path)
    except ApiError as error:
        if error.not_found:
            return None
        raise unavailable(error, f"read {path.rpartition('/')[2]}") from error
