"""The operator's command line, so that the container arguments of our chart start the stand-in as they start the binary.

Every flag of `controller start` that the chart writes is known here. Those that change what a SparkApplication goes through
are obeyed; those about the process itself (log format, cache, profiling) are accepted and do nothing. A flag that
is in neither list is refused, so a chart cannot use one that the contract suite has never seen.
"""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_ACCEPTED: Final = (
    "cache-sync-timeout",
    "metrics-endpoint",
    "pprof-bind-address",
    "scheduled-spark-application-timestamp-precision",
    "zap-encoder",
    "zap-log-level",
)
"""Flags that say nothing about what becomes of an application."""

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the operator was started with; names are the flags', defaults the binary's."""

    namespaces: tuple[str, ...]
    controller_threads: int = 10
    workqueue_qps: float = 10
    workqueue_burst: int = 100
    workqueue_longest_delay: float = 1000.0
    """Seconds; the binary's own default is no limit, and its limiter stops at 1000 s."""
    driver_pod_creation_grace_period: float = 10.0
    """Seconds."""
    max_tracked_executor_per_app: int = 1000
    enable_ui_service: bool = True
    ingress_url_format: str = ""
    ingress_class_name: str = ""
    kube_api_qps: float = 20
    kube_api_burst: int = 30
    health_probe_bind_address: str = ":8081"
    enable_metrics: bool = False
    metrics_bind_address: str = "0"
    metrics_labels: tuple[str, ...] = ()
    leader_election: bool = False
    lock_name: str = "spark-operator-lock"
    lock_namespace: str = "spark-operator"
    lease_duration: float = 15.0
    """Seconds."""
    retry_period: float = 2.0
    """Seconds."""
    drivers: bool = True
    """Ours: also make the executors of drivers that run."""
    driver_objects: bool = True
    """Ours: also make a driver's headless Service and ConfigMap, as spark-submit does. Two writes less without."""
    record_events: bool = True
    """Ours: also write Events. About six writes less per application without."""


def parse(arguments: Sequence[str]) -> Options:
    """Return the options of `controller start …`; ends the process with 2 for what it does not know."""
    parser = _parser()
    given = parser.parse_args(list(arguments))
    if not given.namespaces or "" in given.namespaces:
        parser.error("--namespaces must name at least one namespace, got none; the stand-in never watches all of them")
    return Options(**{name: value for name, value in vars(given).items() if name in Options.__dataclass_fields__})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testbed.spark_operator", allow_abbrev=False)
    parser.add_argument("component", choices=["controller"], help="only the controller has a stand-in")
    parser.add_argument("action", choices=["start"])
    add = parser.add_argument
    add("--namespaces", type=_words, default=())
    add("--controller-threads", type=int, default=10)
    add("--workqueue-ratelimiter-bucket-qps", dest="workqueue_qps", type=float, default=10)
    add("--workqueue-ratelimiter-bucket-size", dest="workqueue_burst", type=int, default=100)
    add("--workqueue-ratelimiter-max-delay", dest="workqueue_longest_delay", type=_seconds, default=1000.0)
    add("--driver-pod-creation-grace-period", type=_seconds, default=10.0)
    add("--max-tracked-executor-per-app", type=int, default=1000)
    add("--enable-ui-service", type=_boolean, default=True)
    add("--ingress-url-format", default="")
    add("--ingress-class-name", default="")
    add("--kube-api-qps", type=float, default=20)
    add("--kube-api-burst", type=int, default=30)
    add("--health-probe-bind-address", default=":8081")
    add("--enable-metrics", type=_boolean, default=False)
    add("--metrics-bind-address", default="0")
    add("--metrics-labels", type=_words, default=())
    add("--leader-election", type=_boolean, default=False)
    add("--leader-election-lock-name", dest="lock_name", default="spark-operator-lock")
    add("--leader-election-lock-namespace", dest="lock_namespace", default="spark-operator")
    add("--leader-election-lease-duration", dest="lease_duration", type=_seconds, default=15.0)
    # the leader of the stand-in keeps its lease until it ends, so the deadline says nothing
    add("--leader-election-renew-deadline", type=_seconds)
    add("--leader-election-retry-period", dest="retry_period", type=_seconds, default=2.0)
    for flag in _ACCEPTED:
        add(f"--{flag}")
    ours = parser.add_argument_group("of the stand-in alone")
    for flag in ("drivers", "driver-objects", "record-events"):
        ours.add_argument(f"--{flag}", type=_boolean, default=True)
    return parser


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"must be true or false, got {text!r}")
    return text == "true"


def _seconds(text: str) -> float:
    """Read a duration of Go: 30s, 2m, 1h30m, 250ms."""
    if not _DURATION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"must be a duration such as 30s or 1h30m, got {text!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text))
