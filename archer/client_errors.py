"""What can go wrong between a client and Archer: one error per reaction, made from an answer or from the lack of one.

The messages are for a person at a terminal; `api_code` is the API's stable word for the same thing. No exception of the
HTTP library leaves the client.

    ClientError
     ├── RequestRefusedError      change the request
     ├── JobNotFoundError         look elsewhere
     ├── ServerUnavailableError   start the server, or try again later
     └── WaitTimeoutError         wait again, or kill the jobs
"""

from collections.abc import Sequence
from typing import Any

import httpx

from archer.errors import ArcherError

Json = dict[str, Any]
"""One JSON object of the API."""

_RETRY_AFTER_AT_MOST = 5.0
# seconds; a server that wants more is better served by a clear error now


class ClientError(ArcherError):
    """A request that did not get what it asked for."""

    code = "client-error"

    def __init__(self, message: str, *, api_code: str | None = None, problems: Sequence[Json] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.api_code = api_code or self.code
        """The server's word for it (`invalid-submission`, `job-already-finished`), or ours when no server said one."""
        self.problems = list(problems)
        """`[{"path", "value", "allowed", "fix"}]`: everything that is wrong with the request; often empty."""


class RequestRefusedError(ClientError):
    """The server understood and said no: change the request."""

    code = "request-refused"


class JobNotFoundError(ClientError):
    """There is no such job, attempt or log."""

    code = "job-not-found"


class ServerUnavailableError(ClientError):
    """No answer, or none that helps: start the server, or try again later."""

    code = "server-unavailable"


class WaitTimeoutError(ClientError):
    """Jobs were still unfinished when the time was up; they go on."""

    code = "wait-timeout"

    def __init__(self, message: str, jobs: Sequence[Json]) -> None:
        super().__init__(message)
        self.jobs = list(jobs)
        """All jobs that were waited for, as last seen."""


def bad_url(url: str) -> RequestRefusedError:
    message = f"`url` must be an address such as http://127.0.0.1:8080, got {url!r}; give --url or set ARCHER_URL"
    return RequestRefusedError(message, api_code="bad-url")


def checked_token(token: str) -> str:
    """The token, if a header can carry it. Raises RequestRefusedError, which does not repeat it."""
    if token and token.isascii() and token.isprintable() and " " not in token:
        return token
    message = "the token must be one word as `archer token create` printed it; look at ARCHER_TOKEN or the --token-file"
    raise RequestRefusedError(message, api_code="bad-token")


def unreachable(url: str, error: httpx.TransportError) -> ServerUnavailableError:
    """The error for a connection that failed or broke; names the server and the reason."""
    if isinstance(error, httpx.TimeoutException):
        return ServerUnavailableError(f"archer at {url} did not answer in time")
    reason = str(error) or type(error).__name__
    hint = "is `archer serve` running, and is --url or ARCHER_URL right?"
    return ServerUnavailableError(f"archer at {url} does not answer ({reason}); {hint}")


def not_archer(url: str, status: int) -> ServerUnavailableError:
    return ServerUnavailableError(
        f"something other than archer answers at {url} (status {status}); give archer's address with --url or ARCHER_URL",
        api_code="not-archer",
    )


def refusal(response: httpx.Response, url: str) -> ClientError:
    """The error for an answer that is no success, from its `application/problem+json` body.

    An answer of another shape below 500 cannot be Archer's.
    """
    problem = _problem(response)
    status = response.status_code
    if problem is None:
        if status < httpx.codes.INTERNAL_SERVER_ERROR:
            return not_archer(url, status)
        return ServerUnavailableError(f"archer at {url} answered with status {status}; see the server's log")
    message = problem.get("detail") or problem.get("title") or f"status {status}"
    kind: type[ClientError] = RequestRefusedError
    if status == httpx.codes.UNAUTHORIZED:
        message = f"archer at {url} wants to know who asks: {message}; set ARCHER_TOKEN or give --token-file"
    if status == httpx.codes.NOT_FOUND:
        kind = JobNotFoundError
    elif status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        kind = ServerUnavailableError
    return kind(str(message), api_code=str(problem["code"]), problems=problem.get("problems") or ())


def retry_after_seconds(response: httpx.Response) -> float:
    """How long the server asks to be left alone, in seconds, 0 to 5; 0 when it does not say so in seconds."""
    given = response.headers.get("Retry-After", "")
    return min(float(given), _RETRY_AFTER_AT_MOST) if given.isdecimal() else 0.0


def _problem(response: httpx.Response) -> Json | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) and isinstance(body.get("code"), str) else None
