"""Whether a namespace holds jobs, which nobody may delete by the way, and the finalizers that Archer left on drivers.

Archer's drivers carry `archer.moka.dev/outcome` until their result is recorded (design D14). When Archer is gone nobody takes it
off, and the namespace would hang in its deletion for ever.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from .client import MERGE, METADATA_LIST, ApiError, Client

FINALIZER: Final = "archer.moka.dev/outcome"
SPARK_PODS: Final = "spark-role"
"""Spark puts this label on drivers and executors."""
SPARK_GROUP: Final = "/apis/sparkoperator.k8s.io"
SPARK_RESOURCES: Final = (
    ("v1beta2", "sparkapplications"),
    ("v1beta2", "scheduledsparkapplications"),
    ("v1alpha1", "sparkconnects"),
)
ENDED: Final = ("Succeeded", "Failed")


def jobs_in(client: Client, namespace: str) -> str:
    """Return what jobs a namespace holds, for a person; empty when it holds none."""
    for version, plural in SPARK_RESOURCES:
        names = _names(client, f"{SPARK_GROUP}/{version}/namespaces/{namespace}/{plural}", {})
        if names:
            return f"{plural} {names}"
    names = _names(client, f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": SPARK_PODS})
    return f"Spark pods {names}" if names else ""


def _names(client: Client, path: str, query: dict[str, str]) -> str:
    try:
        found = client.request("GET", path, query={**query, "limit": "4"}, accept=METADATA_LIST)
    except ApiError as error:
        if error.status == 404:
            return ""
        raise
    names = [each["metadata"]["name"] for each in found.get("items") or ()]
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def release_finalizers(client: Client, namespaces: Iterable[str], *, running: bool) -> list[str]:
    """Take Archer's finalizer off pods that have ended or are being deleted, with `running` off all; return which pods."""
    released = []
    for namespace in namespaces:
        ended = [{"fieldSelector": f"status.phase={phase}"} for phase in ENDED]
        seen = set()
        for query in [{}] if running else [*ended, {}]:
            for pod in _pods(client, namespace, query):
                metadata = pod["metadata"]
                right = running or query or metadata.get("deletionTimestamp")
                if right and metadata["uid"] not in seen and FINALIZER in (metadata.get("finalizers") or ()):
                    seen.add(metadata["uid"])
                    if _release(client, metadata):
                        released.append(f"{namespace}/{metadata['name']}")
    return released


def _pods(client: Client, namespace: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    path = f"/api/v1/namespaces/{namespace}/pods"
    given = {**query, "labelSelector": SPARK_PODS, "limit": "500"}
    while True:
        found = client.request("GET", path, query=given, accept=METADATA_LIST)
        yield from found.get("items") or ()
        more = (found.get("metadata") or {}).get("continue")
        if not more:
            return
        given["continue"] = more


def _release(client: Client, metadata: dict[str, Any]) -> bool:
    """Take the finalizer off one pod; False when the pod went or changed meanwhile."""
    kept = [each for each in metadata["finalizers"] if each != FINALIZER]
    # the version makes sure that no finalizer is dropped that came meanwhile
    body = {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": kept}}
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
    try:
        client.request("PATCH", path, body=body, content_type=MERGE)
    except ApiError as error:
        if error.status in {404, 409}:
            return False
        raise
    return True
