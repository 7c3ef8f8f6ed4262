from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from archer.kubernetes.access import Access
from archer.kubernetes.client import ApiClient
from archer.kubernetes.reflector import Hooks, Pace, Reflector

from .collection_server import PATH, CollectionServer, Request, line, status, status_object, until

QUICK = Pace(first_pause_seconds=0.01, longest_pause_seconds=0.05, relist_gap_seconds=0.05, stale_seconds=0.5)
Change = tuple[str, str | None, str | None]


def value(thing: Mapping[str, Any]) -> str:
    return str(thing["data"]["value"])


class Listener:
    """A reflector and all that it told."""

    def __init__(self, client: ApiClient, pace: Pace, project: Callable[[Mapping[str, Any]], str], **more: Any) -> None:
        self.changes: list[Change] = []
        self.told: list[tuple[str, str, str]] = []
        hooks = Hooks(
            listed=lambda name, why: self.told.append((name, "listed", why)),
            event=lambda name, kind: self.told.append((name, "event", kind)),
            failed=lambda name, what: self.told.append((name, "failed", what)),
        )
        self.reflector: Reflector[str] = Reflector(
            client,
            PATH,
            project=project,
            on_change=lambda *change: self.changes.append(change),
            name="ads",
            pace=pace,
            hooks=hooks,
            **more,
        )

    def why_listed(self) -> list[str]:
        return [what for _, kind, what in self.told if kind == "listed"]

    def wait(self, **expected: str) -> None:
        until(lambda: dict(self.reflector.items()) == expected)

    def new_changes(self) -> list[Change]:
        found, self.changes[:] = list(self.changes), []
        return found


@contextmanager
def listening(
    client: ApiClient,
    pace: Pace = QUICK,
    project: Callable[[Mapping[str, Any]], str] = value,
    **more: Any,
) -> Iterator[Listener]:
    listener = Listener(client, pace, project, **more)
    listener.reflector.start()
    try:
        yield listener
    finally:
        listener.reflector.stop()


def test_the_list_then_every_change_is_told_once(server: CollectionServer, client: ApiClient) -> None:
    server.put("a", "1")
    with listening(client) as ads:
        assert ads.reflector.wait_synced(5)
        server.wait_watched()
        server.put("b", "1")
        server.put("a", "2")
        server.put("a", "2")
        server.remove("b")
        ads.wait(a="2")
        until(lambda: ads.reflector.figures().events == 4)

    assert ads.changes == [("a", None, "1"), ("b", None, "1"), ("a", "1", "2"), ("b", "1", None)]
    assert ads.reflector.get("a") == "2"
    assert ads.reflector.get("b") is None


def test_what_happened_before_the_watch_stood_is_not_missed(server: CollectionServer, client: ApiClient) -> None:
    server.put("a", "1")

    def in_between(request: Request) -> None:
        if request.is_watch and "b" not in server.objects:
            server.put("b", "1")

    server.fault = in_between
    with listening(client) as ads:
        ads.wait(a="1", b="1")
        assert len(ads.why_listed()) == 1


def test_the_last_state_before_a_deletion_is_told_although_no_event_showed_it(
    server: CollectionServer, client: ApiClient
) -> None:
    server.put("a", "running")
    with listening(client) as ads:
        server.wait_watched()
        server.remove("a", value="ended")
        until(lambda: len(ads.changes) == 3)

    assert ads.changes[1:] == [("a", "running", "ended"), ("a", "ended", None)]


@pytest.mark.parametrize("by_event", [False, True])
def test_after_410_exactly_what_differs_is_told(server: CollectionServer, client: ApiClient, by_event: bool) -> None:
    for name in ("changed", "deleted", "kept", "replaced"):
        server.put(name, "1")
    with listening(client) as ads:
        server.wait_watched()
        ads.wait(changed="1", deleted="1", kept="1", replaced="1")
        ads.new_changes()
        away = threading.Event()
        server.fault = lambda _: None if away.is_set() else status(503, "ServiceUnavailable")
        server.interrupt("cut")
        until(lambda: ads.reflector.figures().failures > 0)

        server.put("changed", "2")
        server.remove("deleted")
        server.remove("replaced")
        server.put("replaced", "1")
        server.put("new", "1")
        server.forget()
        if by_event:
            server.forget = lambda: None  # type: ignore[method-assign]  # told inside the stream instead of by its status
            server.fault = answer_watches_by_an_error_event(server)
        away.set()
        ads.wait(changed="2", kept="1", replaced="1", new="1")
        until(lambda: ads.why_listed() == ["start", "expired"])

    assert sorted(ads.changes, key=lambda change: (change[0], change[1] is None)) == [
        ("changed", "1", "2"),
        ("deleted", "1", None),
        ("new", None, "1"),
        ("replaced", "1", None),
        ("replaced", None, "1"),
    ]


def answer_watches_by_an_error_event(server: CollectionServer) -> Callable[[Request], None]:
    """The first watch is accepted although its history is gone, as by a server that learns of a compaction later."""
    left = [True]

    def fault(request: Request) -> None:
        if request.is_watch and left:
            left.pop()
            oldest, server._oldest = server._oldest, 0
            threading.Timer(
                0.05, lambda: server.everywhere(line("ERROR", status_object(410, "Expired", "too old")))
            ).start()
            threading.Timer(0.02, lambda: setattr(server, "_oldest", oldest)).start()

    return fault


@pytest.mark.parametrize("end", ["cut", "end"])
def test_a_watch_that_ends_is_taken_up_where_it_was_without_a_list(
    server: CollectionServer, client: ApiClient, end: Any
) -> None:
    with listening(client) as ads:
        server.wait_watched()
        server.put("a", "1")
        ads.wait(a="1")
        server.interrupt(end)
        server.put("a", "2")
        ads.wait(a="2")

    assert ads.why_listed() == ["start"]
    assert ads.changes == [("a", None, "1"), ("a", "1", "2")]


def test_a_line_cut_in_its_middle_is_told_whole_after_the_next_watch(
    server: CollectionServer, client: ApiClient
) -> None:
    with listening(client) as ads:
        server.wait_watched()
        server.interrupt(b'{"type": "ADDED", "object": {"metadata": {"name": "a", ', "cut")
        server.put("a", "1")
        ads.wait(a="1")

    assert ads.changes == [("a", None, "1")]
    assert ads.why_listed() == ["start"]


def test_bookmarks_alone_keep_a_quiet_watch_where_history_still_is(server: CollectionServer, client: ApiClient) -> None:
    with listening(client) as ads:
        server.wait_watched()
        server.bookmark()
        server.bookmark()
        until(lambda: ads.reflector.figures().bookmarks == 2)
        with server._lock:
            server._oldest = server._version
        server.everywhere("end")
        server.wait_watched(2)
        server.put("a", "1")
        ads.wait(a="1")

    assert ads.why_listed() == ["start"]
    assert ads.reflector.figures().events == 1


def test_a_storm_of_410_costs_one_list_per_gap(server: CollectionServer, client: ApiClient) -> None:
    server.fault = lambda request: status(410, "Expired", "too old") if request.is_watch else None
    pace = Pace(first_pause_seconds=0.001, longest_pause_seconds=0.001, relist_gap_seconds=0.2)
    with listening(client, pace):
        until(lambda: sum(each.is_list for each in server.requests) == 5)

    lists = [each.at for each in server.requests if each.is_list]
    # what the server measures is a little off what the client keeps
    assert all(later - earlier > 0.15 for earlier, later in pairwise(lists))


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_storm_of_errors_costs_one_list_per_gap_and_its_end_is_noticed(
    server: CollectionServer, client: ApiClient, code: int
) -> None:
    storm = [True]
    server.put("a", "1")
    server.fault = lambda _: status(code, "Trouble", "later") if storm else None
    pace = Pace(first_pause_seconds=0.001, longest_pause_seconds=0.001, relist_gap_seconds=0.2)
    with listening(client, pace) as ads:
        until(lambda: len(server.requests) == 4)
        assert not ads.reflector.synced
        assert ads.reflector.last_error == f"{server.url} answers {code} Trouble: later"
        storm.clear()
        assert ads.reflector.wait_synced(5)
        until(lambda: ads.reflector.last_error is None)

    lists = [each.at for each in server.requests if each.is_list]
    assert all(later - earlier > 0.15 for earlier, later in pairwise(lists))


def test_a_storm_that_hits_watches_makes_no_list(server: CollectionServer, client: ApiClient) -> None:
    left = list(range(10))
    server.fault = lambda request: status(429, "TooManyRequests") if request.is_watch and left and left.pop() else None
    with listening(client) as ads:
        until(lambda: bool(server.watches))
        server.put("a", "1")
        ads.wait(a="1")

    assert sum(each.is_list for each in server.requests) == 1
    assert [what for _, kind, what in ads.told if kind == "failed"] == ["429"] * 9


def test_a_pause_that_the_server_asks_for_is_kept(server: CollectionServer, client: ApiClient) -> None:
    left = [True]
    server.fault = lambda _: status(429, "TooManyRequests", retryAfterSeconds=1) if left and left.pop() else None
    with listening(client) as ads:
        assert ads.reflector.wait_synced(5)

    assert server.requests[1].at - server.requests[0].at > 0.95


def test_a_list_that_expires_between_pages_tells_no_object_that_is_gone(
    server: CollectionServer, client: ApiClient
) -> None:
    for number in range(5):
        server.put(f"n{number}", "1")
    left = [True]

    def expire(request: Request) -> None:
        if "continue" in request.query and left:
            left.pop()
            server.remove("n0")
            server.forget()

    server.fault = expire
    with listening(client, page_size=2) as ads:
        ads.wait(n1="1", n2="1", n3="1", n4="1")

    assert sorted(ads.changes) == [(f"n{number}", None, "1") for number in range(1, 5)]


def test_a_server_restored_from_a_backup_is_listed_again(server: CollectionServer, client: ApiClient) -> None:
    left = [True]
    behind = status(504, "Timeout", "Too large resource version", causes=[{"reason": "ResourceVersionTooLarge"}])
    server.fault = lambda request: behind if request.is_watch and left and left.pop() else None
    with listening(client) as ads:
        until(lambda: ads.why_listed() == ["start", "too-new"])


def test_without_a_watch_for_long_it_is_no_longer_synced(server: CollectionServer, client: ApiClient) -> None:
    with listening(client) as ads:
        server.wait_watched()
        until(lambda: ads.reflector.figures().lag_seconds == 0)
        server.fault = lambda _: status(500, "InternalError")
        server.everywhere("cut")
        until(lambda: not ads.reflector.synced)
        assert ads.reflector.figures().lag_seconds >= 0.5
        assert not ads.reflector.wait_synced(0.01)
        server.fault = lambda _: None
        assert ads.reflector.wait_synced(5)


def test_after_a_silence_the_lag_counts_from_the_last_event(server: CollectionServer) -> None:
    lags: list[float] = []
    with ApiClient(Access(server=server.url), silence_seconds=0.4) as client:
        reflector: Reflector[str] = Reflector(
            client,
            PATH,
            project=value,
            on_change=lambda *_: None,
            name="ads",
            hooks=Hooks(failed=lambda _, what: lags.append(reflector.figures().lag_seconds) if what else None),
        )
        reflector.start()
        until(lambda: bool(lags))
        reflector.stop()

    assert lags[0] >= 0.4


def test_an_object_that_nobody_understands_stops_no_other(server: CollectionServer, client: ApiClient) -> None:
    def picky(thing: Mapping[str, Any]) -> str:
        if value(thing) == "bad":
            raise ValueError("bad")
        return value(thing)

    server.put("a", "bad")
    server.put("b", "1")
    with listening(client, project=picky) as ads:
        ads.wait(b="1")
        server.wait_watched()
        server.put("b", "bad")
        server.put("c", "1")
        ads.wait(b="1", c="1")
        server.put("a", "2")
        ads.wait(a="2", b="1", c="1")

    assert ads.reflector.figures().defects == 2


def test_a_listener_that_fails_goes_on_hearing(server: CollectionServer, client: ApiClient) -> None:
    heard: list[str] = []

    def fail(key: str, _before: str | None, _after: str | None) -> None:
        heard.append(key)
        raise RuntimeError(key)

    server.put("a", "1")
    reflector = Reflector(client, PATH, project=value, on_change=fail, name="ads", pace=QUICK)
    reflector.start()
    server.wait_watched()
    server.put("b", "1")
    until(lambda: heard == ["a", "b"])
    reflector.stop()


def test_labels_are_chosen_by_the_server_in_lists_and_watches(server: CollectionServer, client: ApiClient) -> None:
    with listening(client, label_selector="archer.moka.dev/job-id"):
        server.wait_watched()

    assert {each.query["labelSelector"] for each in server.requests} == {"archer.moka.dev/job-id"}
    assert "fieldSelector" not in server.requests[0].query


@pytest.mark.parametrize("in_a_pause", [False, True])
def test_stopping_ends_the_thread_at_once(server: CollectionServer, client: ApiClient, in_a_pause: bool) -> None:
    if in_a_pause:
        server.fault = lambda _: status(500, "InternalError")
    pace = Pace(first_pause_seconds=60, longest_pause_seconds=60)
    with listening(client, pace) as ads:
        until(lambda: bool(server.requests if in_a_pause else server.watches))
        time.sleep(0.05)
        began = time.monotonic()

    assert time.monotonic() - began < 4
    assert not ads.reflector._thread.is_alive()
    assert not ads.reflector.synced


def test_figures_tell_what_happened(server: CollectionServer, client: ApiClient) -> None:
    server.put("a", "1")
    with listening(client) as ads:
        server.wait_watched()
        server.put("b", "1")
        server.bookmark()
        until(lambda: ads.reflector.figures().bookmarks == 1)
        figures = ads.reflector.figures()

    assert (figures.objects, figures.lists, figures.events, figures.failures) == (2, 1, 1, 0)
    assert figures.synced
    assert figures.lag_seconds == 0
    assert 0 <= figures.last_event_age_seconds < 20
    assert ads.told == [("ads", "listed", "start"), ("ads", "event", "ADDED"), ("ads", "event", "BOOKMARK")]


def test_a_server_that_is_away_at_the_start_is_waited_for(server: CollectionServer) -> None:
    with ApiClient(Access(server="http://127.0.0.1:9")) as client, listening(client) as ads:
        until(lambda: ads.reflector.last_error is not None)

        assert ads.reflector.last_error == "http://127.0.0.1:9 does not answer: Connection refused"
        assert not ads.reflector.wait_synced(0.01)
