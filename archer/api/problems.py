"""Errors as RFC 9457 problem documents; the one table from error to status code.

A 500 says that there is a defect and nothing else: what exactly is for the log, not for whoever is asking.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from archer import errors
from archer.api import bodies, queries
from archer.api.schemas import ProblemAnswer, ProblemDocument
from archer.problems import problems_of_details
from archer.web.failures import not_found_page, wants_page

MEDIA_TYPE = "application/problem+json"

_STATUS: Mapping[type[errors.ArcherError], HTTPStatus] = {
    errors.InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.QueueFullError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.NotAuthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.NotAllowedError: HTTPStatus.FORBIDDEN,
    errors.StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.BackendUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}

_log = structlog.get_logger()


def document(
    status: int,
    code: str,
    detail: str,
    problems: Sequence[errors.Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem document as an answer."""
    body = ProblemDocument(
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        problems=[ProblemAnswer(path=p.path, value=p.value, allowed=p.allowed, fix=p.fix) for p in problems],
    )
    return Response(body.model_dump_json(), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def answer_for(error: errors.ArcherError) -> Response:
    """The document for one of our errors."""
    if isinstance(error, errors.MalformedRequestError):
        return document(error.status, error.code, str(error))
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), None)
    if status is None:
        _log.error("request failed", code=error.code, error=str(error), exc_info=error)
        return _defect()
    problems = error.problems if isinstance(error, errors.InvalidInputError) else ()
    detail = _summary(problems) if problems else str(error)
    code = f"{error.kind}-not-found" if isinstance(error, errors.NotFoundError) else error.code
    headers = {}
    if isinstance(error, errors.StoreUnavailableError | errors.QueueFullError):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, errors.NotAuthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    return document(status, code, detail, problems, headers)


def _summary(problems: Sequence[errors.Problem]) -> str:
    return str(problems[0]) if len(problems) == 1 else f"{len(problems)} problems, the first: {problems[0]}"


def _defect() -> Response:
    return document(
        500, "internal-error", "this is a defect of Archer; its administrator finds more in the server's log"
    )


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""

    async def ours(_request: Request, error: Exception) -> Response:
        assert isinstance(error, errors.ArcherError)
        return answer_for(error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _invalid_request(error.errors(), call=getattr(request.scope.get("route"), "name", None))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == HTTPStatus.NOT_FOUND and wants_page(
            request.url.path, request.headers.get("accept", "")
        ):
            return not_found_page(f"there is nothing at {request.url.path}")
        return _http_error(error)

    async def unforeseen(request: Request, error: Exception) -> Response:
        _log.error("request failed", path=request.url.path, exc_info=error)
        return _defect()

    app.add_exception_handler(errors.ArcherError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unforeseen)


def _invalid_request(found: Sequence[Any], *, call: str | None) -> Response:
    first = found[0]
    if first["type"] == "json_invalid":
        where = f"at character {first['loc'][-1]}" if isinstance(first["loc"][-1], int) else "in the body"
        reason = str(first.get("ctx", {}).get("error", "not JSON")).lower()
        return document(400, "malformed-json", f"the body is not JSON ({reason} {where}); send one JSON object")
    place = first["loc"][0]
    if first["type"] == "missing" and tuple(first["loc"]) == ("body",):
        return document(400, "malformed-json", "the body is empty; send one JSON object")
    model: type[BaseModel] = bodies.of_call(call) if place == "body" else queries.of_call(call)
    details = [cast("ErrorDetails", {**error, "loc": error["loc"][1:]}) for error in found]
    problems = problems_of_details(details, model)
    if place not in {"body", "header"}:
        return answer_for(errors.InvalidQueryError(problems))
    kind = errors.InvalidInputError if call == "create_token" else errors.InvalidSubmissionError
    return answer_for(kind(problems))


def _http_error(error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.BAD_REQUEST:
        # the framework's word for a body that it could not decode at all
        return document(400, "malformed-json", "the body is not JSON in UTF-8; send one JSON object")
    phrase = HTTPStatus(error.status_code).phrase
    detail = {404: "there is nothing at this address; see /api/openapi.json", 405: "this address takes other methods"}
    return document(
        error.status_code,
        phrase.lower().replace(" ", "-"),
        detail.get(error.status_code, phrase.lower()),
        headers=error.headers,
    )
