"""From what is known of an application and its pods to what that means: the table of the operator's states.

Pure: records in, one verdict out. Two witnesses are compared, the operator's status and the driver's pod. An explicit COMPLETED
is success; the driver's own exit code 0 counts as much where the operator lost sight of it (decision 0007). Whatever rests
on something being absent is `UNSURE` until the absence was confirmed by a live read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from archer.backends.interface import Observation, Phase
from archer.backends.kubernetes.records import ApplicationRecord, DriverRecord, ExecutorRecord
from archer.model import Category
from archer.pod_diagnosis import HEAP_EXITS, OOM_KILLED

NOT_FOUND: Final = "driver pod not found"
"""The operator's words for a driver that its cache doesn't have: gone, or not there yet, or never made."""

SETTLING: Final = "its driver failed; its executors are heard"
"""A substate that passes with time alone."""

_STEPS: Final = (3600, 1800, 600, 300, 120, 60, 30)
"""Ages are told in steps, so that waiting writes a few entries of history and not one per look."""
_SILENT_SECONDS: Final = 1800
"""After which a driver's own end is believed although the operator still says that the job runs: it was seen to lag for as long
(https://www.kubeflow.org/docs/components/spark-operator/performance/benchmarking/), and for ever where it is gone."""
_LATE_SECONDS: Final = 60
_IMAGE: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
)
_BEING_MADE: Final = frozenset({"ContainerCreating", "PodInitializing"})
_UP: Final = frozenset({"RUNNING", "SUCCEEDING", "FAILING", "UNKNOWN"})
_EDITED: Final = frozenset({"INVALIDATING", "PENDING_RERUN", "SUSPENDING", "SUSPENDED", "RESUMING"})
_STOPPED: Final = frozenset({137, 143})
"""Exit codes after SIGKILL and SIGTERM."""
_EXIT: Final = re.compile(r"ExitCode: (-?\d+), Reason: (\w*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Executors:
    """An attempt's executors."""

    failed: Sequence[ExecutorRecord] = ()
    """Those that ended badly."""
    running: int = 0
    pending: int = 0
    ended: int = 0
    stuck: str = ""
    """Why one of them finds no node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of an attempt at this moment."""

    application: ApplicationRecord | None
    driver: DriverRecord | None
    executors: Executors = Executors()
    now: int
    """Seconds since 1970."""
    confirmed: bool = False
    """What is None was asked for, and the API server answered that it isn't there."""
    stopped_for: str | None = None
    """Why Archer asked for the end, as far as this process remembers; a driver that was there has it written on it."""
    gone: DriverRecord | None = None
    """The driver as it was last seen before it went."""
    settle_seconds: int = 0
    """How long executors may take to tell how they ended, once their driver failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """It ended; why it failed is the evidence's to tell."""

    succeeded: bool
    exit_code: int | None
    stopped_for: str | None = None
    submission_error: str = ""
    note: str = ""
    """How a success is known that the operator didn't say."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """Something isn't in the cache that would have to be asked for."""


UNSURE: Final = Unsure()
Verdict = Observation | End | Unsure


def judge(facts: Facts) -> Verdict:
    """What the facts mean."""
    app, driver = facts.application, facts.driver
    if app is None and driver is None:
        return _nothing_lives(facts)
    if app is not None and app.state == "COMPLETED":
        return _ended(facts, succeeded=True, exit_code=0)
    if app is not None and app.state == "FAILED":
        return _failed(facts, app)
    if app is None or app.deleting:
        return _without_application(facts)
    if driver is not None and _is_enough(app, driver, facts.now):
        return _by_driver(facts, driver)
    return _living(facts, app)


def _is_enough(app: ApplicationRecord, driver: DriverRecord, now: int) -> bool:
    """Whether a driver's end is the attempt's, although the operator says that it goes on."""
    if not driver.ended:
        return False
    if app.state in _EDITED:
        # the operator waits for this driver to go, and would run the job again
        return True
    if driver.end is None:
        # deleted before it began, or with its node: the operator may wait for ever
        return driver.deleted is not None
    return driver.finished is not None and now - driver.finished >= _SILENT_SECONDS


def _nothing_lives(facts: Facts) -> Verdict:
    """There is no driver, and the operator has no application or has given it up."""
    app = facts.application
    if not facts.confirmed:
        return UNSURE
    if facts.stopped_for is not None:
        return End(succeeded=False, exit_code=None, stopped_for=facts.stopped_for)
    if app is not None and NOT_FOUND not in app.error:
        return End(succeeded=False, exit_code=None, submission_error=app.error or "the operator gave no reason")
    said = "its application and its driver are gone" if app is None else f"the operator says: {app.error}"
    return _by_last_seen(facts) or Observation(
        phase=Phase.VANISHED,
        spark_app_id=None if app is None else app.app_id,
        last_seen=f"{said}; {_last_seen(facts)}",
    )


def _by_last_seen(facts: Facts) -> End | None:
    """A driver that went in spite of our finalizer, and had told how it ended before that (D15)."""
    gone = facts.gone
    code = None if gone is None or gone.end is None else gone.end.exit_code
    if gone is None or code is None or (code == 0 and not gone.held):
        return None
    return _told_by_driver(replace(facts, driver=gone), code)


def _last_seen(facts: Facts) -> str:
    gone = facts.gone
    if gone is None:
        return "no driver of it was ever seen"
    where = f" on node {gone.node}" if gone.node else ""
    return f"its driver was last seen {gone.phase or 'without a phase'}{where}"


def _failed(facts: Facts, app: ApplicationRecord) -> Verdict:
    driver, told = facts.driver, _EXIT.search(app.error)
    if told is not None:
        code = int(told[1]) if driver is None or driver.end is None else driver.end.exit_code
        return _settled(facts, _ended(facts, succeeded=False, exit_code=code))
    if driver is None:
        return _nothing_lives(facts)
    if driver.ended:
        return _by_driver(facts, driver)
    # whatever the operator thinks of it (a conflict at its submission, a pod that came late), the driver lives
    return _alive(facts, driver, f"the operator has given it up ({app.error}); its driver goes on")


def _without_application(facts: Facts) -> Verdict:
    driver = facts.driver
    if driver is None:
        return Observation(phase=Phase.STARTING, substate="stopping", **_links(facts))
    if driver.ended:
        return UNSURE if facts.application is None and not facts.confirmed else _by_driver(facts, driver)
    asked = driver.stopped_for is not None or facts.stopped_for is not None
    stopping = asked or driver.deleted is not None or facts.application is not None
    if not stopping and not facts.confirmed:
        # after a broken watch, pods may be known before their applications
        return UNSURE
    return _alive(facts, driver, "stopping" if stopping else "its application was deleted; its driver goes on")


def _by_driver(facts: Facts, driver: DriverRecord) -> Verdict:
    """The driver's own end is the result."""
    return _settled(facts, _told_by_driver(facts, exit_code_of(driver)))


def _told_by_driver(facts: Facts, exit_code: int | None) -> End:
    end, app = _ended(facts, succeeded=exit_code == 0, exit_code=exit_code), facts.application
    if not end.succeeded:
        return end
    said = (
        "its application was deleted" if app is None or app.deleting else f"the operator says {app.state}: {app.error}"
    )
    return replace(end, note=f"; seen on its pod, which Archer's finalizer had kept ({said.rstrip(': ')})")


def exit_code_of(driver: DriverRecord) -> int | None:
    """The exit code of Spark's container; None when nobody saw it."""
    if driver.end is not None:
        return driver.end.exit_code
    return 0 if driver.phase == "Succeeded" else None


def _ended(facts: Facts, *, succeeded: bool, exit_code: int | None) -> End:
    why = facts.stopped_for
    driver = facts.driver
    if driver is not None:
        why = driver.stopped_for or why
        if ended_by_itself(driver):
            why = None
    elif succeeded:
        why = None
    # a program may answer SIGTERM with exit code 0: it was stopped all the same
    return End(succeeded=succeeded and why is None, exit_code=exit_code, stopped_for=why)


def ended_by_itself(driver: DriverRecord) -> bool:
    """Whether it had ended before anybody asked for its end."""
    if driver.deleted is None:
        return driver.ended
    finished = driver.finished
    if finished is None or driver.end is None:
        return False
    if driver.stopped_for is not None and driver.end.exit_code in _STOPPED and driver.end.reason != OOM_KILLED:
        # how a stop ends a program, whatever the node's clock says: it may be behind the API server's
        return False
    # times have whole seconds: in the same second a success is its own, and anything else is the stop's doing
    return finished < driver.deleted or (finished == driver.deleted and exit_code_of(driver) == 0)


def _settled(facts: Facts, end: End) -> Verdict:
    """Give executors time to tell how they ended, where that may be the reason."""
    driver, waiting = facts.driver, facts.executors.running + facts.executors.pending
    if (
        driver is None
        or driver.end is None
        or end.succeeded
        or end.stopped_for
        or not waiting
        or facts.executors.failed
    ):
        return end
    told = (
        driver.end.reason == OOM_KILLED
        or end.exit_code in HEAP_EXITS
        or driver.disruption
        or driver.deleted is not None
    )
    finished = driver.end.finished or facts.now
    if told or facts.now - finished >= facts.settle_seconds:
        return end
    return Observation(phase=Phase.RUNNING, substate=SETTLING, **_links(facts))


def _living(facts: Facts, app: ApplicationRecord) -> Observation:
    driver = facts.driver
    if app.state in _UP or (driver is not None and (driver.started or driver.ended)):
        return Observation(phase=Phase.RUNNING, substate=_running_substate(facts, app), **_links(facts))
    if app.state in _EDITED:
        substate = f"somebody changed its application: the operator says {app.state}"
        return Observation(phase=Phase.STARTING, substate=substate, **_links(facts))
    if driver is not None:
        return _alive(facts, driver, "")
    if app.state == "SUBMISSION_FAILED":
        substate = f"the operator could not submit it: {app.error}"[:200]
    elif app.state == "":
        age = _step(facts.now - app.created)
        substate = "waits for the operator" if age is None else f"the operator has not taken it up for over {age} s"
        return Observation(phase=Phase.STARTING, substate=substate, stuck=Category.LOST, **_links(facts))
    elif app.state == "SUBMITTED":
        substate = "its driver is being made"
    else:
        substate = f"the operator says {app.state}"
    return Observation(phase=Phase.STARTING, substate=substate, **_links(facts))


def _running_substate(facts: Facts, app: ApplicationRecord) -> str | None:
    driver = facts.driver
    if driver is not None and driver.ended:
        late = None if driver.finished is None else _step(facts.now - driver.finished)
        if late is not None and late >= _LATE_SECONDS:
            return f"its driver ended over {late} s ago, and the operator has not said so"
        return None
    if driver is not None and driver.deleted is not None:
        return "stopping"
    if app.state == "UNKNOWN":
        return "its driver's node does not answer"
    if facts.executors.stuck and not facts.executors.running:
        return f"executors are pending: {facts.executors.stuck}"[:200]
    return None


def _alive(facts: Facts, driver: DriverRecord, substate: str) -> Observation:
    """By a driver that hasn't ended."""
    if driver.started:
        return Observation(phase=Phase.RUNNING, substate=substate or None, **_links(facts))
    waits_for, why = waiting(driver)
    return Observation(phase=Phase.STARTING, substate=(substate or why or None), stuck=waits_for, **_links(facts))


def waiting(driver: DriverRecord) -> tuple[Category | None, str]:
    """Why a driver doesn't start: a category when something is wrong, and words for people."""
    if driver.deleted is not None:
        return None, "stopping"
    if driver.waiting in _IMAGE:
        return Category.IMAGE_PULL, f"image pull: {driver.image or driver.waiting_message}"[:200]
    if driver.waiting and driver.waiting not in _BEING_MADE:
        said = ": ".join(filter(None, (driver.waiting, driver.waiting_message)))
        return Category.SUBMIT_ERROR, f"its driver can't be made: {said}"[:200]
    if driver.node is None and driver.pending:
        return Category.UNSCHEDULABLE, f"driver is pending: {driver.pending}"[:200]
    return None, "driver is pending" if driver.node is None else "its driver's container is being made"


def _links(facts: Facts) -> dict[str, Any]:
    app = facts.application
    return {"spark_app_id": None, "ui_url": None} if app is None else {"spark_app_id": app.app_id, "ui_url": app.ui_url}


def _step(seconds: int) -> int | None:
    return next((step for step in _STEPS if seconds >= step), None)
