"""The status machine: one pass over one application, by its state. Reads from the caches, writes to the API server.

After `internal/controller/sparkapplication/controller.go` of the operator 2.5.2, row by row: the reference is the code, and
its faults are kept where Archer has to live with them (a conflict after a submission submits again; a driver that the
cache has not got has failed). Every pass may be repeated at any time.
"""

import copy
import logging
import math
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from testbed.spark_operator import application as apps
from testbed.spark_operator.events import Recorder
from testbed.spark_operator.executor_states import update_executor_states
from testbed.spark_operator.informer import Cache
from testbed.spark_operator.kube import APPLICATIONS, PODS, ApiError, Client, Object
from testbed.spark_operator.options import Options
from testbed.spark_operator.spark_submit import SubmitError, pod_delay, submit
from testbed.spark_operator.submission import submission_of
from testbed.spark_operator.web_ui import WebUi, delete_if_there
from testbed.spark_operator.workqueue import Key

_LOG = logging.getLogger("sparkapplication")
_CONFLICT_PAUSES: Final = (0.01, 0.01, 0.01, 0.01, 0.01)
_SUSPENDABLE_NOT: Final = apps.TERMINAL | {apps.SUSPENDED, apps.SUSPENDING}


class ReconcileError(Exception):
    """The pass did not succeed; the key comes again after the rate limiter's delay."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What the queue is to do with the key after a pass without an error."""

    again: bool = False
    after: float | None = None
    """Seconds; None means never."""


DONE: Final = Result()


@dataclass(frozen=True, kw_only=True)
class Reconciler:
    """Does the passes; safe for any number of workers, because a key has one worker at a time."""

    client: Client
    applications: Cache
    pods: Cache
    web_ui: WebUi
    recorder: Recorder
    options: Options

    def reconcile(self, key: Key) -> Result:
        """Do one pass. Raises ReconcileError, ApiError or OSError when it is to be done again."""
        app = self.applications.get(*key)
        if app is None:
            return DONE
        if app["metadata"].get("deletionTimestamp"):
            self._delete_resources(app)
            return DONE
        state = apps.state_of(app)
        if app["spec"].get("suspend") and state not in _SUSPENDABLE_NOT:
            return self._change(key, None, lambda app: _set_state(app, apps.SUSPENDING))
        if state in apps.TERMINAL:
            return self._terminated(app)
        steps: dict[str, Callable[[Object], Result | None]] = {
            apps.NEW: self._submit,
            apps.SUBMITTED: self._submitted,
            apps.RUNNING: self._observe,
            apps.UNKNOWN: self._observe,
            apps.SUCCEEDING: self._succeeding,
            apps.FAILING: self._failing,
            apps.SUBMISSION_FAILED: self._submission_failed,
            apps.PENDING_RERUN: self._pending_rerun,
            apps.INVALIDATING: self._invalidating,
            apps.SUSPENDING: self._suspending,
            apps.SUSPENDED: self._suspended,
            apps.RESUMING: self._resuming,
        }
        step = steps.get(state)
        return DONE if step is None else self._change(key, state, step)

    def _change(self, key: Key, state: str | None, step: Callable[[Object], Result | None]) -> Result:
        """Apply `step` to a copy of the cached application and write its status; on a conflict do both again."""
        for pause in _CONFLICT_PAUSES:
            cached = self.applications.get(*key)
            if cached is None:
                raise ReconcileError(f"SparkApplication {key[1]!r} not found")
            if state is not None and apps.state_of(cached) != state:
                return DONE
            app = {**cached, "status": copy.deepcopy(cached.get("status", {}))}
            app["status"].setdefault("driverInfo", {})
            result = step(app) or DONE
            try:
                self._write_status(app, cached)
            except ApiError as error:
                if error.reason != "Conflict":
                    raise
                time.sleep(pause)
            else:
                return result
        raise ReconcileError(f"the status of {key[1]!r} changed five times meanwhile")

    def _write_status(self, app: Object, before: Object | None = None) -> None:
        """Replace the status; nothing is written when it is the same, as the API server would make nothing of it."""
        status = app["status"]
        for field in ("lastSubmissionAttemptTime", "terminationTime"):
            status.setdefault(field, None)
        status.setdefault("applicationState", {"state": apps.NEW})
        if before is None or status != before.get("status"):
            namespace, name = apps.name_of(app)
            self.client.replace(APPLICATIONS.path(namespace, name, "status"), app)

    def invalidate(self, app: Object) -> None:
        """Set INVALIDATING on this very version of `app`. Raises ApiError, a conflict included."""
        changed = {**app, "status": copy.deepcopy(app.get("status", {}))}
        changed["status"].setdefault("driverInfo", {})
        _set_state(changed, apps.INVALIDATING)
        self._write_status(changed)

    # -- submission

    def _submit(self, app: Object) -> None:
        status = app["status"]
        status["submissionID"] = str(uuid.uuid4())
        status["driverInfo"]["podName"] = apps.driver_pod_name(app)
        status["lastSubmissionAttemptTime"] = apps.timestamp(datetime.now(UTC))
        status["submissionAttempts"] = status.get("submissionAttempts", 0) + 1
        submission = submission_of(app)
        try:
            if (delay := pod_delay(submission.conf)) == 0:
                submit(self.client, submission, with_objects=self.options.driver_objects)
            elif delay < math.inf:
                threading.Timer(delay, self._submit_late, [app]).start()
        except SubmitError as error:
            # the state before the failure is recorded once more, as the operator does
            self.recorder.application(app)
            status["applicationState"] = {"state": apps.SUBMISSION_FAILED, "errorMessage": _submit_message(error)}
        else:
            status["applicationState"] = {"state": apps.SUBMITTED}
            status["executionAttempts"] = status.get("executionAttempts", 0) + 1
        self.recorder.application(app)

    def _submit_late(self, app: Object) -> None:
        try:
            submit(self.client, submission_of(app), with_objects=self.options.driver_objects)
        except (SubmitError, OSError) as error:
            _LOG.error("a late submission failed: %s", error)

    def _submission_failed(self, app: Object) -> Result | None:
        if not apps.should_retry(app):
            _set_state(app, apps.FAILED)
            app["status"]["terminationTime"] = apps.timestamp(datetime.now(UTC))
            self.recorder.application(app)
            return None
        if (wait := _seconds_until_retry(app)) > 0:
            return Result(after=wait)
        if not self._resources_gone(app):
            self._delete_resources(app)
            raise ReconcileError(f"resources of {app['metadata']['name']!r} needed to be deleted")
        self._submit(app)
        return None

    def _pending_rerun(self, app: Object) -> None:
        # nothing asks for another pass: the driver pod's deletion does
        if self._resources_gone(app):
            self.recorder.application(app)
            self._submit(app)

    def _resuming(self, app: Object) -> None:
        self.recorder.application(app)
        self._submit(app)

    # -- observation

    def _submitted(self, app: Object) -> None:
        self._observe(app)
        self.web_ui.create(app)

    def _observe(self, app: Object) -> None:
        self._observe_driver(app)
        update_executor_states(app, self._executors(app), self.options.max_tracked_executor_per_app, self.recorder)

    def _observe_driver(self, app: Object) -> None:
        status, now = app["status"], datetime.now(UTC)
        namespace, _name = apps.name_of(app)
        pod_name = status["driverInfo"].get("podName")
        if not pod_name:
            raise ReconcileError(f"empty driver pod name with application state {apps.state_of(app)}")
        pod = self.pods.get(namespace, pod_name)
        if pod is None:
            since = (now - (apps.parse_timestamp(status["lastSubmissionAttemptTime"]) or now)).total_seconds()
            if apps.state_of(app) == apps.SUBMITTED and since <= self.options.driver_pod_creation_grace_period:
                raise ReconcileError("driver pod not found, while inside the grace period")
            _set_state(app, apps.FAILING)
            status["applicationState"]["errorMessage"] = "driver pod not found"
            status["terminationTime"] = apps.timestamp(now)
            return
        status["sparkApplicationId"] = pod["metadata"].get("labels", {}).get(apps.LABEL_SELECTOR, "")
        driver = apps.driver_state(pod)
        if driver in ("COMPLETED", "FAILED"):
            status["terminationTime"] = status.get("terminationTime") or apps.timestamp(now)
        if driver == "FAILED":
            _set_driver_error(status["applicationState"], pod)
        state = apps.application_state(driver)
        if state != apps.state_of(app):
            self.recorder.driver(app, driver, pod_name)
            _set_state(app, state)

    def _executors(self, app: Object) -> list[Object]:
        namespace, name = apps.name_of(app)
        labels = {apps.LABEL_ROLE: "executor"}
        if submission := app["status"].get("submissionID"):
            labels[apps.LABEL_SUBMISSION] = submission
        return [
            pod for pod in self.pods.indexed(namespace, name) if labels.items() <= pod["metadata"]["labels"].items()
        ]

    # -- ends and new starts

    def _succeeding(self, app: Object) -> None:
        if apps.should_retry(app):
            self._rerun(app)
        else:
            _set_state(app, apps.COMPLETED)

    def _failing(self, app: Object) -> Result | None:
        if not apps.should_retry(app):
            _set_state(app, apps.FAILED)
        elif (wait := _seconds_until_retry(app)) > 0:
            return Result(after=wait)
        else:
            self._rerun(app)
        return None

    def _rerun(self, app: Object) -> None:
        self._delete_resources(app)
        _reset(app, "terminationTime")
        _set_state(app, apps.PENDING_RERUN)

    def _invalidating(self, app: Object) -> None:
        self._delete_resources(app)
        _reset(app, "terminationTime", "submissionAttempts", "executionAttempts", "lastSubmissionAttemptTime")
        _set_state(app, apps.PENDING_RERUN)

    def _suspending(self, app: Object) -> None:
        self.recorder.application(app)
        self._delete_resources(app)
        app["status"]["applicationState"] = {"state": apps.SUSPENDED}
        _reset(app)

    def _suspended(self, app: Object) -> None:
        if self._resources_gone(app):
            _reset(app)
            self.recorder.application(app)
            if not app["spec"].get("suspend"):
                app["status"]["applicationState"] = {"state": apps.RESUMING}

    def _terminated(self, cached: Object) -> Result:
        """Delete an expired application; else bring the executors' states up to date, and come back when it expires."""
        namespace, name = apps.name_of(cached)
        beyond = apps.age_beyond_ttl(cached, datetime.now(UTC))
        if beyond is not None and beyond > 0:
            delete_if_there(self.client, APPLICATIONS.path(namespace, name))
            return DONE
        app = {**cached, "status": copy.deepcopy(cached["status"])}
        update_executor_states(app, self._executors(app), self.options.max_tracked_executor_per_app, self.recorder)
        self._write_status(app, cached)
        if beyond is None or cached["spec"]["timeToLiveSeconds"] <= 0:
            return DONE
        return Result(again=True) if beyond == 0 else Result(after=-beyond)

    # -- resources

    def _delete_resources(self, app: Object) -> None:
        namespace, _name = apps.name_of(app)
        delete_if_there(self.client, PODS.path(namespace, self._driver_of(app)))
        self.web_ui.delete(app)

    def _resources_gone(self, app: Object) -> bool:
        namespace, _name = apps.name_of(app)
        return self.pods.get(namespace, self._driver_of(app)) is None and self.web_ui.is_gone(app)

    @staticmethod
    def _driver_of(app: Object) -> str:
        name: str | None = app.get("status", {}).get("driverInfo", {}).get("podName")
        return name or apps.driver_pod_name(app)


def _set_state(app: Object, state: str) -> None:
    app["status"].setdefault("applicationState", {})["state"] = state


def _reset(app: Object, *fields: str) -> None:
    """Forget the run: who drove it, what it said, and the named fields too."""
    status = app["status"]
    for field in ("sparkApplicationId", "executorState", *fields):
        status.pop(field, None)
    status["applicationState"].pop("errorMessage", None)
    status["driverInfo"] = {}


def _seconds_until_retry(app: Object) -> float:
    try:
        return apps.seconds_until_retry(app, datetime.now(UTC))
    except ValueError as error:
        raise ReconcileError(str(error)) from error


def _set_driver_error(application_state: Object, pod: Object) -> None:
    end = apps.terminated(pod, apps.DRIVER_CONTAINER)
    if end is None:
        application_state["errorMessage"] = "driver container status missing"
    elif end["exitCode"] != 0:
        said = f"driver container failed with ExitCode: {end['exitCode']}, Reason: {end.get('reason', '')}"
        application_state["errorMessage"] = said


def _submit_message(error: SubmitError) -> str:
    """Return the operator's text around spark-submit's own; of a pod that exists already it keeps only that."""
    said = str(error)
    inner = "driver pod already exist" if "code=409" in said else f"failed to run spark-submit: {said}"
    return f"failed to submit spark application: failed to run spark-submit: {inner}"
