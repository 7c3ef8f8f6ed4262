"""The HTTP below the client: pools of connections to one API server, each request once, answers read against a deadline.

A read may be sent a second time, and only when a kept connection turned out to be dead; a write never is.
"""

import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, IncompleteRead, NewConnectionError, ProtocolError

from archer.kubernetes.access import Access
from archer.kubernetes.errors import ClusterUnreachableError

_T = TypeVar("_T")

_CONNECT_SECONDS: Final = 10.0
_PIECE: Final = 65536
_WATCHES: Final = 64
"""Connections of ended watches that are kept; any number may be open."""


def _socket_options() -> list[tuple[int, int, int]]:
    """A peer that vanished is noticed within half a minute, also by who only reads."""
    options = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ]
    wanted = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 30_000}
    options += [
        (socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in wanted.items() if hasattr(socket, name)
    ]
    return options


class Connections:
    """Connections to the server of one access. Safe to use from many threads."""

    def __init__(self, access: Access, *, timeout_seconds: float, pool_size: int) -> None:
        place = urlsplit(access.server)
        self.server = access.server
        self._prefix = place.path.rstrip("/")
        self._timeout = timeout_seconds
        common: dict[str, Any] = {"host": place.hostname, "retries": False}
        kind: type[urllib3.HTTPConnectionPool] = urllib3.HTTPConnectionPool
        common["port"] = place.port or (443 if place.scheme == "https" else 80)
        if place.scheme == "https":
            kind = urllib3.HTTPSConnectionPool
            common |= {"ssl_context": access.tls(), "server_hostname": access.tls_server_name}
            common["assert_hostname"] = False if access.insecure else access.tls_server_name
        common["socket_options"] = _socket_options()
        # calls wait for one of `pool_size` connections; watches hold theirs for minutes and have their own
        self._calls = kind(maxsize=pool_size, block=True, **common)
        self._watches = kind(maxsize=_WATCHES, block=False, **common)

    def call(
        self, method: str, target: str, *, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request and read the whole answer: status, headers, content. Raises ClusterUnreachableError."""
        return self._sent(method, lambda: self._call(method, target, headers, body))

    def _call(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        deadline = time.monotonic() + self._timeout
        answer = self._calls.urlopen(
            method,
            self._prefix + target,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, self._timeout), read=self._timeout),
            pool_timeout=max(1, round(self._timeout)),
            redirect=False,
            retries=False,
            preload_content=False,
        )
        try:
            pieces = []
            while piece := answer.read1(_PIECE):
                pieces.append(piece)
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the answer was not complete after {self._timeout:g} s")  # noqa: TRY301
        except BaseException:
            # what is left unread would be taken for the next answer
            answer.close()
            raise
        finally:
            answer.release_conn()
        return answer.status, answer.headers, b"".join(pieces)

    def open(self, target: str, *, headers: Mapping[str, str], silence_seconds: float) -> urllib3.BaseHTTPResponse:
        """Begin a request whose answer has no end; `silence_seconds` without a byte is an error."""
        return self._sent(
            "GET",
            lambda: self._watches.urlopen(
                "GET",
                self._prefix + target,
                headers=headers,
                timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, self._timeout), read=silence_seconds),
                redirect=False,
                retries=False,
                preload_content=False,
            ),
        )

    def close(self) -> None:
        """Close what is idle; what is under way ends by itself."""
        self._calls.close()
        self._watches.close()

    def _sent(self, method: str, send: Callable[[], _T]) -> _T:
        again = method == "GET"
        while True:
            try:
                return send()
            except (HTTPError, OSError) as error:
                if again and _is_stale(error):
                    again = False
                    continue
                raise self._unreachable(error, method) from error

    def _unreachable(self, error: Exception, method: str) -> ClusterUnreachableError:
        told = "" if method == "GET" or _was_not_sent(error) else "; whether it was done is not known"
        return ClusterUnreachableError(f"{self.server} does not answer: {reason(error)}{told}")


def innermost(error: BaseException) -> BaseException:
    """Return the error that began it: those around it repeat the address."""
    while True:
        deeper = error.__cause__ or error.__context__
        if not isinstance(deeper, (OSError, HTTPError)) or not str(deeper):
            return error
        error = deeper


def reason(error: BaseException) -> str:
    """Return its words."""
    inner = innermost(error)
    words = inner.strerror if isinstance(inner, OSError) and inner.strerror else str(inner)
    return " ".join((words or type(inner).__name__).split())[:300]


def _is_stale(error: Exception) -> bool:
    """Whether the connection was cut before any answer, as happens to one that was kept for too long."""
    return isinstance(error, ProtocolError) and not isinstance(error, (NewConnectionError, IncompleteRead))


def _was_not_sent(error: Exception) -> bool:
    return isinstance(error, (NewConnectionError, urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.SSLError))
