"""From records and the attempt's own specification to the evidence that a diagnosis reads.

Pure. It chooses nothing: what the evidence means is `archer.diagnosis`' business.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from archer.backends.kubernetes.observation import End, Facts, ended_by_itself, waiting
from archer.backends.kubernetes.records import ApplicationRecord, DriverRecord, ExecutorRecord
from archer.diagnosis import Evidence
from archer.model import Category
from archer.pod_diagnosis import OOM_KILLED, ExecutorEnd, PodEvidence

MAX_EXECUTORS: Final = 50
"""Failed executors that are told of; the first ones are the cause, and thousands may follow."""

_WAITED_FOR: Final = frozenset({Category.IMAGE_PULL, Category.UNSCHEDULABLE, Category.SUBMIT_ERROR})


def collect(
    facts: Facts, end: End, *, spec: Mapping[str, Any], log: str, spot: Collection[str], no_log: str = ""
) -> Evidence:
    """All that is known of an attempt that ended; `spot` names the pools whose nodes may be taken back.

    `no_log`: why `log` is empty, where it should not be.
    """
    body = spec.get("spec") or {}
    return Evidence(
        application=str(body.get("mainApplicationFile") or ""),
        exit_code=end.exit_code,
        stopped_for=end.stopped_for,
        heap=_heap(body, "driver"),
        driver_log=log,
        stdout=log,
        no_log=no_log,
        conf_keys=frozenset(body.get("sparkConf") or ()),
        application_started=_started(facts.application, facts.driver or facts.gone),
        pods=_pods(facts, end, body, spot),
    )


def _pods(facts: Facts, end: End, body: Mapping[str, Any], spot: Collection[str]) -> PodEvidence:
    driver = facts.driver or facts.gone
    executors = [_executor(each, spot) for each in list(facts.executors.failed)[:MAX_EXECUTORS]]
    common: dict[str, Any] = {
        "submission_error": end.submission_error,
        "executors": tuple(executors),
        "driver_memory": _memory(body, "driver"),
        "executor_memory": _memory(body, "executor"),
    }
    if driver is None:
        return PodEvidence(end_reason=_told_reason(facts.application), **common)
    waits_for, waits_text = _waited_for(driver)
    return PodEvidence(
        end_reason=driver.end.reason if driver.end else _told_reason(facts.application),
        disruption=driver.disruption,
        pod_reason=driver.reason,
        pod_message=driver.message,
        deleted=driver.deleted is not None and end.stopped_for is None and not ended_by_itself(driver),
        node=driver.node,
        spot=driver.pool in spot,
        waits_for=waits_for,
        waits_text=waits_text,
        **common,
    )


def _waited_for(driver: DriverRecord) -> tuple[Category | None, str]:
    """What kept it from starting: as Archer wrote down when it ended it, or as it still says."""
    word, _, text = (driver.waited_for or "").partition(": ")
    if word in _WAITED_FOR:
        return Category(word), text
    if driver.started:
        return None, driver.waiting_message
    # one that is being deleted waits for nothing any more; what it had waited for may still be written there
    waits_for, why = waiting(replace(driver, deleted=None))
    return waits_for, driver.waiting_message or why


def _executor(record: ExecutorRecord, spot: Collection[str]) -> ExecutorEnd:
    lost = record.reason if record.reason in {"NodeLost", "NodeShutdown", "Shutdown", "Terminated"} else ""
    return ExecutorEnd(
        name=record.name,
        exit_code=record.end.exit_code,
        reason=record.end.reason,
        disruption=record.disruption or lost,
        spot=record.pool in spot,
    )


def _told_reason(app: ApplicationRecord | None) -> str:
    """Of a driver that nobody has any more: the operator wrote its reason down."""
    return OOM_KILLED if app is not None and f"Reason: {OOM_KILLED}" in app.error else ""


def _started(app: ApplicationRecord | None, driver: DriverRecord | None) -> bool:
    return bool(app is not None and app.app_id) or bool(driver is not None and driver.started)


def _heap(body: Mapping[str, Any], role: str) -> str | None:
    memory = (body.get(role) or {}).get("memory")
    return str(memory) if memory else None


def _memory(body: Mapping[str, Any], role: str) -> str:
    heap, overhead = _heap(body, role), (body.get(role) or {}).get("memoryOverhead")
    if heap is None:
        return ""
    return f"heap {heap} and overhead {overhead}" if overhead else f"heap {heap} and its overhead"
