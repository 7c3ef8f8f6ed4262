"""Pieces of a driver's log by byte, over an API that knows no bytes but the first ones.

It knows times: lines since a second. So it is remembered of a log at which byte the lines of some seconds begin, and a
piece is cut from a read that starts at such a place: following a long log costs what is new. That the place is still
where it was shows its first line. The kubelet rotates at 10 MiB by default and then serves what follows, so there is
rarely more than `MAX_BYTES` to have; the whole log is in the object store. Of a pod that is gone, what was recorded of its end.
"""

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from archer.backends.interface import LogPiece
from archer.backends.kubernetes import live, names
from archer.backends.kubernetes.logs import path
from archer.kubernetes.client import ApiClient
from archer.kubernetes.errors import ApiError

MAX_BYTES: Final = 16 * 1024 * 1024
_NOTHING_YET: Final = frozenset({400, 404})
"""The container waits to start, or there is no pod."""
LOGS: Final = 256
"""Logs of which places are known; those that were read last."""
_PLACES: Final = 32
"""Of one log."""
_LATE_SECONDS: Final = 1
"""Lines of stdout and of stderr are stamped by two writers: one may be written a moment after its time."""
_STAMP: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d) ")

Recorded = Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the lines of a second begin."""

    offset: int
    second: int
    first: bytes
    """Digest of its first line, the time included."""


@dataclass(slots=True)
class _Lines:
    """What was read, without the times."""

    data: bytearray = field(default_factory=bytearray)
    first: bytes = b""
    places: list[_Place] = field(default_factory=list)
    """Offsets count from the beginning of what was read."""
    newest: int = -1
    """The latest second."""
    cut: bool = False
    """There is more."""


class LogPieces:
    """Reads pieces of the logs of one cluster's drivers. Safe to use from many threads."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._places: OrderedDict[str, list[_Place]] = OrderedDict()

    def read(self, namespace: str, attempt: str, *, offset: int, limit: int, recorded: Recorded) -> LogPiece:
        """At most `limit` bytes from `offset` on. Raises BackendUnavailableError.

        `size` is exact where the read came to the log's end; else it says that there is more.
        """
        # a limit of 0 asks for the size, which only the log's end tells
        end = MAX_BYTES if limit <= 0 else min(offset + limit, MAX_BYTES)
        start = offset if limit > 0 else MAX_BYTES
        base, more = 0, False
        try:
            base, data, more = self._read(path(namespace, attempt), start, end)
        except ApiError as error:
            if error.status not in _NOTHING_YET:
                raise live.unavailable(error, f"read the driver log of attempt {attempt}") from error
            data = ((recorded() if error.not_found else None) or "").encode()
        data = data[: MAX_BYTES - base]
        piece = data[max(0, offset - base) :][: max(limit, 0)]
        return LogPiece(data=piece, offset=offset, size=min(base + len(data) + more, MAX_BYTES))

    def _read(self, log: str, start: int, end: int) -> tuple[int, bytes, bool]:
        """Where a part of the log begins, at or before `start`; its bytes, to the one after `end`; whether more follow."""
        place = self._place_before(log, start)
        lines = self._lines(log, end + 1, place)
        if lines is not None and place is not None and lines.first != place.first:
            # the log was rotated: what was known of it is void, and its bytes are counted anew
            with self._lock:
                self._places.pop(log, None)
            place, lines = None, self._lines(log, end + 1, None)
        if lines is None:
            # words of the kubelet's own, without times
            return 0, self._text(log, limitBytes=end + 1), False
        base = 0 if place is None else place.offset
        self._remember(log, base, lines)
        return base, bytes(lines.data), lines.cut

    def _lines(self, log: str, end: int, place: _Place | None) -> _Lines | None:
        """Lines from the place on, at least up to byte `end` where there are as many; None when they aren't as expected."""
        query: dict[str, Any] = {"timestamps": True}
        if place is not None:
            query["sinceTime"] = datetime.fromtimestamp(place.second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        need = end - (0 if place is None else place.offset)
        most = 2 * need + 4096
        while True:
            raw = self._text(log, limitBytes=most, **query)
            lines = _without_times(raw, cut=len(raw) >= most)
            if lines is None or not lines.cut or len(lines.data) >= need or most > 4 * MAX_BYTES:
                return lines
            most *= 2

    def _text(self, log: str, **query: Any) -> bytes:
        return self._client.text(log, container=names.DRIVER_CONTAINER, **query)

    def _place_before(self, log: str, start: int) -> _Place | None:
        with self._lock:
            known = self._places.get(log, ())
            return max((each for each in known if each.offset <= start), key=lambda each: each.offset, default=None)

    def _remember(self, log: str, base: int, lines: _Lines) -> None:
        """The last place that no line can come before any more."""
        settled = [each for each in lines.places if each.second <= lines.newest - _LATE_SECONDS]
        found = next((each for each in reversed(settled) if base + each.offset < MAX_BYTES), None)
        if found is None:
            return
        place = _Place(base + found.offset, found.second, found.first)
        with self._lock:
            known = self._places.setdefault(log, [])
            self._places.move_to_end(log)
            if all(each.offset != place.offset for each in known):
                self._places[log] = _thinned(sorted([*known, place], key=lambda each: each.offset))
            if len(self._places) > LOGS:
                self._places.popitem(last=False)


def _thinned(places: Sequence[_Place]) -> list[_Place]:
    """Of too many every second one; the last stays, as readers are there mostly."""
    return list(places) if len(places) <= _PLACES else list(places[::-1][::2][::-1])


def _without_times(raw: bytes, *, cut: bool) -> _Lines | None:
    """The lines without the time before each, and where seconds begin; None when a line has no time."""
    lines = _Lines(cut=cut)
    written = raw.split(b"\n")
    known: tuple[bytes, bytes, int] = (b"", b"", 0)
    for number, line in enumerate(written):
        is_last = number == len(written) - 1
        if is_last and not line:
            break
        stamp = _STAMP.match(line)
        if stamp is None:
            if is_last and cut:
                # cut within the time
                break
            return None
        if known[:2] != stamp.groups():
            known = (
                stamp[1],
                stamp[2],
                int(datetime.fromisoformat(f"{stamp[1].decode()}{stamp[2].decode()}").timestamp()),
            )
        second = known[2]
        if number == 0:
            lines.first = _digest(line)
        while lines.places and lines.places[-1].second > second:
            # a line that came late: what begins before it isn't all of that second
            lines.places.pop()
        if second > lines.newest:
            lines.newest = second
            lines.places.append(_Place(len(lines.data), second, _digest(line)))
        lines.data += line[stamp.end() :]
        if not is_last:
            lines.data += b"\n"
    return lines


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=16).digest()
