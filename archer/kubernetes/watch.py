"""One watch: events line by line from an answer that has no end, stoppable from another thread."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock
from typing import Any, Final, NamedTuple, Self

import orjson
import urllib3
from urllib3.exceptions import HTTPError

from archer.kubernetes.connections import innermost, reason
from archer.kubernetes.errors import ApiError, ClusterUnreachableError

_PIECE: Final = 1 << 20


class WatchEvent(NamedTuple):
    """Something that happened to an object, or a bookmark: nothing did, up to the object's resourceVersion."""

    type: str
    """ADDED, MODIFIED, DELETED or BOOKMARK."""
    object: dict[str, Any]


class Watch(Iterator[WatchEvent]):
    """Events as they come. Ends when the server ends it or after `close`.

    Raises ApiError for an ERROR event, ClusterUnreachableError when the connection was cut or silent.
    """

    def __init__(self, answer: urllib3.BaseHTTPResponse, server: str, forget: Callable[["Watch"], None]) -> None:
        self._answer = answer
        self._server = server
        self._forget = forget
        self._closed = False
        self._begun = False
        self._turn = Lock()
        self.silent = False
        """Whether it ended because nothing came any more: since when it was dead is not known."""
        self._lines = self._read()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> WatchEvent:
        with self._turn:
            if self._closed and not self._begun:
                raise StopIteration
            self._begun = True
        return next(self._lines)

    def close(self) -> None:
        """End it, from any thread; whoever waits for an event stops waiting."""
        with self._turn:
            self._closed = True
            unread = not self._begun
        # nothing to shut down any more: it has ended by itself
        with suppress(OSError, RuntimeError, ValueError):
            self._answer.shutdown()
        if unread:
            # nobody has asked for an event, and nobody will: its reader can't close the connection
            self._answer.close()
            self._forget(self)

    def _read(self) -> Iterator[WatchEvent]:
        try:
            for line in self._whole_lines():
                yield self._event(line)
                if self._closed:
                    return
        finally:
            # never back to the pool: there may be unread bytes, or a socket that was shut down
            self._answer.close()
            self._forget(self)

    def _whole_lines(self) -> Iterator[bytes]:
        rest = b""
        try:
            while piece := self._answer.read1(_PIECE):
                if self._closed:
                    return
                *lines, rest = (rest + piece).split(b"\n")
                yield from filter(None, lines)
        except (HTTPError, OSError) as error:
            if self._closed:
                return
            self.silent = isinstance(innermost(error), TimeoutError)
            raise ClusterUnreachableError(f"{self._server} cut a watch: {reason(error)}") from error
        if rest.strip() and not self._closed:
            raise ClusterUnreachableError(f"{self._server} cut a watch in the middle of an event")

    def _event(self, line: bytes) -> WatchEvent:
        try:
            event = orjson.loads(line)
            kind, thing = event["type"], event["object"]
        except (ValueError, KeyError, TypeError) as error:
            raise ClusterUnreachableError(f"{self._server} sent no event in a watch: {line[:200]!r}") from error
        if kind == "ERROR":
            raise ApiError.of(int(thing.get("code") or 500), thing, server=self._server)
        return WatchEvent(kind, thing)
