"""Errors as pages: whoever looks at a page in a browser is told what is wrong in words, not in JSON."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from archer.errors import (
    ArcherError,
    BackendUnavailableError,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    StoreUnavailableError,
)
from archer.web.rendering import page, upper_first

_log = structlog.get_logger()

_SAID_PLAINLY: Sequence[tuple[type[ArcherError], HTTPStatus, str]] = (
    (NotAuthenticatedError, HTTPStatus.UNAUTHORIZED, "Who are you?"),
    (NotAllowedError, HTTPStatus.FORBIDDEN, "Not allowed"),
    (ConflictError, HTTPStatus.CONFLICT, "That is not possible now"),
)


class PageRoute(APIRoute):
    """A route whose errors are pages too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_explain(request: Request) -> Response:
            try:
                return await handle(request)
            except ArcherError as error:
                return error_page(error)
            except RequestValidationError as error:
                problems = [f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg'].lower()}" for item in error.errors()]
                return _page(HTTPStatus.UNPROCESSABLE_ENTITY, "This address asks for nothing we have", "", problems)

        return handle_or_explain


def error_page(error: ArcherError) -> Response:
    """The page for an error; one that nobody foresaw is logged, and says no more than that there was one."""
    if isinstance(error, NotFoundError):
        return not_found_page(f"there is no {error.kind} {error.key!r}")
    if isinstance(error, InvalidInputError):
        title = "This filter cannot be used"
        return _page(HTTPStatus.UNPROCESSABLE_ENTITY, title, "", [str(problem) for problem in error.problems])
    for kind, status, title in _SAID_PLAINLY:
        if isinstance(error, kind):
            return _page(status, title, str(error))
    if isinstance(error, StoreUnavailableError):
        return _page(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The job store does not answer",
            f"{error}. Jobs that run are not affected; this page works again as soon as the database does.",
            headers={"Retry-After": str(error.retry_after_seconds)},
        )
    if isinstance(error, BackendUnavailableError):
        return _page(
            HTTPStatus.SERVICE_UNAVAILABLE, "The cluster does not answer", str(error), headers={"Retry-After": "5"}
        )
    _log.error("page failed", code=error.code, error=str(error))
    return _page(HTTPStatus.INTERNAL_SERVER_ERROR, "This page has a defect", "The server's log has more.")


def wants_page(path: str, accept: str) -> bool:
    """Somebody who typed an address into a browser reads a page; a program, and everything below /api, gets a document."""
    return "text/html" in accept and path != "/api" and not path.startswith("/api/")


def not_found_page(message: str) -> Response:
    """404, for a job or an address that there is not."""
    return _page(HTTPStatus.NOT_FOUND, "Not found", message)


def _page(
    status: HTTPStatus,
    title: str,
    message: str,
    problems: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    return page(
        "error.html",
        status=status,
        headers=headers,
        code=f"{status.value} {status.phrase}",
        title=title,
        message=upper_first(message),
        problems=list(problems),
    )
