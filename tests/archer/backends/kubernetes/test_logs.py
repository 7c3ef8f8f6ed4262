"""Pieces of a pod's log by byte, over an API that knows no bytes but the first ones."""

import pytest

from archer.backends.interface import LogPiece
from archer.backends.kubernetes import logs, names
from archer.errors import BackendUnavailableError
from archer.kubernetes.errors import ApiError
from archer.logs import read_from, read_tail
from testbed import spark_manifests as made
from testbed.fake_kubernetes import FakeKubernetes

PATH = f"{names.pods(made.NAMESPACE, f'{made.NAME}-driver')}/log"
LINES = b"".join(b"line %d\n" % number for number in range(1000))


def piece(api: FakeKubernetes, offset: int, limit: int, recorded: str | None = None) -> LogPiece:
    return logs.read_piece(api.client, made.NAMESPACE, made.NAME, offset=offset, limit=limit, recorded=lambda: recorded)


def test_a_piece_is_cut_where_it_was_asked_for_and_tells_that_more_follows(api: FakeKubernetes) -> None:
    api.logs[PATH] = LINES

    found = piece(api, 100, 50)

    assert (found.data, found.offset) == (LINES[100:150], 100)
    assert found.size > 150
    assert piece(api, 0, len(LINES)).size == len(LINES)
    assert piece(api, len(LINES) + 10, 5).data == b""


def test_the_whole_log_is_read_in_pieces_and_its_end_is_its_end(api: FakeKubernetes) -> None:
    api.logs[PATH] = LINES
    text, offset, complete = "", 0, False
    while not complete:
        found = read_from(lambda at, limit: piece(api, at, limit), offset, limit=777, ended=True)
        text, offset, complete = text + found.text, found.next_offset, found.complete

    assert text.encode() == LINES


def test_the_last_lines_are_the_last_lines(api: FakeKubernetes) -> None:
    api.logs[PATH] = LINES

    found = read_tail(lambda at, limit: piece(api, at, limit), 2, limit=4096, ended=True)

    assert found.text == "line 998\nline 999\n"


def test_no_read_is_larger_than_its_bound(api: FakeKubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 1000)
    api.logs[PATH] = LINES

    found = piece(api, 0, 10_000)

    assert (len(found.data), found.size) == (1000, 1000)


def test_a_container_that_waits_to_start_has_an_empty_log(api: FakeKubernetes) -> None:
    api.faults["GET", PATH] = [ApiError(400, "BadRequest", "container is waiting to start: ContainerCreating")]

    assert piece(api, 0, 10, "old").size == 0


def test_of_a_pod_that_is_gone_the_recorded_end_is_read(api: FakeKubernetes) -> None:
    assert piece(api, 2, 3, "recorded").data == b"cor"
    assert piece(api, 0, 3, None).data == b""


def test_a_node_that_does_not_answer_is_no_empty_log(api: FakeKubernetes) -> None:
    api.faults["GET", PATH] = [ApiError(500, "InternalError", "dial tcp: i/o timeout")]

    with pytest.raises(BackendUnavailableError, match="i/o timeout"):
        piece(api, 0, 10)


def test_a_tail_is_the_end_of_a_long_log(api: FakeKubernetes) -> None:
    api.logs[PATH] = b"x" * 100 + b"\n" + b"y" * logs.TAIL_BYTES

    assert logs.read_tail(api.client, made.NAMESPACE, made.NAME) == "y" * logs.TAIL_BYTES


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (ApiError(429, "TooManyRequests", "slow down"), True),
        (ApiError(404, "NotFound", "gone"), False),
        (ApiError(500, "InternalError", "no kubelet"), False),
    ],
)
def test_a_verdict_waits_for_a_log_only_while_it_can_still_be_had(
    api: FakeKubernetes, error: ApiError, waits: bool
) -> None:
    api.faults["GET", PATH] = [error]

    if waits:
        with pytest.raises(BackendUnavailableError):
            logs.read_tail(api.client, made.NAMESPACE, made.NAME)
    else:
        assert logs.read_tail(api.client, made.NAMESPACE, made.NAME) == ""
