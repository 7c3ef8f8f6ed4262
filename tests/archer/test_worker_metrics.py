"""What the loops tell Prometheus, as a scraper reads it."""

from archer.metrics import Metrics
from archer.model import Category, JobState
from archer.worker_metrics import Finalizers, ListenerFigures, Watched, WorkerMetrics


def lines(metrics: WorkerMetrics) -> list[str]:
    """What `/metrics` answers in a process that has these."""
    return Metrics(dict, metrics.registry).text().decode().splitlines()


def test_creates_are_counted_with_their_time_by_cluster_and_result() -> None:
    metrics = WorkerMetrics()
    metrics.created("east", "created", 0.03)
    metrics.created("east", "created", 2.0)
    metrics.created("west", "refused", 0.2)

    found = lines(metrics)

    assert 'archer_create_seconds_bucket{cluster="east",le="0.05",result="created"} 1.0' in found
    assert 'archer_create_seconds_count{cluster="east",result="created"} 2.0' in found
    assert 'archer_create_seconds_sum{cluster="east",result="created"} 2.03' in found
    assert 'archer_create_seconds_count{cluster="west",result="refused"} 1.0' in found


def test_state_changes_and_retries_are_counted_by_their_words() -> None:
    metrics = WorkerMetrics()
    metrics.moved("east", JobState.RUNNING)
    metrics.moved("east", JobState.RUNNING)
    metrics.retried(Category.OOM_HEAP)
    metrics.retried(None)
    metrics.looked("east", 0.2)

    found = lines(metrics)

    assert 'archer_state_changes_total{cluster="east",state="RUNNING"} 2.0' in found
    assert 'archer_retries_total{category="oom-heap"} 1.0' in found
    assert 'archer_retries_total{category="unknown"} 1.0' in found
    assert 'archer_status_seconds_bucket{cluster="east",le="0.25"} 1.0' in found


def test_watches_and_finalizers_are_asked_for_at_each_scrape_alone() -> None:
    asked: list[int] = []

    def listeners() -> list[ListenerFigures]:
        asked.append(1)
        watch = Watched(cluster="east", namespace="spark-ads", kind="pods", lag_seconds=1.5, lists=2, events=7)
        kept = Finalizers(cluster="east", held=3, released=11, saved=1)
        return [ListenerFigures(watches=[watch], finalizers=[kept])]

    metrics = WorkerMetrics(listeners=listeners)
    assert asked == []

    found = lines(metrics)

    assert asked == [1]
    place = '{cluster="east",kind="pods",namespace="spark-ads"}'
    assert f"archer_watch_lag_seconds{place} 1.5" in found
    assert f"archer_watch_lists_total{place} 2.0" in found
    assert f"archer_watch_events_total{place} 7.0" in found
    assert 'archer_finalizers_held{cluster="east"} 3.0' in found
    assert 'archer_finalizers_released_total{cluster="east"} 11.0' in found
    assert 'archer_finalizers_saved_total{cluster="east"} 1.0' in found
