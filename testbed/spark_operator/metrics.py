"""The operator's counts of applications by the labels it was told, as Prometheus reads them.

Counters and the gauge of running ones, with the names, types and label rules of the operator: a label is read off the
application, `namespace` is its namespace, and what an application does not carry is "Unknown". Summaries and histograms of
times, executors' counts and those of the process are left out.
"""

import re
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Final

from testbed.spark_operator import application as apps
from testbed.spark_operator.kube import Object

_PREFIX: Final = "spark_application_"
_RUNNING: Final = "running_count"
_ENTERED: Final = {
    apps.NEW: "count",
    apps.SUBMITTED: "submit_count",
    apps.SUBMISSION_FAILED: "failed_submission_count",
    apps.RUNNING: _RUNNING,
    apps.COMPLETED: "success_count",
    apps.FAILED: "failure_count",
}


class Metrics:
    """Counts from the changes that the cache reports; applications that exist at the start count too."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(_valid(label) for label in labels)
        self._counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self._lock = threading.Lock()

    def on_application(self, before: Object | None, after: Object | None) -> None:
        """Count what the change means."""
        old = None if before is None else apps.state_of(before)
        new = None if after is None else apps.state_of(after)
        if old == new:
            return
        with self._lock:
            if before is not None and old == apps.RUNNING:
                self._counts[_RUNNING, self._values(before)] -= 1
            if after is not None and new in _ENTERED:
                self._counts[_ENTERED[new], self._values(after)] += 1

    def text(self) -> str:
        """Return the page."""
        with self._lock:
            counts = sorted(self._counts.items())
        lines = []
        for metric in sorted({name for (name, _values), _count in counts}):
            lines.append(f"# TYPE {_PREFIX}{metric} {'gauge' if metric == _RUNNING else 'counter'}")
            for (name, values), count in counts:
                if name == metric:
                    pairs = ",".join(f'{key}="{value}"' for key, value in zip(self._labels, values, strict=True))
                    lines.append(f"{_PREFIX}{metric}{{{pairs}}} {count}")
        return "".join(f"{line}\n" for line in lines)

    def _values(self, app: Object) -> tuple[str, ...]:
        carried = {_valid(key): value for key, value in app["metadata"].get("labels", {}).items()}
        carried.setdefault("namespace", app["metadata"]["namespace"])
        return tuple(carried.get(label, "Unknown") for label in self._labels)


def _valid(label: str) -> str:
    """Return a label's name as Prometheus allows it."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", label)
