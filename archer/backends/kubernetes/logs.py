"""Reads the end of a driver's log, as it was written by then; `pieces` reads the others."""

from typing import Any, Final

from archer.backends.kubernetes import live, names
from archer.kubernetes.client import ApiClient
from archer.kubernetes.errors import ApiError

TAIL_BYTES: Final = 64 * 1024
"""What a diagnosis reads, and what is recorded, of a log's end."""
SUCCESS_BYTES: Final = 16 * 1024
"""What is recorded of the end of a log that nothing is to be found out from."""
_NONE: Final = frozenset({400, 404})
"""The container never started, or its pod is gone."""
_TAIL_LINES: Final = 2000
_TAIL_READ_BYTES: Final = 4 * 1024 * 1024
"""`limitBytes` counts from the first of the last lines, so a tail must be read whole before it is cut."""


class LogLostError(Exception):
    """The node or its kubelet is gone: a verdict mustn't wait for this log, and says that it was given without."""


def read_tail(client: ApiClient, namespace: str, attempt: str, *, most: int = TAIL_BYTES) -> str:
    """The last `most` bytes of a driver's log; empty where there is none. Raises BackendUnavailableError, LogLostError."""
    query: dict[str, Any] = {
        "container": names.DRIVER_CONTAINER,
        "tailLines": _TAIL_LINES,
        "limitBytes": _TAIL_READ_BYTES,
    }
    try:
        data = client.text(path(namespace, attempt), **query)
    except ApiError as error:
        if error.overloaded:
            raise live.unavailable(error, f"read the end of the driver log of attempt {attempt}") from error
        if error.status not in _NONE:
            raise LogLostError(str(error)) from error
        return ""
    return data[-most:].decode(errors="replace").replace("\x00", "")


def path(namespace: str, attempt: str) -> str:
    """Of the log of the attempt's driver."""
    return f"{names.pods(namespace, names.driver(attempt))}/log"
