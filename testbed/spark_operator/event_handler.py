"""What the operator makes of a change: which one is worth a pass, and a changed spec invalidates the run at once."""

import logging
from typing import Final

from testbed.spark_operator import application as apps
from testbed.spark_operator.events import Recorder
from testbed.spark_operator.informer import Cache
from testbed.spark_operator.kube import ApiError, Object
from testbed.spark_operator.reconciler import Reconciler
from testbed.spark_operator.workqueue import WorkQueue

_LOG = logging.getLogger("event-filter")
_WITHOUT_RERUN: Final = ("suspend", "timeToLiveSeconds")
"""Fields of the spec that may change without a new run."""


class EventHandler:
    """Puts applications into the queue."""

    def __init__(self, queue: WorkQueue, applications: Cache, reconciler: Reconciler, recorder: Recorder) -> None:
        self._queue = queue
        self._applications = applications
        self._reconciler = reconciler
        self._recorder = recorder

    def on_application(self, before: Object | None, after: Object | None) -> None:
        """Queue each change; a change of the spec is written into the status first, and lost when that fails."""
        app = after or before
        assert app is not None
        if before is not None and after is not None and _needs_rerun(before, after):
            try:
                self._reconciler.invalidate(after)
            except (ApiError, OSError) as error:
                _LOG.error("Failed to update application status: %s", error)
                self._recorder.spec_update_failed(after, error)
                return
        self._queue.add_rate_limited(apps.name_of(app))

    def on_pod(self, before: Object | None, after: Object | None) -> None:
        """Queue the application of a pod that appeared, disappeared or changed its phase; no other change counts."""
        pod = after or before
        assert pod is not None
        if before is not None and after is not None and _phase(before) == _phase(after):
            return
        labels, namespace = pod["metadata"].get("labels", {}), pod["metadata"]["namespace"]
        if not (name := labels.get(apps.LABEL_APP)):
            return
        if (submission := labels.get(apps.LABEL_SUBMISSION)) is not None:
            app = self._applications.get(namespace, name)
            if app is None or app.get("status", {}).get("submissionID", "") != submission:
                return
            if apps.state_of(app) == apps.INVALIDATING:
                return
        self._queue.add_rate_limited((namespace, name))


def _needs_rerun(before: Object, after: Object) -> bool:
    old, new = ({k: v for k, v in app["spec"].items() if k not in _WITHOUT_RERUN} for app in (before, after))
    return old != new


def _phase(pod: Object) -> str | None:
    phase: str | None = pod.get("status", {}).get("phase")
    return phase
