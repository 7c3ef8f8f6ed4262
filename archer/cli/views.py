"""How a job, its attempts and its events look as text: which fields, in which words."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from archer.cli.output import write_columns, write_pairs
from archer.client_errors import Json
from archer.durations import format_duration

_NONE = "-"


def write_jobs(jobs: Iterable[Json]) -> None:
    """One row per job."""
    write_columns(
        ["ID", "NAME", "STATE", "USER", "QUEUE", "ATTEMPT", "STARTED", "DURATION"],
        [
            [
                job["id"],
                job["name"],
                job["state"],
                job["user"] or _NONE,
                job["queue"],
                _attempt(job),
                _when(job["started_at"]),
                format_duration(job["duration_seconds"]),
            ]
            for job in jobs
        ],
    )


def write_status(job: Json, url: str) -> None:
    """Everything about one job that fits a screen; the rest is in JSON. `url`: the server's, for the page's address."""
    write_pairs((name, value) for name, value in _status(job, url.rstrip("/")) if value)


def write_attempts(attempts: Iterable[Json]) -> None:
    """One row per attempt; the summary of its diagnosis last, because it is long."""
    write_columns(
        ["ATTEMPT", "STATE", "EXIT", "STARTED", "DURATION", "SPARK APPLICATION", "WHY"],
        [
            [
                str(attempt["number"]),
                attempt["state"],
                _NONE if attempt["exit_code"] is None else str(attempt["exit_code"]),
                _when(attempt["started_at"]),
                format_duration(_seconds(attempt["started_at"], attempt["finished_at"])),
                attempt["spark_app_id"] or _NONE,
                attempt["diagnosis"]["summary"] if attempt["diagnosis"] else _NONE,
            ]
            for attempt in attempts
        ],
    )


def write_events(events: Iterable[Json]) -> None:
    """One row per event, oldest first."""
    write_columns(
        ["TIME", "KIND", "ATTEMPT", "CHANGE", "WHO", "MESSAGE"],
        [
            [
                _when(event["at"]),
                event["kind"],
                _NONE if event["attempt"] is None else str(event["attempt"]),
                _change(event),
                event["actor"],
                # a diagnosis may run over several lines; a row may not
                " ".join((event["message"] or _NONE).split()),
            ]
            for event in events
        ],
    )


def elapsed_seconds(job: Json) -> float | None:
    """From the submission to the last change, by the server's clock alone."""
    return _seconds(job["created_at"], job["finished_at"] or job["updated_at"])


def _status(job: Json, url: str) -> Iterator[tuple[str, str]]:
    diagnosis = job["diagnosis"] or {}
    yield "job", job["id"]
    yield "name", job["name"]
    yield "state", job["state"]
    yield "substate", job["substate"] or ""
    yield "waits because", job["reason"] or ""
    yield "attempt", _attempt(job)
    yield "user", job["user"] or ""
    yield "team", job["team"] or ""
    yield "queue", job["queue"]
    yield "cluster", job["cluster"] or ""
    yield "labels", " ".join(f"{key}={value}" for key, value in job["labels"].items())
    yield "application", _application(job["submission"])
    yield "submitted", _when(job["created_at"])
    yield "started", _when(job["started_at"])
    yield "finished", _when(job["finished_at"])
    yield "duration", format_duration(job["duration_seconds"])
    yield "spark application", job["spark_app_id"] or ""
    yield "live page of spark", job["ui_url"] or ""
    yield "history", job["history_url"] or ""
    yield "page", url + job["links"]["page"]
    yield "diagnosis", diagnosis.get("category", "")
    yield "what happened", diagnosis.get("summary", "")
    yield "what to do", diagnosis.get("resolution") or ""
    yield "detail", diagnosis.get("detail") or ""


def _application(submission: Json) -> str:
    application = submission["application"]
    words: Sequence[str] = [application["file"], *application["arguments"]]
    return " ".join(word if word and " " not in word else repr(word) for word in words)


def _attempt(job: Json) -> str:
    return f"{job['attempt']}/{job['max_attempts']}"


def _change(event: Json) -> str:
    if event["to_state"] is None:
        return _NONE
    return f"{event['from_state']} -> {event['to_state']}" if event["from_state"] else str(event["to_state"])


def _when(time: str | None) -> str:
    """`2026-11-23 22:10:05Z`: whole seconds, UTC."""
    if time is None:
        return _NONE
    return _parsed(time).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _seconds(start: str | None, end: str | None) -> float | None:
    return None if start is None or end is None else (_parsed(end) - _parsed(start)).total_seconds()


def _parsed(time: str) -> datetime:
    return datetime.fromisoformat(time)
