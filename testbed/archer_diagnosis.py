"""What Archer would say of a job that failed on a cluster, from its real pods and its real log, once the operator has said FAILED."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from archer.backends.kubernetes import records
from archer.backends.kubernetes.evidence import collect
from archer.backends.kubernetes.following import counted
from archer.backends.kubernetes.logs import TAIL_BYTES
from archer.backends.kubernetes.observation import End, Facts, judge
from archer.diagnosis import diagnose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from archer.model import Diagnosis
    from testbed.kubernetes import Manifest


def diagnosis_of(driver: Manifest, executors: Sequence[Manifest], log: str, *, application: str) -> Diagnosis:
    """The diagnosis; the application's status is written as the operator writes it."""
    (container,) = driver["status"]["containerStatuses"]
    ended = container["state"]["terminated"]
    error = f"driver container failed with ExitCode: {ended['exitCode']}, Reason: {ended['reason']}"
    status = {"applicationState": {"state": "FAILED", "errorMessage": error}, "sparkApplicationId": "spark-1"}
    facts = Facts(
        application=records.application({"metadata": {"name": "job", "uid": "u"}, "status": status}),
        driver=records.driver(driver),
        executors=counted({pod["metadata"]["name"]: records.executor(pod) for pod in executors}),
        now=int(time.time()),
    )
    end = judge(facts)
    assert isinstance(end, End), end
    spec = {"spec": {"mainApplicationFile": application}}
    return diagnose(collect(facts, end, spec=spec, log=log[-TAIL_BYTES:], spot=()))
