"""The stand-in as a process: caches, queue, workers, lease and health page, put together."""

import http.server
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.spark_operator import executors
from testbed.spark_operator.event_handler import EventHandler
from testbed.spark_operator.events import Recorder
from testbed.spark_operator.informer import Cache
from testbed.spark_operator.kube import INGRESSES, SERVICES, ApiError, Client, RateLimit
from testbed.spark_operator.lease import Lease
from testbed.spark_operator.metrics import Metrics
from testbed.spark_operator.options import Options
from testbed.spark_operator.reconciler import ReconcileError, Reconciler
from testbed.spark_operator.web_ui import WebUi
from testbed.spark_operator.workqueue import WorkQueue

_LOG = logging.getLogger("operator")
STARTED: Final = "Starting workers"
"""What both operators log when they lead and work."""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One instance; `run` never returns unless the lease is lost."""

    kubeconfig: Path
    options: Options

    def run(self) -> int:
        options = self.options
        # ok as long as there is a process, as the operator's are
        _serve(options.health_probe_bind_address, {"/healthz": lambda: "ok", "/readyz": lambda: "ok"})
        if options.leader_election:
            # a client of its own: a busy operator must not lose its lease
            lease = Lease(
                Client(self.kubeconfig),
                options.lock_namespace,
                options.lock_name,
                options.lease_duration,
                options.retry_period,
            )
            lease.acquire()
            self._start()
            lease.keep()
            return 1
        self._start()
        threading.Event().wait()
        return 0

    def _start(self) -> None:
        options = self.options
        client = Client(self.kubeconfig, limit=RateLimit(options.kube_api_qps, options.kube_api_burst))
        applications, pods = executors.caches(client, options.namespaces)
        queue = WorkQueue(
            per_second=options.workqueue_qps,
            burst=options.workqueue_burst,
            longest_delay=options.workqueue_longest_delay,
        )
        recorder = Recorder(client, enabled=options.record_events)
        web_ui = WebUi(
            client=client,
            services=Cache(client, SERVICES, options.namespaces),
            ingresses=Cache(client, INGRESSES, options.namespaces),
            options=options,
        )
        reconciler = Reconciler(
            client=client, applications=applications, pods=pods, web_ui=web_ui, recorder=recorder, options=options
        )
        handler = EventHandler(queue, applications, reconciler, recorder)
        applications.on_change(handler.on_application)
        if options.enable_metrics:
            metrics = Metrics(options.metrics_labels)
            applications.on_change(metrics.on_application)
            _serve(options.metrics_bind_address, {"/metrics": metrics.text})
        pods.on_change(handler.on_pod)
        if options.drivers:
            executors.Drivers(Client(self.kubeconfig), applications, pods)
        for cache in (applications, pods):
            cache.start()
        for cache in (applications, pods):
            cache.wait()
        for number in range(options.controller_threads):
            threading.Thread(target=_work, args=(queue, reconciler), name=f"worker-{number}", daemon=True).start()
        _LOG.info("%s, namespaces %s", STARTED, ",".join(options.namespaces))


def _work(queue: WorkQueue, reconciler: Reconciler) -> None:
    while (key := queue.get()) is not None:
        try:
            result = reconciler.reconcile(key)
        except (ReconcileError, ApiError, OSError) as error:
            _LOG.error("Reconciler error %s/%s: %s", *key, error)
            queue.add_rate_limited(key)
        except Exception:  # noqa: BLE001 - logged with its stack
            # a fault of the stand-in itself: said, and tried again as a panic of the operator would be
            _LOG.exception("Reconciler error %s/%s", *key)
            queue.add_rate_limited(key)
        else:
            if result.again:
                queue.add_rate_limited(key)
            else:
                queue.forget(key)
                if result.after is not None:
                    queue.add_after(key, result.after)
        finally:
            queue.done(key)


class _Pages(http.server.BaseHTTPRequestHandler):
    """Answers with what `pages` gives for the path."""

    pages: Mapping[str, Callable[[], str]]

    def do_GET(self) -> None:
        page = self.pages.get(self.path)
        body = b"" if page is None else page().encode()
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Say nothing: probes come every few seconds."""


def _serve(address: str, pages: Mapping[str, Callable[[], str]]) -> None:
    """Serve pages on an address of Go's kind, :8081 or 127.0.0.1:8081; 0 means not at all."""
    if address == "0":
        return
    host, _, port = address.rpartition(":")
    handler = type("_Handler", (_Pages,), {"pages": dict(pages)})
    server = http.server.ThreadingHTTPServer((host, int(port)), handler)
    threading.Thread(target=server.serve_forever, name=f"pages-{port}", daemon=True).start()


def run(options: Options) -> int:
    """Run with the account that `KUBECONFIG` names."""
    return Operator(kubeconfig=Path(os.environ["KUBECONFIG"]), options=options).run()
