"""Pieces of a pod's log by byte, over an API that knows no bytes but the first ones."""

import random
from datetime import datetime, timedelta

import pytest

from archer.backends.interface import LogPiece
from archer.backends.kubernetes import names, pieces
from archer.backends.kubernetes.pieces import LogPieces
from archer.errors import BackendUnavailableError
from archer.kubernetes.errors import ApiError
from archer.logs import read_from, read_tail
from testbed import log_text
from testbed import spark_manifests as made
from testbed.fake_kubernetes import FakeKubernetes

PATH = f"{names.pods(made.NAMESPACE, f'{made.NAME}-driver')}/log"
LINES = b"".join(b"line %d\n" % number for number in range(1000))
LONG = b"".join(b"%06d INFO TaskSetManager: Finished task %d in stage 3.0\n" % (n, n % 7) for n in range(20_000))


class Reader:
    """One server, which reads the log of one driver."""

    def __init__(self, api: FakeKubernetes) -> None:
        self.api = api
        self.pieces = LogPieces(api.client)

    def piece(self, offset: int, limit: int, recorded: str | None = None) -> LogPiece:
        return self.pieces.read(made.NAMESPACE, made.NAME, offset=offset, limit=limit, recorded=lambda: recorded)

    def cost(self, offset: int, limit: int) -> tuple[bytes, int]:
        """A piece, and how many bytes the API server sent for it."""
        before = self.api.log_bytes
        return self.piece(offset, limit).data, self.api.log_bytes - before


@pytest.fixture
def reader(api: FakeKubernetes) -> Reader:
    return Reader(api)


def test_a_piece_is_cut_where_it_was_asked_for_and_tells_that_more_follows(api: FakeKubernetes, reader: Reader) -> None:
    api.logs[PATH] = LINES

    found = reader.piece(100, 50)

    assert (found.data, found.offset) == (LINES[100:150], 100)
    assert found.size > 150
    assert reader.piece(0, len(LINES)).size == len(LINES)
    assert reader.piece(len(LINES) + 10, 5).data == b""


def test_the_whole_log_is_read_in_pieces_and_its_end_is_its_end(api: FakeKubernetes, reader: Reader) -> None:
    api.logs[PATH] = LINES
    text, offset, complete = "", 0, False
    while not complete:
        found = read_from(reader.piece, offset, limit=777, ended=True)
        text, offset, complete = text + found.text, found.next_offset, found.complete

    assert text.encode() == LINES


def test_the_last_lines_are_the_last_lines(api: FakeKubernetes, reader: Reader) -> None:
    api.logs[PATH] = LINES

    found = read_tail(reader.piece, 2, limit=4096, ended=True)

    assert found.text == "line 998\nline 999\n"


def test_no_read_is_larger_than_its_bound(api: FakeKubernetes, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MAX_BYTES", 1000)
    api.logs[PATH] = LINES

    found = reader.piece(0, 10_000)

    assert (len(found.data), found.size) == (1000, 1000)


def test_a_container_that_waits_to_start_has_an_empty_log(api: FakeKubernetes, reader: Reader) -> None:
    api.faults["GET", PATH] = [ApiError(400, "BadRequest", "container is waiting to start: ContainerCreating")]

    assert reader.piece(0, 10, "old").size == 0


def test_of_a_pod_that_is_gone_the_recorded_end_is_read(api: FakeKubernetes, reader: Reader) -> None:
    assert reader.piece(2, 3, "recorded").data == b"cor"
    assert reader.piece(0, 3, None).data == b""


def test_a_node_that_does_not_answer_is_no_empty_log(api: FakeKubernetes, reader: Reader) -> None:
    api.faults["GET", PATH] = [ApiError(500, "InternalError", "dial tcp: i/o timeout")]

    with pytest.raises(BackendUnavailableError, match="i/o timeout"):
        reader.piece(0, 10)


def test_following_a_long_log_costs_what_is_new(api: FakeKubernetes, reader: Reader) -> None:
    api.logs[PATH] = LONG
    assert reader.piece(0, len(LONG) + 1).data == LONG
    offset, new = len(LONG), b""

    for number in range(50):
        added = b"new line %d\n" % number
        api.logs[PATH] += added
        data, sent = reader.cost(offset, 256 * 1024)
        # what was written in the seconds before it comes along
        assert (data, sent < 100 * len(b"new line\n") * 10) == (added, True)
        new, offset = new + data, offset + len(data)

    assert LONG + new == api.logs[PATH]


def test_catching_up_with_a_long_log_costs_little_more_than_the_log(api: FakeKubernetes, reader: Reader) -> None:
    api.logs[PATH] = LONG
    read = b""

    while piece := reader.piece(len(read), 64 * 1024).data:
        read += piece

    assert read == LONG
    assert api.log_bytes < 4 * len(LONG), "read from its beginning for each piece it would be ten times the log"


def test_the_size_of_a_log_that_was_read_costs_little(api: FakeKubernetes, reader: Reader) -> None:
    api.logs[PATH] = LONG
    assert reader.piece(0, 0).size == len(LONG)
    before = api.log_bytes

    assert reader.piece(0, 0).size == len(LONG)
    assert api.log_bytes - before < 10_000


def test_pieces_are_exact_in_whatever_order_they_are_read(api: FakeKubernetes, reader: Reader) -> None:
    log = api.logs[PATH] = LONG[:100_000]
    chance = random.Random(7)

    for _ in range(100):
        offset, limit = chance.randrange(len(log)), chance.randrange(1, 5_000)
        assert reader.piece(offset, limit).data == log[offset : offset + limit]


def test_a_line_that_is_written_after_its_time_moves_no_offset(api: FakeKubernetes, reader: Reader) -> None:
    def times(line: int) -> datetime:
        # stdout and stderr are stamped by two writers
        return log_text.ten_a_second(line) - (timedelta(milliseconds=150) if line % 10 == 0 else timedelta(0))

    api.log_times = times
    read = b""
    for number in range(1000):
        api.logs[PATH] = api.logs.get(PATH, b"") + b"line %d\n" % number
        read += reader.piece(len(read), 1000).data

    assert read == LINES


def test_a_log_that_was_rotated_is_counted_anew(api: FakeKubernetes, reader: Reader) -> None:
    api.logs[PATH] = LONG
    reader.piece(0, len(LONG))

    # the kubelet serves what follows, and its first lines have later times
    api.logs[PATH], api.log_times = LINES, lambda line: log_text.ten_a_second(line + 50_000)

    assert reader.piece(len(LONG) - 10, 100).data == b""
    assert reader.piece(100, 50) == LogPiece(data=LINES[100:150], offset=100, size=reader.piece(100, 50).size)


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(b"no newline at the end", id="unfinished"),
        pytest.param(b"\n" * 5000, id="empty-lines"),
        pytest.param(b"progress 1\rprogress 2\r\n\x00\xff\xfe 2026-11-23T12:00:00Z x\n" * 300, id="other-bytes"),
        pytest.param(b"x" * 300_000 + b"\n" + b"y" * 10, id="long-lines"),
    ],
)
def test_no_kind_of_line_moves_an_offset(api: FakeKubernetes, reader: Reader, log: bytes) -> None:
    api.logs[PATH] = log
    read = b""

    while piece := reader.piece(len(read), 1000 if len(log) < 100_000 else 50_000).data:
        read += piece

    assert read == log
    assert reader.piece(0, 0).size == len(log)


def test_words_of_the_kubelet_without_a_time_are_shown(
    api: FakeKubernetes, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def text(_path: str, **query: int) -> bytes:
        return b"unable to retrieve container logs for containerd://5f"[: query["limitBytes"]]

    monkeypatch.setattr(api, "text", text)

    assert reader.piece(7, 11).data == b"to retrieve"


def test_of_few_logs_places_are_known(api: FakeKubernetes, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "LOGS", 2)
    for number in range(4):
        attempt = f"a-{number}"
        api.logs[f"{names.pods(made.NAMESPACE, f'{attempt}-driver')}/log"] = LONG
        reader.pieces.read(made.NAMESPACE, attempt, offset=0, limit=len(LONG), recorded=lambda: None)

    sent = []
    for number in (0, 3):
        before = api.log_bytes
        reader.pieces.read(made.NAMESPACE, f"a-{number}", offset=len(LONG), limit=10, recorded=lambda: None)
        sent.append(api.log_bytes - before)

    assert sent[0] > len(LONG) > 10_000 > sent[1]
