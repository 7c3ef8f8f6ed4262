"""The drivers' part: pods that do not run make no executors, so somebody makes them in their name.

A driver that reaches Running gets the executors that its application asks for, with the names, labels and owners that Spark
gives; a driver that ends takes them along unless `deleteOnTermination` is false. It reads the SparkApplication, as the
driver would read its ConfigMap. Started with the stand-in, or alone beside the real operator:
`python -m testbed.spark_operator.executors --namespaces=spark-ads`.
"""

import argparse
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from testbed.spark_operator import application as apps
from testbed.spark_operator.driver_objects import executor_pod
from testbed.spark_operator.informer import Cache
from testbed.spark_operator.kube import APPLICATIONS, PODS, ApiError, Client, Object
from testbed.spark_operator.submission import submission_of
from testbed.spark_operator.web_ui import delete_if_there

_LOG = logging.getLogger("executors")
_WORKERS: Final = 4
_TRIES: Final = 10
_ENDED: Final = frozenset({"Succeeded", "Failed"})


class Drivers:
    """Watches driver pods through the operator's own caches."""

    def __init__(self, client: Client, applications: Cache, pods: Cache) -> None:
        self._client = client
        self._applications = applications
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="drivers")
        self._started: dict[str, Future[None]] = {}
        self._lock = threading.Lock()
        pods.on_change(self._on_pod)

    def _on_pod(self, before: Object | None, after: Object | None) -> None:
        pod = after or before
        assert pod is not None
        if pod["metadata"].get("labels", {}).get(apps.LABEL_ROLE) != "driver":
            return
        uid, phase = pod["metadata"]["uid"], pod.get("status", {}).get("phase")
        with self._lock:
            if after is None:
                # what it had started goes by the owner references
                self._started.pop(uid, None)
            elif phase == "Running" and uid not in self._started:
                self._started[uid] = self._workers.submit(self._work, self._start, pod)
            elif phase in _ENDED and uid in self._started:
                self._workers.submit(self._finish, self._started.pop(uid), pod)

    def _finish(self, start: Future[None], pod: Object) -> None:
        # a driver may end before all its executors are made; the work that makes them was taken up before this
        start.result()
        self._work(self._end, pod)

    def _work(self, step: Callable[[Object], None], pod: Object) -> None:
        try:
            step(pod)
        except (ApiError, OSError) as error:
            _LOG.error("driver %s: %s", pod["metadata"]["name"], error)

    def _start(self, driver: Object) -> None:
        app = self._application_of(driver)
        if app is None:
            return
        submission, (namespace, _name) = submission_of(app), apps.name_of(app)
        selector, prefix = driver["metadata"]["labels"][apps.LABEL_SELECTOR], _prefix(app, driver)
        for number in range(1, wanted(app) + 1):
            pod = executor_pod(submission, selector=selector, number=number, prefix=prefix, driver=driver)
            self._create(PODS.path(namespace), pod)

    def _create(self, path: str, pod: Object) -> None:
        """Make the pod; a quota that many change at once answers Conflict, and Spark asks again with the next batch."""
        for attempt in range(_TRIES):
            try:
                self._client.create(path, pod)
            except ApiError as error:
                if error.reason == "AlreadyExists":
                    return
                if error.reason != "Conflict" or attempt == _TRIES - 1:
                    raise
                time.sleep(0.1 * (attempt + 1))
            else:
                return

    def _end(self, driver: Object) -> None:
        app = self._application_of(driver)
        if app is None or app["spec"]["executor"].get("deleteOnTermination") is False:
            # without an application they go by the owner references
            return
        for number in range(1, wanted(app) + 1):
            name = f"{_prefix(app, driver)}-exec-{number}"
            delete_if_there(self._client, PODS.path(driver["metadata"]["namespace"], name))

    def _application_of(self, driver: Object) -> Object | None:
        """Return the driver's application, when it is still at the submission that made the driver."""
        metadata = driver["metadata"]
        app = self._applications.get(metadata["namespace"], metadata["labels"].get(apps.LABEL_APP, ""))
        submission = metadata["labels"].get(apps.LABEL_SUBMISSION)
        if app is None or app["metadata"].get("deletionTimestamp"):
            return None
        # the status may be written a moment after the pod runs: the pod's own label is what counts
        return {**app, "status": {**app.get("status", {}), "submissionID": submission}}


def _prefix(app: Object, driver: Object) -> str:
    """Return what the executors' names begin with; Spark draws the digits, here a second start finds its pods again."""
    chosen = app["spec"].get("sparkConf", {}).get("spark.kubernetes.executor.podNamePrefix")
    return chosen or f"{app['metadata']['name']}-{driver['metadata']['labels'][apps.LABEL_SELECTOR][-16:]}"


def wanted(app: Object) -> int:
    """Return how many executors a driver starts with."""
    spec = app["spec"]
    instances = spec["executor"].get("instances")
    allocation = spec.get("dynamicAllocation", {})
    if not allocation.get("enabled"):
        # spark.executor.instances is 2 unless stated
        return 2 if instances is None else int(instances)
    return max(int(allocation.get(key) or 0) for key in ("initialExecutors", "minExecutors")) or int(instances or 0)


def caches(client: Client, namespaces: Iterable[str]) -> tuple[Cache, Cache]:
    """Return the caches of applications and of the pods that an operator launched."""
    names = tuple(namespaces)
    launched = f"{apps.LABEL_LAUNCHED}=true"
    return Cache(client, APPLICATIONS, names), Cache(client, PODS, names, selector=launched, index=apps.LABEL_APP)


def main(arguments: Sequence[str]) -> None:
    """Serve drivers until the process ends, with the account that `KUBECONFIG` names."""
    parser = argparse.ArgumentParser(prog="python -m testbed.spark_operator.executors", allow_abbrev=False)
    parser.add_argument("--namespaces", required=True, type=lambda text: tuple(text.split(",")))
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    client = Client(Path(os.environ["KUBECONFIG"]))
    applications, pods = caches(client, parser.parse_args(list(arguments)).namespaces)
    Drivers(client, applications, pods)
    for cache in (applications, pods):
        cache.start()
        cache.wait()
    _LOG.info("serving drivers")
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
