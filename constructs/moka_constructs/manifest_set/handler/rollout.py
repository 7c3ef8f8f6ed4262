"""Waits for rollouts, of workloads on the system pool only: other pools may have no node until a job needs one.

While it waits it knows why: the workload's own conditions first, then what its pods say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .client import ApiError, Client
from .discovery import Discovery, path
from .errors import OutOfTimeError, Problem, SetError
from .references import Manifest, Reference, pod_spec
from .workers import each_of

POLL_SECONDS: Final = 1.0
ROLE_LABEL: Final = "moka.dev/role"
SYSTEM: Final = "system"
WAITED: Final = frozenset({"Deployment", "DaemonSet", "StatefulSet", "Job"})


class FailedError(Exception):
    """A rollout that will never end well."""


@dataclass(frozen=True)
class Progress:
    """How far a rollout is."""

    done: bool
    reason: str = ""
    """What is missing."""


def is_waited_for(manifest: Manifest) -> bool:
    """Whether the delivery waits for the object: a workload whose pods go to the system pool."""
    spec = pod_spec(manifest)
    return (
        manifest["kind"] in WAITED and spec is not None and (spec.get("nodeSelector") or {}).get(ROLE_LABEL) == SYSTEM
    )


def wait_for(client: Client, discovery: Discovery, manifests: Sequence[Manifest], say: Callable[[str], None]) -> None:
    """Return when every rollout is complete. Raises SetError with all that are not, at the first that has failed."""
    waiting = [Reference.of(manifest) for manifest in manifests]
    reasons: dict[Reference, str] = {}
    failed: dict[Reference, str] = {}

    def look(reference: Reference) -> None:
        try:
            found = client.request("GET", path(discovery.resource(reference), reference))
            progress = judge(found)
        except ApiError as error:
            failed[reference] = error.message
        except FailedError as error:
            failed[reference] = f"{error}{_pods(client, found)}"
        else:
            reasons[reference] = "" if progress.done else f"{progress.reason}{_pods(client, found)}"

    while waiting:
        try:
            each_of(look, waiting)
            waiting = [each for each in waiting if each in failed or reasons[each]]
            if waiting and not failed:
                say(f"waiting for {'; '.join(f'{each}: {reasons[each]}' for each in waiting)}")
                client.deadline.sleep(POLL_SECONDS)
                continue
        except OutOfTimeError as error:
            raise SetError(
                f"rollouts are not complete, {error}",
                [Problem(str(each), reasons.get(each) or "not looked at yet") for each in waiting],
            ) from error
        if failed:
            raise SetError(
                "rollouts failed",
                [Problem(str(each), failed.get(each) or reasons.get(each, "not looked at")) for each in waiting],
            )


def judge(workload: Mapping[str, Any]) -> Progress:
    """Return how far a workload's rollout is. Raises FailedError."""
    if workload["kind"] == "Job":
        return _judge_job(workload)
    status = workload.get("status") or {}
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return Progress(done=False, reason="the new spec has not been looked at by its controller")
    if workload["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        updated, ready = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    else:
        wanted = workload["spec"].get("replicas", 1)
        updated, ready = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    for condition in status.get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return Progress(done=False, reason=f"{condition.get('reason')}: {condition.get('message')}")
        if condition.get("reason") == "ProgressDeadlineExceeded":
            raise FailedError(f"{ready} of {wanted} pods are ready, and its deadline for progress is over")
    old = status.get("replicas", wanted) - updated if workload["kind"] == "Deployment" else 0
    if updated >= wanted and ready >= wanted and old <= 0:
        return Progress(done=True)
    extra = f", {old} of the old ones are still there" if old > 0 and updated >= wanted else ""
    return Progress(done=False, reason=f"{min(updated, ready)} of {wanted} pods are ready{extra}")


def _judge_job(job: Mapping[str, Any]) -> Progress:
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition["status"] == "True" and condition["type"] == "Failed":
            raise FailedError(f"{condition.get('reason')}: {condition.get('message')}")
        if condition["status"] == "True" and condition["type"] == "Complete":
            return Progress(done=True)
    return Progress(done=False, reason="the job has not completed")


def _pods(client: Client, workload: Mapping[str, Any]) -> str:
    """Return what the workload's pods that are not ready say, in brackets; empty when they say nothing."""
    labels = (workload["spec"].get("selector") or {}).get("matchLabels") or {}
    if not labels:
        return ""
    query = {"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items()), "limit": "50"}
    try:
        found = client.request("GET", f"/api/v1/namespaces/{workload['metadata']['namespace']}/pods", query=query)
    except ApiError:
        return ""
    words = {why_not_ready(pod): pod["metadata"]["name"] for pod in found.get("items") or ()}
    return "".join(f" (pod {name}: {why})" for why, name in words.items() if why)


def why_not_ready(pod: Mapping[str, Any]) -> str:
    """Return why a pod's containers do not run, in the words of the scheduler or the kubelet; empty when it says nothing."""
    status = pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in {None, "ContainerCreating", "PodInitializing"}:
            last = ((container.get("lastState") or {}).get("terminated") or {}).get("exitCode")
            ended = "" if last is None else f", last exit code {last}"
            return f"{waiting['reason']}: {waiting.get('message', container['name'])}{ended}"
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason')}: {condition.get('message')}"
    return ""
