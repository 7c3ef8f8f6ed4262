"""What the loops tell Prometheus. Labels are clusters, namespaces, states and categories: bounded by the environment's file.

One set for a process, also where a process has no API: every role answers `/metrics` on its port.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from archer.model import Category, JobState

_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds; what an API server and a database take."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """How one watch of a cluster does just now."""

    cluster: str
    namespace: str
    kind: str
    lag_seconds: float
    """Since it was last known to be true: heard of something, or told that there is nothing."""
    lists: int
    """Times that all was read anew."""
    events: int


@dataclass(frozen=True, kw_only=True)
class Finalizers:
    """What our finalizers did in one cluster, since this process began."""

    cluster: str
    held: int
    """Drivers that carry one now."""
    released: int
    saved: int
    """Drivers whose true end would have been lost without one."""


@dataclass(frozen=True, kw_only=True)
class ListenerFigures:
    """What a backend tells of its listening."""

    watches: Sequence[Watched] = ()
    finalizers: Sequence[Finalizers] = ()


@dataclass(kw_only=True)
class WorkerMetrics:
    """Counters and histograms of dispatcher, tracker and janitor."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    listeners: Callable[[], Sequence[ListenerFigures]] = lambda: ()

    def __post_init__(self) -> None:
        self._creates = Histogram(
            "archer_create_seconds",
            "Time that a cluster took to create an attempt, by result: created, refused, failed",
            ["cluster", "result"],
            buckets=_QUICK,
            registry=self.registry,
        )
        self._commits = Histogram(
            "archer_status_seconds",
            "Time from looking at what a cluster told to its commit",
            ["cluster"],
            buckets=_QUICK,
            registry=self.registry,
        )
        self._moves = Counter(
            "archer_state_changes", "Jobs that came to a state", ["cluster", "state"], registry=self.registry
        )
        self._retries = Counter(
            "archer_retries", "Attempts that are repeated, by why they failed", ["category"], registry=self.registry
        )
        self.registry.register(_Listening(self))

    def created(self, cluster: str, result: str, seconds: float) -> None:
        """One create; `result`: created, refused or failed."""
        self._creates.labels(cluster, result).observe(seconds)

    def looked(self, cluster: str, seconds: float) -> None:
        """One look at attempts with news, up to the commit of what they mean."""
        self._commits.labels(cluster).observe(seconds)

    def moved(self, cluster: str, state: JobState) -> None:
        """A job came to a state."""
        self._moves.labels(cluster, state.value).inc()

    def retried(self, category: Category | None) -> None:
        """An attempt failed, and another one follows."""
        self._retries.labels("unknown" if category is None else category.value).inc()


class _Listening(Collector):
    """Watches and finalizers, asked for when a scraper asks."""

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics

    def describe(self) -> Iterator[Metric]:
        """Without this the registry would ask for the numbers once at start."""
        yield from self._families([])

    def collect(self) -> Iterator[Metric]:
        yield from self._families(self._metrics.listeners())

    def _families(self, figures: Sequence[ListenerFigures]) -> Iterator[Metric]:
        watch, place = ["cluster", "namespace", "kind"], ["cluster"]
        lag = GaugeMetricFamily("archer_watch_lag_seconds", "Since a watch was last known to be true", labels=watch)
        lists = CounterMetricFamily("archer_watch_lists", "Times that a watch read all anew", labels=watch)
        events = CounterMetricFamily("archer_watch_events", "Changes that a watch heard of", labels=watch)
        held = GaugeMetricFamily("archer_finalizers_held", "Drivers that our finalizer keeps", labels=place)
        released = CounterMetricFamily("archer_finalizers_released", "Finalizers taken off", labels=place)
        saved = CounterMetricFamily(
            "archer_finalizers_saved", "Drivers whose true end was known thanks to the finalizer alone", labels=place
        )
        for each in figures:
            for told in each.watches:
                labels = [told.cluster, told.namespace, told.kind]
                for family, value in ((lag, told.lag_seconds), (lists, told.lists), (events, told.events)):
                    family.add_metric(labels, value)
            for told_of in each.finalizers:
                labels = [told_of.cluster]
                for family, value in ((held, told_of.held), (released, told_of.released), (saved, told_of.saved)):
                    family.add_metric(labels, value)
        yield from (lag, lists, events, held, released, saved)
