"""Serves the web application from a thread, on a socket that is open already.

In a thread, because the main thread's signal handlers are `archer.server`'s: uvicorn's own would end the process by the
signal instead of with exit code 0. Clients can't use up the open files that jobs and the database need: there may be so
many of them and no more, and who begins a request and doesn't end it is let go.
"""

import asyncio
import contextlib
import resource
import socket
from threading import Event, Thread
from typing import Any

import anyio.to_thread
import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

_START_SECONDS = 30.0

THREADS = 100
"""For calls that touch the store. A thread is made when it is needed; so many may wait for a database that another program
has locked while reads go on."""

REQUEST_SECONDS = 30.0
"""For a client to send its request, body included. How long the answer takes is another matter."""

MOST_CONNECTIONS = 1000
"""Or half of the open files that this process may have, if that is less."""

_ACCEPTED_AT_ONCE = 32
"""asyncio takes so many new connections before it looks at the first of them; with its 2,048 the limit would come too late,
and when no open file is left it complains as often (https://github.com/python/cpython/issues/151615)."""

_WAITING = 128
"""New connections that the kernel keeps for us meanwhile."""

_FILES = 65536

_FULL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def allow_many_files() -> int:
    """Raise this process's limit of open files, 1,024 on many systems, as far as it may; the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS allows less than it says
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _FILES if soft == resource.RLIM_INFINITY else soft


class HttpServer:
    """One uvicorn."""

    def __init__(
        self,
        app: FastAPI,
        sock: socket.socket,
        *,
        shutdown_seconds: float,
        request_seconds: float = REQUEST_SECONDS,
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        class Protocol(_Protocol):
            patience = request_seconds
            most = most_connections

        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            # on, uvicorn would believe `X-Forwarded-For` about who the peer is, and trusted proxies are known by that
            proxy_headers=False,
            http=Protocol,
            backlog=_ACCEPTED_AT_ONCE,
            timeout_graceful_shutdown=max(1, int(shutdown_seconds)),
            # idle keep-alive connections must not hold up a shutdown
            timeout_keep_alive=5,
        )
        self._socket = sock
        self._started = Event()
        self._server = _Server(config, self._started)
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [sock]}, name="api", daemon=True)

    def start(self) -> bool:
        """True once requests are answered."""
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            return False
        # uvicorn has set it to the number above
        self._socket.listen(_WAITING)
        return True

    def stop(self, seconds: float) -> None:
        """Stop listening, let open requests end, wait for it."""
        self._server.should_exit = True
        self._thread.join(seconds + 1)
        self._socket.close()


class _Protocol(H11Protocol):
    """uvicorn's, with limits."""

    patience: float
    most: int
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(_FULL)
            transport.close()
        else:
            self._expect_request()

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self.conn.their_state is h11.IDLE:
            self._expect_request()
        super().data_received(data)
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        self._deadline = self.loop.call_later(self.patience, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, began: Event) -> None:
        super().__init__(config)
        self._began = began

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        await super().startup(sockets)
        self._began.set()
