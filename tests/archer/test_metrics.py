"""What Prometheus is told."""

from archer.errors import StoreUnavailableError
from archer.metrics import Metrics
from archer.model import JobState


def test_jobs_are_summed_over_queues_and_every_state_is_there() -> None:
    metrics = Metrics(lambda: {("root.a", JobState.QUEUED): 2, ("root.b", JobState.QUEUED): 3})

    lines = metrics.text().decode().splitlines()

    assert 'archer_jobs{state="QUEUED"} 5.0' in lines
    assert len([line for line in lines if line.startswith("archer_jobs{")]) == len(JobState)


def test_numbers_are_read_when_asked_for_not_at_the_start() -> None:
    asked: list[int] = []

    def count() -> dict[tuple[str, JobState], int]:
        asked.append(1)
        return {}

    metrics = Metrics(count)
    assert asked == []
    metrics.text()
    assert asked == [1]


def test_methods_that_a_client_makes_up_are_counted_as_one() -> None:
    metrics = Metrics(dict)

    for method in ("GET", "BREW", "PROPFIND", "X" * 1000):
        metrics.answered(method, "/api/v1/jobs", 405, 0.01)

    text = metrics.text().decode()
    assert 'archer_http_request_seconds_count{method="GET",route="/api/v1/jobs",status="405"} 1.0' in text
    assert 'archer_http_request_seconds_count{method="other",route="/api/v1/jobs",status="405"} 3.0' in text
    assert "BREW" not in text


def test_the_age_of_a_queues_oldest_job_is_told_for_queues_that_have_one() -> None:
    text = Metrics(dict, queue_ages=lambda: {"root.b": 1.5, "root.a": 90.0}).text().decode()

    assert [line for line in text.splitlines() if line.startswith("archer_queue_oldest_seconds{")] == [
        'archer_queue_oldest_seconds{queue="root.a"} 90.0',
        'archer_queue_oldest_seconds{queue="root.b"} 1.5',
    ]


def test_without_the_database_everything_else_is_still_told() -> None:
    def gone() -> dict[tuple[str, JobState], int]:
        raise StoreUnavailableError("connection refused")

    metrics = Metrics(gone)
    metrics.answered("GET", "/readyz", 503, 0.01)

    text = metrics.text().decode()

    assert "archer_database_up 0.0" in text
    assert 'archer_http_request_seconds_count{method="GET",route="/readyz",status="503"} 1.0' in text
    assert "archer_jobs{" not in text
    assert "archer_database_up 1.0" in Metrics(dict).text().decode()
