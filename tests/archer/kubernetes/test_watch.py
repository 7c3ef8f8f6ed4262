from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING

import pytest

from archer.kubernetes.access import Access
from archer.kubernetes.client import ApiClient, Watch
from archer.kubernetes.errors import ApiError, ClusterUnreachableError

from .collection_server import PATH, CollectionServer, line, status_object, until

if TYPE_CHECKING:
    from collections.abc import Callable


def opened(client: ApiClient, since: str = "100") -> Watch:
    return client.watch(PATH, resource_version=since, timeout_seconds=60)


def test_events_come_in_order_with_what_happened_before_the_watch(server: CollectionServer, client: ApiClient) -> None:
    server.put("a", "1")
    watch = opened(client)
    server.put("a", "2")
    server.remove("a")
    server.bookmark()
    server.everywhere("end")

    assert [(kind, thing["metadata"]["resourceVersion"]) for kind, thing in watch] == [
        ("ADDED", "101"),
        ("MODIFIED", "102"),
        ("DELETED", "103"),
        ("BOOKMARK", "104"),
    ]
    assert server.requests[0].query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "100",
        "timeoutSeconds": "60",
    }


def test_an_event_in_many_pieces_is_one_event(server: CollectionServer, client: ApiClient) -> None:
    watch = opened(client)
    event = line("ADDED", {"metadata": {"name": "é" * 1000}})
    server.everywhere(*(event[at : at + 97] for at in range(0, len(event), 97)), "end")

    assert [len(thing["metadata"]["name"]) for _, thing in watch] == [1000]


def test_many_events_in_one_piece_are_many_events(server: CollectionServer, client: ApiClient) -> None:
    watch = opened(client)
    server.everywhere(b"".join(line("ADDED", {"metadata": {"name": str(each)}}) for each in range(500)), "end")

    assert [thing["metadata"]["name"] for _, thing in watch] == [str(each) for each in range(500)]


def test_a_watch_that_expired_is_refused_or_ends_in_410(server: CollectionServer, client: ApiClient) -> None:
    server.forget()
    with pytest.raises(ApiError) as refused:
        opened(client)
    watch = opened(client, "101")
    server.everywhere(line("ERROR", status_object(410, "Expired", "too old resource version: 1 (2)")))

    with pytest.raises(ApiError, match="410 Expired: too old resource version") as ended:
        next(watch)

    assert refused.value.expired
    assert ended.value.expired


def test_an_error_event_carries_the_pause_that_is_asked_for(server: CollectionServer, client: ApiClient) -> None:
    watch = opened(client)
    server.everywhere(line("ERROR", status_object(429, "TooManyRequests", retryAfterSeconds=3)))

    with pytest.raises(ApiError) as caught:
        next(watch)

    assert caught.value.retry_after == 3


@pytest.mark.parametrize("ending", ["cut", "end"])
def test_a_stream_that_stops_within_an_event_is_an_error_and_gives_no_half_event(
    server: CollectionServer, client: ApiClient, ending: str
) -> None:
    watch = opened(client)
    server.put("a")
    server.everywhere(line("MODIFIED", {"metadata": {"name": "a"}})[:30], "cut" if ending == "cut" else "end")

    assert next(watch).type == "ADDED"
    with pytest.raises(ClusterUnreachableError, match="cut a watch"):
        next(watch)


def test_what_is_no_event_is_an_error(server: CollectionServer, client: ApiClient) -> None:
    watch = opened(client)
    server.everywhere(b"upstream is away\n")

    with pytest.raises(ClusterUnreachableError, match="sent no event in a watch: b'upstream is away'"):
        next(watch)


def test_a_silent_connection_is_noticed(server: CollectionServer) -> None:
    with (
        ApiClient(Access(server=server.url), silence_seconds=0.3) as client,
        pytest.raises(ClusterUnreachableError, match="timed out"),
    ):
        next(opened(client))


@pytest.mark.parametrize("close", [lambda client, _: client.close(), lambda _, watch: watch.close()])
def test_closing_from_another_thread_ends_a_watch_that_waits(
    server: CollectionServer, client: ApiClient, close: Callable[[ApiClient, Watch], None]
) -> None:
    watch = opened(client)
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.extend([*watch, "ended"]))
    thread.start()
    server.put("a")
    until(lambda: server.watches != [])
    time.sleep(0.05)

    close(client, watch)
    thread.join(5)

    assert not thread.is_alive()
    assert got[-1] == "ended"


def test_watches_do_not_use_up_the_connections_of_calls(server: CollectionServer) -> None:
    with ApiClient(Access(server=server.url), pool_size=1) as client:
        watches = [opened(client) for _ in range(5)]

        assert client.get(PATH)["items"] == []
        assert len(server.watches) == len(watches)


def test_a_watch_that_nobody_read_keeps_no_connection_when_it_is_closed(client: ApiClient) -> None:
    watch = opened(client)

    watch.close()

    assert list(watch) == []
    del watch
    # a socket that is still open would warn here, and a warning fails a test
    gc.collect()
