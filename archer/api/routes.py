"""The native API's calls, thin: parameters in, a use case of `archer.service`, an answer out."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from archer.api.answers import attempt_answer, event_answer, job_answer
from archer.api.queries import EventsQuery, JobQuery, JobsQuery, LogsQuery
from archer.api.schemas import AttemptsAnswer, EventsAnswer, JobAnswer, JobsAnswer, LogsAnswer, ProblemDocument
from archer.api.waiting import Lookout
from archer.auth.guarded import Guarded
from archer.auth.roles import Verb
from archer.errors import MalformedRequestError
from archer.metrics import CONTENT_TYPE, Metrics
from archer.model import JobState
from archer.service import Service
from archer.submission import IdempotencyKey, Submission

router = APIRouter(prefix="/api/v1", tags=["jobs"])
health = APIRouter(tags=["health"])


# dependencies that do not wait are `async`: others would be handed to a thread each
async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


async def guarded(request: Request) -> Guarded:
    """The use cases, for whoever asks."""
    return Guarded(request.app.state.service, request.state.identity, request.app.state.access)


Archer = Annotated[Guarded, Depends(guarded)]
Count = Annotated[Metrics, Depends(_metrics)]


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents of a call, for the API's description."""
    return {status: {"model": ProblemDocument} for status in (*statuses, 503)}


def asks(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """As `_errors`, of a call that wants to know who asks."""
    return _errors(401, 403, *statuses)


@router.post(
    "/jobs",
    status_code=201,
    response_model=JobAnswer,
    responses={200: {"model": JobAnswer}, **asks(400, 409, 413, 415, 422, 429)},
)
async def submit(
    submission: Submission,
    archer: Archer,
    count: Count,
    idempotency_key: Annotated[IdempotencyKey | None, Header()] = None,
) -> Response:
    """Submit a job: 201 when it is new, 200 when its idempotency key stands for it already.

    Either way the job is on disk before the answer is sent. No thread is held until it is.
    """
    if idempotency_key is not None and submission.idempotency_key not in {None, idempotency_key}:
        raise MalformedRequestError(
            "header `Idempotency-Key` and field `idempotency_key` must be equal; send one of them",
            code="idempotency-key-mismatch",
        )
    result = await asyncio.wrap_future(archer.submit(submission, header_key=idempotency_key))
    count.submissions.labels("replayed" if result.replayed else "created").inc()
    answer = job_answer(result.job, archer)
    headers = {"Location": answer.links.self, **({"Idempotent-Replay": "true"} if result.replayed else {})}
    # as bytes: the framework would check and write our own answer once more, on the one thread that serves all connections
    content = answer.model_dump_json(by_alias=True)
    return Response(content, 200 if result.replayed else 201, headers, media_type="application/json")


@router.get("/jobs", responses=asks(422))
def list_jobs(archer: Archer, query: Annotated[JobsQuery, Query()]) -> JobsAnswer:
    """Jobs, newest first, page by page."""
    page = archer.jobs(query.as_filter(), limit=query.limit, cursor=query.cursor)
    return JobsAnswer(jobs=[job_answer(job, archer) for job in page.jobs], next_cursor=page.next_cursor)


@router.get("/jobs/{job_id}", responses=asks(404, 422))
async def get_job(request: Request, archer: Archer, job_id: str, query: Annotated[JobQuery, Query()]) -> JobAnswer:
    """One job, by its id, number or EMR id; with `wait_seconds`, as soon as there is news of it.

    No thread is held while a client waits, and all who wait share one look at the database.
    """
    job = await run_in_threadpool(archer.job, job_id)
    known = job.version if query.version is None else query.version
    deadline = time.monotonic() + query.wait_seconds
    lookout: Lookout = request.app.state.lookout
    while job.version <= known and not job.state.final and time.monotonic() < deadline:
        if not await lookout.changed(job.id, job.version, seconds=deadline - time.monotonic()):
            break
        job = await run_in_threadpool(archer.job, job.id)
    return await run_in_threadpool(job_answer, job, archer)


@router.get("/jobs/{job_id}/events", responses=asks(404, 422))
def get_events(archer: Archer, job_id: str, query: Annotated[EventsQuery, Query()]) -> EventsAnswer:
    """A job's history, oldest first."""
    events = archer.events(job_id, after=query.after, limit=query.limit)
    return EventsAnswer(events=[event_answer(event) for event in events])


@router.get("/jobs/{job_id}/attempts", responses=asks(404, 422))
def get_attempts(archer: Archer, job_id: str) -> AttemptsAnswer:
    """A job's attempts, first to last."""
    return AttemptsAnswer(attempts=[attempt_answer(attempt) for attempt in archer.attempts(job_id)])


@router.get("/jobs/{job_id}/logs", response_model=LogsAnswer, responses=asks(404, 422))
def get_logs(
    request: Request, archer: Archer, job_id: str, query: Annotated[LogsQuery, Query()]
) -> Response | LogsAnswer:
    """A piece of a log, as JSON or, with `Accept: text/plain`, as it is."""
    if query.offset is not None and query.tail is not None:
        raise MalformedRequestError(
            "`offset` and `tail` exclude each other; send one of them", code="invalid-query", status=422
        )
    piece = archer.logs(
        job_id,
        attempt=query.attempt,
        stream=query.stream,
        offset=query.offset,
        tail=query.tail,
        limit=query.limit_bytes,
    )
    if request.headers.get("accept", "").startswith("text/plain"):
        headers = {"Archer-Next-Offset": str(piece.next_offset), "Archer-Complete": str(piece.complete).lower()}
        return PlainTextResponse(piece.text, headers=headers)
    return LogsAnswer(text=piece.text, offset=piece.offset, next_offset=piece.next_offset, complete=piece.complete)


@router.post("/jobs/{job_id}/kill", responses={202: {"model": JobAnswer}, **asks(404, 409, 415)})
def kill(archer: Archer, job_id: str, response: Response) -> JobAnswer:
    """Kill a job: 200 when it waited and is CANCELLED, 202 when it runs and its end must be confirmed first."""
    before = archer.job(job_id, Verb.KILL).state
    job = archer.kill(job_id)
    if job.state is JobState.CANCELLING and before is not JobState.CANCELLING:
        response.status_code = 202
    return job_answer(job, archer)


@health.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "alive"}


@health.get("/readyz", responses=_errors())
def readyz(service: Annotated[Service, Depends(_service)]) -> dict[str, str]:
    """A submission would be stored just now."""
    service.probe()
    return {"status": "ready"}


@health.get("/metrics", response_class=PlainTextResponse)
def metrics(count: Count) -> Response:
    """Prometheus' text format."""
    return Response(count.text(), media_type=CONTENT_TYPE)
