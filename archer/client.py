"""Archer's HTTP client: what the command line, the examples and any Python program use to talk to a server.

It knows the API's paths, repeats what is safe to repeat, and turns every refusal into one of a few errors, each named
after what the caller can do about it. It stays light (httpx and the standard library), so that a command answers at once.
It refuses to judge a submission: the server is the one place with rules.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from uuid import uuid4

import httpx

from archer.client_errors import (
    ClientError,
    Json,
    WaitTimeoutError,
    bad_url,
    checked_token,
    not_archer,
    refusal,
    retry_after_seconds,
    unreachable,
)
from archer.model import FINAL_STATES

DEFAULT_URL = "http://127.0.0.1:8080"

_PASSING = frozenset({502, 503, 504})
# what a restarting server, or a balancer in front of one, answers: worth asking again
_LONG_POLL_SECONDS = 20.0
# below the 30 to 60 s after which balancers cut a quiet connection
_PAGE = 500
# the most that the API gives at once


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The answer to a submission."""

    job: Json
    replayed: bool
    """True when this idempotency key had been used for the same submission before: this is that job, no new one."""


@dataclass(kw_only=True)
class ArcherClient:
    """One server's API. Use as a context manager, or call close(). Not for sharing between threads."""

    url: str = DEFAULT_URL
    token: str | None = field(default=None, repr=False)
    """The secret of a token, for a server that asks who one is."""
    timeout_seconds: float = 30.0
    """The longest one request may take, a long poll's own waiting aside."""
    patience_seconds: float = 5.0
    """How long a server that is away is asked again before ServerUnavailableError: a restart takes about three seconds."""
    on_retry: Callable[[str], None] = lambda _message: None
    """Told why a request is being repeated; the command line prints it."""
    transport: httpx.BaseTransport | None = None
    """For tests and for programs that hold the server in the same process; None means the network."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _http: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            address = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise bad_url(self.url) from error
        if address.scheme not in {"http", "https"} or not address.host:
            raise bad_url(self.url)
        headers = {"Accept": "application/json", "User-Agent": "archer-client"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {checked_token(self.token)}"
        self._http = httpx.Client(
            base_url=address,
            headers=headers,
            timeout=self.timeout_seconds,
            transport=self.transport,
            # a proxy configured for the outside world must not be asked for a server on this machine
            trust_env=address.host not in {"127.0.0.1", "localhost", "::1"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def submit(self, submission: Mapping[str, Any], *, idempotency_key: str | None = None) -> Submitted:
        """Submit a job, once, however often the connection breaks: every try carries the same idempotency key.

        Raises RequestRefusedError (invalid submission, or the key was used for another one) and ServerUnavailableError.
        """
        key = idempotency_key or submission.get("idempotency_key") or str(uuid4())
        response = self._request("POST", "/api/v1/jobs", json=submission, headers={"Idempotency-Key": str(key)})
        return Submitted(job=self._object(response), replayed=response.headers.get("Idempotent-Replay") == "true")

    def jobs(self, *, limit: int | None = None, **filters: str | Sequence[str] | None) -> Iterator[Json]:
        """Jobs, newest first, page by page. `filters`: state, name, queue, user, team, label; None means any."""
        params = {key: value for key, value in filters.items() if value}
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            page = {**params, "limit": min(left or _PAGE, _PAGE)} | ({"cursor": cursor} if cursor else {})
            answer = self._object(self._request("GET", "/api/v1/jobs", params=page))
            yield from answer["jobs"]
            cursor = answer["next_cursor"]
            left = None if left is None else left - len(answer["jobs"])
            if cursor is None:
                return

    def job(self, job_id: str, *, newer_than: int | None = None, wait_seconds: float = 0) -> Json:
        """One job; with `newer_than` (a version) the answer comes when the job has changed, or after `wait_seconds`."""
        params = {} if newer_than is None else {"version": newer_than, "wait_seconds": round(wait_seconds, 3)}
        return self._object(self._request("GET", _job_path(job_id), params=params, extra_time=wait_seconds))

    def events(self, job_id: str, *, after: int = 0) -> Iterator[Json]:
        """What happened to a job, oldest first, from the event after `after` on."""
        while True:
            params = {"after": after, "limit": _PAGE}
            events = self._object(self._request("GET", _job_path(job_id, "/events"), params=params))["events"]
            yield from events
            if len(events) < _PAGE:
                return
            after = events[-1]["id"]

    def attempts(self, job_id: str) -> list[Json]:
        """A job's attempts, first to last."""
        attempts: list[Json] = self._object(self._request("GET", _job_path(job_id, "/attempts")))["attempts"]
        return attempts

    def logs(
        self,
        job_id: str,
        *,
        stream: str = "driver",
        attempt: int | None = None,
        offset: int | None = None,
        tail: int | None = None,
    ) -> Json:
        """A piece of a log: {"text", "offset", "next_offset", "complete"}, offsets in bytes. From the start by default."""
        given = {"stream": stream, "attempt": attempt, "offset": offset, "tail": tail}
        params = {key: value for key, value in given.items() if value is not None}
        return self._object(self._request("GET", _job_path(job_id, "/logs"), params=params))

    def kill(self, job_id: str) -> Json:
        """Ask for the end of a job; the answer is the job, CANCELLED or CANCELLING. A finished one is refused."""
        return self._object(self._request("POST", _job_path(job_id, "/kill"), json={}))

    def clusters(self) -> list[Json]:
        """Clusters and how they are."""
        clusters: list[Json] = self._object(self._request("GET", "/api/v1/clusters"))["clusters"]
        return clusters

    def set_cluster(self, name: str, *, mode: str, message: str) -> Json:
        """Open, drain or pause a cluster; a second time changes nothing."""
        path = f"/api/v1/clusters/{quote(name, safe='')}"
        return self._object(self._request("PUT", path, json={"mode": mode, "message": message}))

    def forget_cluster(self, name: str) -> Json:
        """Write off what ran in a cluster that left the configuration; a second time finds nothing more."""
        return self._object(self._request("POST", f"/api/v1/clusters/{quote(name, safe='')}/forget", json={}))

    def queues(self) -> list[Json]:
        """Queues, what waits and what runs in them."""
        queues: list[Json] = self._object(self._request("GET", "/api/v1/queues"))["queues"]
        return queues

    def set_queue(self, path: str, *, mode: str, message: str) -> Json:
        """Open or pause a queue; a second time changes nothing."""
        address = f"/api/v1/queues/{quote(path, safe='')}"
        return self._object(self._request("PUT", address, json={"mode": mode, "message": message}))

    def route(self, submission: Mapping[str, Any]) -> Json:
        """Where a submission would go; nothing is submitted."""
        return self._object(self._request("POST", "/api/v1/route", json=submission))

    def create_token(self, *, subject: str, roles: Sequence[str], expires_in_seconds: int | None = None) -> Json:
        """Make a token: {"secret", "token"}. An answer that gets lost leaves a token whose secret nobody knows."""
        grant = {"subject": subject, "roles": list(roles), "expires_in_seconds": expires_in_seconds}
        return self._object(self._request("POST", "/api/v1/tokens", json=grant))

    def tokens(self) -> list[Json]:
        """All tokens, without their secrets."""
        tokens: list[Json] = self._object(self._request("GET", "/api/v1/tokens"))["tokens"]
        return tokens

    def revoke_token(self, token_id: str) -> None:
        """End a token; a second time changes nothing."""
        self._request("POST", f"/api/v1/tokens/{quote(token_id, safe='')}/revoke", json={})

    def wait(
        self,
        job_ids: Sequence[str],
        *,
        timeout_seconds: float | None = None,
        on_change: Callable[[Json], None] = lambda _job: None,
    ) -> list[Json]:
        """Wait until every job is final and return them in the order given; `on_change` sees each new version.

        Raises WaitTimeoutError when `timeout_seconds` have passed, JobNotFoundError, ServerUnavailableError.
        """
        deadline = None if timeout_seconds is None else self.clock() + timeout_seconds
        seen: dict[str, Json] = {}
        for job_id in dict.fromkeys(job_ids):
            seen[job_id] = self.job(job_id)
            on_change(seen[job_id])
        while unfinished := [job_id for job_id, job in seen.items() if job["state"] not in FINAL_STATES]:
            left = float("inf") if deadline is None else deadline - self.clock()
            if left <= 0:
                raise _wait_timeout(timeout_seconds, unfinished, seen)
            if len(unfinished) > 1:
                self.sleep(min(left, 1.0))
            for job_id in unfinished:
                # one job can be long-polled; several are asked in turn, so that a slow one does not hide the others
                patience = min(left, _LONG_POLL_SECONDS) if len(unfinished) == 1 else 0.0
                job = self.job(job_id, newer_than=seen[job_id]["version"], wait_seconds=patience)
                if job["version"] != seen[job_id]["version"]:
                    seen[job_id] = job
                    on_change(job)
        return list(seen.values())

    def _object(self, response: httpx.Response) -> Json:
        try:
            answer = response.json()
        except ValueError as error:
            raise not_archer(self.url, response.status_code) from error
        if not isinstance(answer, dict):
            raise not_archer(self.url, response.status_code)
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        extra_time: float = 0,
    ) -> httpx.Response:
        # every request of this API may be repeated: reads, kills, and submissions under one idempotency key
        gives_up_at: float | None = None
        pause = 0.1
        while True:
            try:
                timeout = self.timeout_seconds + extra_time
                response = self._http.request(method, path, params=params, json=json, headers=headers, timeout=timeout)
            except httpx.TransportError as error:
                problem: ClientError = unreachable(self.url, error)
            else:
                if response.is_success:
                    return response
                problem = refusal(response, self.url)
                if response.status_code not in _PASSING:
                    raise problem
                pause = max(pause, retry_after_seconds(response))
            gives_up_at = self.clock() + self.patience_seconds if gives_up_at is None else gives_up_at
            if self.clock() + pause > gives_up_at:
                raise problem
            self.on_retry(f"archer at {self.url} cannot answer just now; trying again")
            self.sleep(pause)
            pause = min(pause * 2, 2.0)


def _wait_timeout(
    timeout_seconds: float | None, unfinished: Sequence[str], seen: Mapping[str, Json]
) -> WaitTimeoutError:
    names = ", ".join(f"{job_id} ({seen[job_id]['state']})" for job_id in unfinished)
    message = f"not finished after {timeout_seconds:g} s: {names}; the jobs go on: wait again, or kill them"
    return WaitTimeoutError(message, list(seen.values()))


def _job_path(job_id: str, rest: str = "") -> str:
    # quoted whole, so that an id with a slash or a question mark in it is simply unknown
    return f"/api/v1/jobs/{quote(job_id, safe='')}{rest}"
