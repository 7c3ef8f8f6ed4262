"""What pods and the operator say about a failure: the rules of a diagnosis on Kubernetes.

Pure. `archer.diagnosis` asks here for what the cluster is sure of (who took the pod away, what the kernel killed, why nothing
started), and goes on with its own rules about logs and exit codes where the cluster has no opinion.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from archer.model import Category, Diagnosis

OOM_KILLED: Final = "OOMKilled"
JVM_OOM_EXIT: Final = 3
"""Of a JVM with -XX:+ExitOnOutOfMemoryError."""
SPARK_OOM_EXIT: Final = 52
"""`SparkExitCode.OOM`: an executor's uncaught OutOfMemoryError."""
HEAP_EXITS: Final = frozenset({JVM_OOM_EXIT, SPARK_OOM_EXIT})
TOO_MANY_EXECUTORS_FAILED: Final = 11
"""`SparkExitCode.EXCEED_MAX_EXECUTOR_FAILURES`."""
KILLED: Final = 137


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorEnd:
    """An executor that didn't end well."""

    name: str
    exit_code: int | None
    reason: str
    """The container's: OOMKilled, Error, …"""
    disruption: str
    """Why Kubernetes took the pod away; empty: it didn't."""
    spot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PodEvidence:
    """What the cluster knows of an attempt that ended without success."""

    end_reason: str = ""
    """Of the driver's container: OOMKilled, Error, …"""
    disruption: str = ""
    """Why Kubernetes took the driver's pod away: EvictionByEvictionAPI, TerminationByKubelet, DeletionByPodGC, …"""
    pod_reason: str = ""
    pod_message: str = ""
    """Of the driver's pod as a whole: Evicted, NodeLost, …"""
    deleted: bool = False
    """The driver's pod was deleted before its end."""
    node: str | None = None
    spot: bool = False
    """Whether the driver's pool is of spot instances."""
    waits_for: Category | None = None
    """IMAGE_PULL, UNSCHEDULABLE or SUBMIT_ERROR: what kept the driver from starting."""
    waits_text: str = ""
    submission_error: str = ""
    """Why the operator could not start the driver."""
    executors: Sequence[ExecutorEnd] = ()
    driver_memory: str = ""
    executor_memory: str = ""
    """As asked for: heap and overhead."""


def never_started(pods: PodEvidence, *, seconds_allowed: int | None) -> Diagnosis | None:
    """It was stopped because it didn't start: what it waited for says more than that its time was up."""
    within = f"within {seconds_allowed} s" if seconds_allowed else "in time"
    if pods.waits_for is Category.IMAGE_PULL:
        return _image_pull(pods, within)
    if pods.waits_for is Category.UNSCHEDULABLE:
        return Diagnosis(
            category=Category.UNSCHEDULABLE,
            summary=f"no node had room for the driver {within}: {pods.waits_text}",
            detail=pods.waits_text,
            resolution="ask for less `driver.memory` or `driver.cores`, or see whether the queue and the pool are full",
        )
    if pods.waits_for is Category.SUBMIT_ERROR:
        return Diagnosis(
            category=Category.SUBMIT_ERROR,
            summary=f"the driver's container could not be made {within}: {pods.waits_text}",
            detail=pods.waits_text,
            resolution="correct what the kubelet complains about: a config map, a secret, a user id, a command",
        )
    return None


def _image_pull(pods: PodEvidence, within: str) -> Diagnosis:
    return Diagnosis(
        category=Category.IMAGE_PULL,
        summary=f"the driver's image could not be pulled {within}: {pods.waits_text}",
        detail=pods.waits_text,
        resolution="check that the image and its tag exist in the registry, and that the nodes may read it",
    )


def of_driver(pods: PodEvidence, exit_code: int | None) -> Diagnosis | None:
    """What the cluster is sure of: who or what ended the driver."""
    for rule in (_submission, _out_of_memory, _evicted, _disrupted, _deadline, _deleted, _unseen):
        found = rule(pods, exit_code)
        if found is not None:
            return found
    return None


_INFRASTRUCTURE = re.compile(
    r"already exist|connection refused|connection reset|timed? ?out|deadline exceeded|TLS handshake|unexpected EOF|"
    r"Service Unavailable|Too Many Requests|signal: killed|failed calling webhook|please apply your changes|"
    # an API server that goes or comes: its answers with 5xx, its admission without caches, its rights not read yet
    r"code=5\d\d\b|code=429\b|internal ?error|etcdserver|unable to handle the request|not yet ready to handle request|"
    r"cannot (create|get|list|watch|patch|delete) resource|broken pipe|no route to host|connection (was )?(closed|aborted)|"
    r"ConnectException|UnknownHostException|SocketException|SocketTimeoutException",
    re.IGNORECASE,
)
"""What a submission fails of that may go well the next time. The operator calls every conflict "driver pod already exist"."""


def _submission(pods: PodEvidence, exit_code: int | None) -> Diagnosis | None:
    error = pods.submission_error
    if not error:
        return None
    quota = re.search(r"exceeded quota[^\n]*", error, re.IGNORECASE)
    if quota is not None:
        return Diagnosis(
            category=Category.QUOTA,
            summary=f"the team's namespace has no room: {quota.group()}",
            detail=error,
            resolution="wait until other jobs of the team end, ask for less, or have the team's quota raised",
            exit_code=exit_code,
        )
    if _INFRASTRUCTURE.search(error):
        return Diagnosis(
            category=Category.LOST,
            summary=f"the operator could not start the driver, and nothing ran: {_last_line(error)}",
            detail=error,
            resolution="Archer repeats it by itself; if it goes on, look at the operator's log and its API server",
            exit_code=exit_code,
        )
    return Diagnosis(
        category=Category.SUBMIT_ERROR,
        summary=f"spark-submit failed: {_last_line(error)}",
        detail=error,
        resolution="correct what Spark complains about, then submit again",
        exit_code=exit_code,
    )


def _out_of_memory(pods: PodEvidence, exit_code: int | None) -> Diagnosis | None:
    if pods.end_reason != OOM_KILLED:
        return None
    return Diagnosis(
        category=Category.OOM_CONTAINER,
        summary=f"the driver used more memory than its container has{_of(pods.driver_memory)}",
        detail=f"the kernel killed it: {OOM_KILLED}, exit code {exit_code}; Python and off-heap memory count as the heap does",
        resolution="raise `driver.memory_overhead` (Python and off-heap memory) or `driver.memory` (heap)",
        exit_code=exit_code,
        role="driver",
    )


def _evicted(pods: PodEvidence, exit_code: int | None) -> Diagnosis | None:
    if pods.pod_reason != "Evicted":
        return None
    if re.search(r"ephemeral|local storage|emptyDir", pods.pod_message) and "exceed" in pods.pod_message:
        return Diagnosis(
            category=Category.USER_ERROR,
            summary=f"the driver wrote more to its disk than it may: {pods.pod_message}",
            detail=pods.pod_message,
            resolution="write less to local files, or ask for a larger scratch volume",
            exit_code=exit_code,
        )
    return _node(pods, f"the node evicted the driver: {pods.pod_message or 'it ran short of something'}", exit_code)


_DISRUPTIONS: Final = {
    "EvictionByEvictionAPI": "its node was drained",
    "TerminationByKubelet": "its node was shut down",
    "DeletionByTaintManager": "its node stopped answering",
    "DeletionByPodGC": "its node is gone",
    "PreemptionByScheduler": "its place was given to a pod of higher priority",
}
"""Reasons of the condition DisruptionTarget."""
_NODE_REASONS: Final = frozenset({"NodeLost", "NodeShutdown", "Shutdown", "NodeAffinity", "Terminated"})


def _disrupted(pods: PodEvidence, exit_code: int | None) -> Diagnosis | None:
    if not pods.disruption and pods.pod_reason not in _NODE_REASONS:
        return None
    words = _DISRUPTIONS.get(pods.disruption) or pods.pod_message or pods.disruption or pods.pod_reason
    return _node(pods, f"the driver was taken away: {words}", exit_code, of_place=pods.disruption)


def _node(pods: PodEvidence, summary: str, exit_code: int | None, *, of_place: str = "") -> Diagnosis:
    spot = pods.spot and of_place != "PreemptionByScheduler"
    return Diagnosis(
        category=Category.SPOT_LOSS if spot else Category.NODE_LOSS,
        summary=summary,
        detail=f"node {pods.node or 'unknown'}; {pods.disruption or pods.pod_reason}: {pods.pod_message or 'no message'}",
        resolution="Archer repeats it by itself; drivers belong on on-demand nodes"
        if spot
        else "Archer repeats it by itself",
        exit_code=exit_code,
        role="driver",
    )


def _deadline(pods: PodEvidence, exit_code: int | None) -> Diagnosis | None:
    if pods.pod_reason != "DeadlineExceeded":
        return None
    return Diagnosis(
        category=Category.TIMEOUT,
        summary="the driver's pod ran for longer than its own activeDeadlineSeconds",
        detail=pods.pod_message,
        resolution="raise the limit, or look in the History Server for what took so long",
        exit_code=exit_code,
    )


def _deleted(pods: PodEvidence, exit_code: int | None) -> Diagnosis | None:
    if not pods.deleted:
        return None
    return _lost(
        "the driver was deleted while it ran, and not by Archer",
        f"node {pods.node or 'unknown'}; exit code {exit_code}",
        exit_code,
    )


def _unseen(pods: PodEvidence, exit_code: int | None) -> Diagnosis | None:
    if exit_code is not None or pods.waits_for is not None:
        return None
    said = " ".join(filter(None, (pods.pod_reason, pods.pod_message)))
    return _lost("the driver ended, and nobody saw how", said or f"node {pods.node or 'unknown'}", exit_code)


def _lost(summary: str, detail: str, exit_code: int | None) -> Diagnosis:
    return Diagnosis(
        category=Category.LOST,
        summary=summary,
        detail=detail,
        resolution="Archer repeats it by itself at most twice; if it happens again, look for what deletes pods in the namespace",
        exit_code=exit_code,
        role="driver",
    )


_EXECUTORS_BLAMED = re.compile(
    r"ExecutorLostFailure|executor failures|[Ee]xecutor.{0,80}exited|Python worker exited|SparkContext was shut down|"
    r"context stopped while waiting for backend|FetchFailed|Lost executor"
)


def of_executors(pods: PodEvidence, exit_code: int | None, log: str) -> Diagnosis | None:
    """A driver that failed because its executors did; those that Spark got over are not its reason."""
    if exit_code in HEAP_EXITS or not pods.executors or not _blames_executors(exit_code, log):
        return None
    killed = [each for each in pods.executors if each.reason == OOM_KILLED]
    if killed:
        return _executor_oom(pods, killed, exit_code)
    full = [each for each in pods.executors if each.exit_code in HEAP_EXITS]
    if full:
        return Diagnosis(
            category=Category.OOM_HEAP,
            summary=f"{_count(full)} ran out of JVM heap{_of(pods.executor_memory)}",
            detail=_list(full),
            resolution="raise `executor.memory`, or use more partitions",
            exit_code=exit_code,
            role="executor",
        )
    gone = [each for each in pods.executors if each.disruption]
    if not gone:
        return None
    spot = any(each.spot for each in gone)
    return Diagnosis(
        category=Category.SPOT_LOSS if spot else Category.NODE_LOSS,
        summary=f"{_count(gone)} {'was' if len(gone) == 1 else 'were'} taken away with the {'spot ' if spot else ''}node",
        detail=_list(gone),
        resolution="Archer repeats it by itself; decommissioning and Celeborn let a job survive it",
        exit_code=exit_code,
        role="executor",
    )


def _executor_oom(pods: PodEvidence, killed: Sequence[ExecutorEnd], exit_code: int | None) -> Diagnosis:
    # only a worker was killed: the JVM beside it left cleanly afterwards (cgroup v1, or memory.oom.group off)
    worker = all(each.exit_code != KILLED for each in killed)
    return Diagnosis(
        category=Category.OOM_PYTHON if worker else Category.OOM_CONTAINER,
        summary=(
            f"a Python worker of {_count(killed)} used more memory than the container has{_of(pods.executor_memory)}"
            if worker
            else f"{_count(killed)} used more memory than the container has{_of(pods.executor_memory)}"
        ),
        detail=_list(killed),
        resolution="raise `executor.memory_overhead` (Python and off-heap memory) or `executor.memory` (heap), "
        "or use more partitions",
        exit_code=exit_code,
        role="executor",
    )


def _blames_executors(exit_code: int | None, log: str) -> bool:
    if exit_code == TOO_MANY_EXECUTORS_FAILED or not log.strip():
        return True
    return bool(_EXECUTORS_BLAMED.search(last_words(log)))


def last_words(log: str) -> str:
    """The error that ended the program and what follows it; without one, the last lines."""
    start = max(log.rfind("Traceback (most recent call last):"), log.rfind("Exception in thread "))
    return log[start:] if start >= 0 else "\n".join(log.splitlines()[-40:])


def _count(ends: Sequence[ExecutorEnd]) -> str:
    return "an executor" if len(ends) == 1 else f"{len(ends)} executors"


def _list(ends: Sequence[ExecutorEnd]) -> str:
    return "\n".join(
        f"{each.name}: exit code {each.exit_code}, {each.reason or 'no reason'}"
        + (f", {each.disruption}" if each.disruption else "")
        for each in list(ends)[:20]
    )


def _of(memory: str) -> str:
    return f" ({memory})" if memory else ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"Exception|Error|error|forbidden|exist", line)]
    return (errors[-1:] or lines or [text])[0][:160]
