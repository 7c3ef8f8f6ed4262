"""What Archer tells Prometheus. Labels are bounded: states, queues, routes and results, never a job's id, name or user."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from archer.errors import StoreUnavailableError
from archer.model import JobState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

CountJobs = Callable[[], Mapping[tuple[str, JobState], int]]
QueueAges = Callable[[], Mapping[str, float]]


class Metrics:
    """One server's metrics: the door's beside those of the loops in one registry."""

    def __init__(
        self,
        count_jobs: CountJobs,
        registry: CollectorRegistry | None = None,
        *,
        queue_ages: QueueAges = dict,
    ) -> None:
        """`queue_ages`: seconds that the oldest QUEUED job of each queue has waited."""
        self.registry = registry or CollectorRegistry()
        self.registry.register(_Jobs(count_jobs, queue_ages))
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
        """In Prometheus' text format. What only the database knows is left out while it is gone."""
        return generate_latest(self.registry)


class _Jobs(Collector):
    """What the database knows, read when asked: jobs by state from counters, and how long queues have waited."""

    def __init__(self, count_jobs: CountJobs, queue_ages: QueueAges) -> None:
        self._count_jobs = count_jobs
        self._queue_ages = queue_ages

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Without this the registry would ask for the numbers once at start."""
        yield from (_reachable(), _jobs(), _oldest())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        reachable, jobs, oldest = _reachable(), _jobs(), _oldest()
        try:
            totals = dict.fromkeys(JobState, 0)
            for (_, state), number in self._count_jobs().items():
                totals[state] += number
            for state, number in totals.items():
                jobs.add_metric([state.value], number)
            for queue, seconds in sorted(self._queue_ages().items()):
                oldest.add_metric([queue], seconds)
        except StoreUnavailableError:
            # the loops' own metrics are wanted most just then
            reachable.add_metric([], 0)
            yield reachable
            return
        reachable.add_metric([], 1)
        yield from (reachable, jobs, oldest)


def _reachable() -> GaugeMetricFamily:
    return GaugeMetricFamily("archer_database_up", "1 when the database answered this scrape, else 0", labels=[])


def _jobs() -> GaugeMetricFamily:
    return GaugeMetricFamily("archer_jobs", "Jobs by state", labels=["state"])


def _oldest() -> GaugeMetricFamily:
    words = "How long the oldest QUEUED job of a queue has waited; absent for a queue without one"
    return GaugeMetricFamily("archer_queue_oldest_seconds", words, labels=["queue"])
