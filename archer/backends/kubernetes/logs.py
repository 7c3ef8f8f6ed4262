"""Reads the log of a driver's pod; of one that is gone, what was recorded of its end.

The API server knows no offsets, only a log's beginning and its last lines. So a piece is cut from a read that starts at
the beginning: never more is read than up to the piece's end, and never more than `MAX_BYTES`. The kubelet rotates at 10 MiB
by default and then serves what follows, so there is rarely more to have; the whole log is in the object store.
"""

from collections.abc import Callable
from typing import Any, Final

from archer.backends.interface import LogPiece
from archer.backends.kubernetes import live, names
from archer.kubernetes.client import ApiClient
from archer.kubernetes.errors import ApiError

MAX_BYTES: Final = 16 * 1024 * 1024
TAIL_BYTES: Final = 64 * 1024
"""What a diagnosis reads, and what is recorded, of a log's end."""
SUCCESS_BYTES: Final = 16 * 1024
"""What is recorded of the end of a log that nothing is to be found out from."""
_TAIL_LINES: Final = 2000
_TAIL_READ_BYTES: Final = 4 * 1024 * 1024
"""`limitBytes` counts from the first of the last lines, so a tail must be read whole before it is cut."""
_NOTHING_YET: Final = frozenset({400, 404})
"""The container waits to start, or there is no pod."""

Recorded = Callable[[], str | None]


def read_piece(
    client: ApiClient, namespace: str, attempt: str, *, offset: int, limit: int, recorded: Recorded
) -> LogPiece:
    """At most `limit` bytes from `offset` on. Raises BackendUnavailableError.

    `size` is exact where the read came to the log's end; else it says that there is more.
    """
    # a limit of 0 asks for the size, which only the whole log tells
    end = MAX_BYTES if limit <= 0 else min(offset + limit, MAX_BYTES)
    try:
        data = client.text(_path(namespace, attempt), container=names.DRIVER_CONTAINER, limitBytes=end + 1)
    except ApiError as error:
        if error.status not in _NOTHING_YET:
            raise live.unavailable(error, f"read the driver log of attempt {attempt}") from error
        data = ((recorded() if error.not_found else None) or "").encode()
    data = data[:MAX_BYTES]
    return LogPiece(data=data[offset : offset + max(limit, 0)], offset=offset, size=len(data))


def read_tail(client: ApiClient, namespace: str, attempt: str, *, most: int = TAIL_BYTES) -> str:
    """The last `most` bytes of a driver's log; empty when it can't be had any more. Raises BackendUnavailableError."""
    query: dict[str, Any] = {
        "container": names.DRIVER_CONTAINER,
        "tailLines": _TAIL_LINES,
        "limitBytes": _TAIL_READ_BYTES,
    }
    try:
        data = client.text(_path(namespace, attempt), **query)
    except ApiError as error:
        if error.overloaded:
            raise live.unavailable(error, f"read the end of the driver log of attempt {attempt}") from error
        # the node, its kubelet or the pod is gone: the verdict mustn't wait for ever
        return ""
    return data[-most:].decode(errors="replace").replace("\x00", "")


def _path(namespace: str, attempt: str) -> str:
    return f"{names.pods(namespace, names.driver(attempt))}/log"
