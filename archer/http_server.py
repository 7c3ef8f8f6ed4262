"""Serves the web application from a thread, on a socket that is open already.

In a thread, because the main thread's signal handlers are `archer.server`'s: uvicorn's own would end the process by the
signal instead of with exit code 0.
"""

import socket
from threading import Event, Thread

import anyio.to_thread
import uvicorn
from fastapi import FastAPI

_START_SECONDS = 30.0

THREADS = 100
"""For calls that touch the store. A thread is made when it is needed; so many may wait for a database that another program
has locked while reads go on."""


class HttpServer:
    """One uvicorn."""

    def __init__(self, app: FastAPI, sock: socket.socket, *, shutdown_seconds: float) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
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
        return self._started.wait(_START_SECONDS)

    def stop(self, seconds: float) -> None:
        """Stop listening, let open requests end, wait for it."""
        self._server.should_exit = True
        self._thread.join(seconds + 1)
        self._socket.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, began: Event) -> None:
        super().__init__(config)
        self._began = began

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        await super().startup(sockets)
        self._began.set()
