"""What is kept of an application and of a pod: the few fields that a verdict needs, a few hundred bytes each.

Pure: a manifest in, a record out. A manifest that lacks a field is normal (pods are born without a status), so nothing here
raises. Words that repeat are interned, and of an executor that is well only one small record for all is kept.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from archer.backends.kubernetes import names
from archer.pod_diagnosis import OOM_KILLED

MAX_TEXT: Final = 500
"""Characters kept of a message."""

_FAILED: Final = "Failed"
_ENDED_PHASES: Final = frozenset({"Succeeded", _FAILED})
_UNKNOWN_END: Final = "ContainerStatusUnknown"
"""The kubelet's word for a container that it lost: the exit code 137 beside it is invented."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRecord:
    """A SparkApplication. Times are whole seconds since 1970.

    What the operator counts of executors isn't kept: it would make each of thousands of executors news of its attempt.
    """

    name: str
    uid: str
    state: str
    """The operator's word; empty while it has not taken it up."""
    error: str
    app_id: str | None
    """Spark's id of the application."""
    created: int
    deleting: bool
    ui_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a container ended."""

    exit_code: int | None
    """None: it ended, and nobody saw how."""
    reason: str
    finished: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverRecord:
    """A driver's pod. Times are whole seconds since 1970."""

    name: str
    uid: str
    phase: str
    end: End | None
    """Of Spark's own container; None while it hasn't ended."""
    started: bool
    """Whether Spark's container ever ran."""
    created: int
    deleted: int | None
    """When somebody asked for its deletion; None: nobody did."""
    removed: bool
    """It is being deleted without any grace that is left: nothing but finalizers keeps it."""
    node: str | None
    pool: str | None
    """Name of the pool that it was made for."""
    pending: str
    """Why no node was found for it yet."""
    waiting: str
    """The kubelet's word for why its container doesn't run: ImagePullBackOff, …"""
    waiting_message: str
    image: str
    disruption: str
    """Reason of the condition DisruptionTarget: who took it away."""
    reason: str
    message: str
    """Of the pod as a whole: Evicted, NodeLost, …"""
    stopped_for: str | None
    """Why Archer ended it."""
    waited_for: str | None
    """What it waited for when Archer ended it: `category: text`."""
    held: bool
    """Whether our finalizer keeps it."""
    installation: str | None = None
    """Whose it is, where several Archers share the namespace; None: made before that was written down."""

    @property
    def finished(self) -> int | None:
        """When Spark's own container ended, as far as is known."""
        return None if self.end is None else self.end.finished

    @property
    def ended(self) -> bool:
        """Nothing of it runs any more, and nothing ever will."""
        # deleted before a node was found, or before its kubelet had started anything
        never = self.deleted is not None and not self.started and (self.node is None or self.removed)
        return self.end is not None or self.phase in _ENDED_PHASES or never


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorRecord:
    """What is kept of an executor that failed, or that waits."""

    name: str
    end: End
    disruption: str
    reason: str
    pool: str | None
    pending: str


@dataclass(frozen=True, slots=True)
class Plain:
    """An executor of which nothing needs to be told but what it does."""

    kind: str


RUNNING: Final = Plain("running")
PENDING: Final = Plain("pending")
WELL: Final = Plain("ended")
"""Shared by all executors that are well."""

Pools = Sequence[tuple[str, Mapping[str, str]]]
"""Name and node selector of each pool."""


def application(manifest: Mapping[str, Any]) -> ApplicationRecord:
    """The record of a SparkApplication."""
    metadata, status = manifest.get("metadata") or {}, manifest.get("status") or {}
    state = status.get("applicationState") or {}
    return ApplicationRecord(
        name=metadata.get("name", ""),
        uid=metadata.get("uid", ""),
        state=sys.intern(str(state.get("state") or "")),
        error=_cut(state.get("errorMessage")),
        app_id=status.get("sparkApplicationId") or None,
        created=seconds(metadata.get("creationTimestamp")) or 0,
        deleting=bool(metadata.get("deletionTimestamp")),
        ui_url=(status.get("driverInfo") or {}).get("webUIIngressAddress") or None,
    )


def driver(manifest: Mapping[str, Any], pools: Pools = ()) -> DriverRecord:
    """The record of a driver's pod."""
    metadata, status = manifest.get("metadata") or {}, manifest.get("status") or {}
    annotations, spec = metadata.get("annotations") or {}, manifest.get("spec") or {}
    container = _container(status, names.DRIVER_CONTAINER)
    waiting = (container.get("state") or {}).get("waiting") or {}
    return DriverRecord(
        name=metadata.get("name", ""),
        uid=metadata.get("uid", ""),
        phase=sys.intern(status.get("phase") or ""),
        end=_end(container),
        started=bool((container.get("state") or {}).keys() & {"running", "terminated"}),
        created=seconds(metadata.get("creationTimestamp")) or 0,
        deleted=_deleted(metadata),
        removed=bool(metadata.get("deletionTimestamp")) and not metadata.get("deletionGracePeriodSeconds"),
        node=_interned(spec.get("nodeName")),
        pool=_pool(spec, pools),
        pending=_pending(status),
        waiting=sys.intern(waiting.get("reason") or ""),
        waiting_message=_cut(waiting.get("message")),
        image=sys.intern(container.get("image") or ""),
        disruption=_disruption(status),
        reason=sys.intern(status.get("reason") or ""),
        message=_cut(status.get("message")),
        stopped_for=_interned(annotations.get(names.STOPPED_ANNOTATION)),
        waited_for=annotations.get(names.WAITED_ANNOTATION),
        held=names.FINALIZER in (metadata.get("finalizers") or ()),
        installation=_interned((metadata.get("labels") or {}).get(names.INSTALLATION_LABEL)),
    )


def executor(manifest: Mapping[str, Any], pools: Pools = ()) -> ExecutorRecord | Plain:
    """The record of an executor's pod: of one that is well, the shared one."""
    metadata, status = manifest.get("metadata") or {}, manifest.get("status") or {}
    phase, end = status.get("phase") or "", _end(_container(status, names.EXECUTOR_CONTAINER))
    disruption, reason, pending = _disruption(status), status.get("reason") or "", _pending(status)
    if end is None and phase not in _ENDED_PHASES:
        if phase == "Running":
            return RUNNING
        if not pending:
            return PENDING
    end = end or End(exit_code=None, reason="", finished=None)
    # exit code 0 with this reason: only a worker process was killed, and the JVM left cleanly afterwards
    if phase == "Succeeded" and end.exit_code in {0, None} and end.reason != OOM_KILLED:
        return WELL
    return ExecutorRecord(
        name=metadata.get("name", ""),
        end=end,
        disruption=disruption,
        reason=sys.intern(reason),
        pool=_pool(manifest.get("spec") or {}, pools),
        pending="" if phase in _ENDED_PHASES else pending,
    )


def seconds(time: Any) -> int | None:
    """Seconds since 1970 of a time as Kubernetes writes it; None for none."""
    if not time:
        return None
    return int(datetime.fromisoformat(time).timestamp())


def _deleted(metadata: Mapping[str, Any]) -> int | None:
    """When the deletion was asked for: `deletionTimestamp` is when its grace ends."""
    end = seconds(metadata.get("deletionTimestamp"))
    return None if end is None else end - int(metadata.get("deletionGracePeriodSeconds") or 0)


def _container(status: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    statuses: Sequence[Mapping[str, Any]] = status.get("containerStatuses") or ()
    by_name = [each for each in statuses if each.get("name") == name]
    return (by_name or [*statuses, {}])[0]


def _end(container: Mapping[str, Any]) -> End | None:
    terminated = (container.get("state") or {}).get("terminated")
    if not terminated:
        return None
    reason = sys.intern(terminated.get("reason") or "")
    return End(
        exit_code=None if reason == _UNKNOWN_END else int(terminated.get("exitCode") or 0),
        reason=reason,
        finished=seconds(terminated.get("finishedAt")),
    )


def _condition(status: Mapping[str, Any], kind: str, value: str) -> Mapping[str, Any]:
    return next(
        (each for each in status.get("conditions") or () if each.get("type") == kind and each.get("status") == value),
        {},
    )


def _pending(status: Mapping[str, Any]) -> str:
    condition = _condition(status, "PodScheduled", "False")
    return _cut(condition.get("message") or condition.get("reason"))


def _disruption(status: Mapping[str, Any]) -> str:
    return sys.intern(_condition(status, "DisruptionTarget", "True").get("reason") or "")


def _pool(spec: Mapping[str, Any], pools: Pools) -> str | None:
    selector = spec.get("nodeSelector") or {}
    return next((name for name, wanted in pools if wanted and wanted.items() <= selector.items()), None)


def _interned(text: str | None) -> str | None:
    return None if text is None else sys.intern(text)


def _cut(text: Any) -> str:
    words = str(text or "").strip()
    return words if len(words) <= MAX_TEXT else f"{words[: MAX_TEXT - 1]}…"
