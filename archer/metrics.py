"""What Archer tells Prometheus. Labels are bounded: states, routes and results, never a job's id, name or user."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from archer.model import JobState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

CountJobs = Callable[[], Mapping[tuple[str, JobState], int]]


class Metrics:
    """One server's metrics: the door's beside those of the loops in one registry."""

    def __init__(self, count_jobs: CountJobs, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.registry.register(_Jobs(count_jobs))
        self.submissions = Counter(
            "archer_submissions", "Submissions by result: created, replayed", ["result"], registry=self.registry
        )
        self.requests = Histogram(
            "archer_http_request_seconds",
            "Time to answer, by route and status",
            ["method", "route", "status"],
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request. HTTP lets a client invent methods; those count as one."""
        self.requests.labels(method if method in _METHODS else "other", route, status).observe(seconds)

    def text(self) -> bytes:
        """In Prometheus' text format. Raises StoreUnavailableError."""
        return generate_latest(self.registry)


class _Jobs(Collector):
    """Jobs by state, read from the store's counters when asked."""

    def __init__(self, count_jobs: CountJobs) -> None:
        self._count_jobs = count_jobs

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Without this the registry would ask for the numbers once at start."""
        yield GaugeMetricFamily("archer_jobs", "Jobs by state", labels=["state"])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        totals = dict.fromkeys(JobState, 0)
        for (_, state), number in self._count_jobs().items():
            totals[state] += number
        family = GaugeMetricFamily("archer_jobs", "Jobs by state", labels=["state"])
        for state, number in totals.items():
            family.add_metric([state.value], number)
        yield family
