"""The pages' addresses: the list of jobs, one job, its whole logs, and the files that the pages need."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from archer.auth.guarded import Guarded
from archer.errors import BackendUnavailableError
from archer.model import Job, JobState
from archer.web.failures import PageRoute, not_found_page
from archer.web.listing import PAGE_SIZE, Listing
from archer.web.rendering import HEADERS, asset_answer, page
from archer.web.views import spec_text, submission_json, submission_pairs, web_link
from archer.web.words import sentence

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Stream = Literal["driver", "stdout"]

_TAIL_LINES = 200
# of a log on the job's page: enough for a stack trace and what led to it
_EVENTS = 200
_COUNTED = (
    # in the order in which somebody on call wants them
    *(JobState.RUNNING, JobState.QUEUED, JobState.SUBMITTING, JobState.SUBMITTED, JobState.RETRY_WAIT),
    *(JobState.CANCELLING, JobState.LOST, JobState.FAILED, JobState.SUCCEEDED, JobState.CANCELLED),
)


# `async`, although it waits for nothing: else each page would be handed to a thread for it
async def _guarded(request: Request) -> Guarded:
    return Guarded(request.app.state.service, request.state.identity, request.app.state.access)


Archer = Annotated[Guarded, Depends(_guarded)]


@dataclass(frozen=True)
class Log:
    """The end of one of a job's logs, as its page shows it."""

    stream: Stream
    title: str
    text: str
    note: str
    empty: str
    """What stands there instead of nothing."""


@router.get("/")
def jobs_page(
    *,
    archer: Archer,
    state: Annotated[list[str] | None, Query()] = None,
    name: str = "",
    queue: str = "",
    user: str = "",
    cursor: str = "",
) -> Response:
    """The newest jobs, or those that the form asked for."""
    wanted = Listing(
        states=[word for word in state or () if word],
        name=name.strip(),
        queue=queue.strip(),
        user=user.strip(),
        cursor=cursor,
    )
    found = archer.jobs(wanted.as_filter(), limit=PAGE_SIZE, cursor=cursor or None)
    return page(
        "jobs.html",
        here="jobs",
        who=archer.identity,
        history_url=archer.history_server_url,
        # an older page does not change by itself; the newest one does at any time
        live=not cursor,
        jobs=found.jobs,
        # on one machine every job is there
        clusters=archer.in_pods,
        counts=_counts(archer),
        chosen=wanted,
        filtered=wanted.filtered,
        states=_COUNTED,
        paged=bool(cursor),
        first_url=wanted.url(),
        next_url=wanted.url(found.next_cursor) if found.next_cursor else None,
        now=archer.now(),
    )


@router.get("/jobs/{job_id}")
def job_page(archer: Archer, job_id: str, attempt: Annotated[int | None, Query(ge=1)] = None) -> Response:
    """Everything about one job."""
    job = archer.job(job_id)
    attempts = archer.attempts(job.id)
    events = archer.events(job.id, limit=_EVENTS + 1)
    shown_attempt = attempt or job.attempt or None
    shown = next((each for each in attempts if each.number == shown_attempt), None)
    return page(
        "job.html",
        who=archer.identity,
        may_kill=archer.may_kill(job),
        history_url=archer.history_server_url,
        live=not job.state.final,
        job=job,
        sentence=sentence(job),
        diagnosis=job.diagnosis,
        ui_link=None if job.state.final else web_link(job.ui_url),
        history_link=web_link(archer.history_url(job)),
        attempts=attempts,
        shown_attempt=shown_attempt,
        spec="" if shown is None else spec_text(shown),
        pods=archer.in_pods,
        raw_log=_log_urls(job, shown_attempt),
        logs=_logs(archer, job, shown_attempt),
        events=events[:_EVENTS],
        more_events=len(events) > _EVENTS,
        submission_pairs=submission_pairs(job.submission),
        submission_json=submission_json(job.submission),
        now=archer.now(),
    )


@router.post("/jobs/{job_id}/kill")
def kill(archer: Archer, job_id: str) -> Response:
    """End the job, and back to its page, which says how far that is."""
    job = archer.kill(job_id)
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


@router.get("/jobs/{job_id}/attempts/{attempt}/{stream}.log")
def raw_log(archer: Archer, job_id: str, attempt: int, stream: Stream) -> Response:
    """A whole log as plain text, however long."""
    job = archer.job(job_id)
    pieces = _pieces(archer, job, attempt, stream)
    # the first piece is read here, so that a log that there is not becomes a 404 and no broken answer
    first = next(pieces, "")

    def text() -> Iterator[str]:
        yield first
        yield from pieces

    return StreamingResponse(text(), media_type="text/plain; charset=utf-8", headers=dict(HEADERS))


@router.get("/static/{name}")
def asset(name: str) -> Response:
    """A stylesheet, script or picture."""
    return asset_answer(name) or not_found_page(f"no file {name!r}")


def _counts(archer: Guarded) -> list[tuple[JobState, int]]:
    numbers: dict[JobState, int] = {}
    for (_queue, state), number in archer.counters().items():
        numbers[state] = numbers.get(state, 0) + number
    return [(state, numbers[state]) for state in _COUNTED if numbers.get(state)]


def _log_urls(job: Job, shown_attempt: int | None) -> Callable[..., str]:
    def url(stream: Stream, attempt: int | None = None) -> str:
        return f"/jobs/{job.id}/attempts/{attempt or shown_attempt}/{stream}.log"

    return url


def _streams(archer: Guarded) -> Sequence[tuple[Stream, str, str]]:
    """Stream, title and what it is: a pod has one log for what the program and Spark say."""
    if archer.in_pods:
        return (("driver", "Driver log", "What the application and Spark said"),)
    return (
        ("stdout", "Output", "What the application printed"),
        ("driver", "Driver log", "Spark's own words"),
    )


def _logs(archer: Guarded, job: Job, attempt: int | None) -> Sequence[Log]:
    logs: list[Log] = []
    for stream, title, words in _streams(archer):
        text = ""
        empty = "Nothing so far." if not job.state.final else "Nothing."
        if attempt is not None:
            try:
                text = archer.logs(job.id, attempt=attempt, stream=stream, tail=_TAIL_LINES).text
            except BackendUnavailableError:
                # the rest of the page is in the database
                empty = f"Cluster {job.cluster} does not answer just now; the log is shown again when it does."
        note = f"{words} in attempt {attempt}; at most the last {_TAIL_LINES} lines" if text else ""
        logs.append(Log(stream=stream, title=title, text=text, note=note, empty=empty))
    return logs


def _pieces(archer: Guarded, job: Job, attempt: int, stream: Stream) -> Iterator[str]:
    offset = 0
    while True:
        piece = archer.logs(job.id, attempt=attempt, stream=stream, offset=offset)
        if piece.next_offset <= offset:
            return
        yield piece.text
        offset = piece.next_offset
