"""Sockets to listen on: the wanted port, or the next free one."""

import socket

from archer.errors import CannotServeError

TRIES = 100
"""How many ports to try, one after the other."""


def listen(host: str, port: int, *, strict: bool = False) -> socket.socket:
    """A listening socket on `port` or, unless `strict`, one of the next. Raises CannotServeError."""
    last_error: OSError | None = None
    for candidate in [port] if strict or port == 0 else range(port, min(port + TRIES, 65536)):
        try:
            return _bound(host, candidate)
        except OSError as error:
            last_error = error
    fix = "stop the other program, or leave out --strict-port" if strict else "choose another --port"
    raise CannotServeError(f"can't listen on {host}:{port} ({last_error}); {fix}") from last_error


def free_port(host: str, port: int, *, avoid: frozenset[int] = frozenset()) -> int:
    """A port that was free a moment ago: `port` or one of the next; for programs that must open it themselves."""
    for candidate in [0] if port == 0 else range(port, min(port + TRIES, 65536)):
        if candidate and candidate in avoid:
            continue
        try:
            with _bound(host, candidate) as found:
                return int(found.getsockname()[1])
        except OSError:
            continue
    raise CannotServeError(f"no free port from {port} on; choose another one")


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named, though there is no other: asyncio switches Nagle's algorithm off for such sockets alone, and with it each answer of
    # two packets on a kept connection would wait 40 ms for the client's delayed acknowledgement
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # a port that a server of ours left a moment ago is free; one that somebody listens on is not
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)
    except OSError:
        found.close()
        raise
    return found
