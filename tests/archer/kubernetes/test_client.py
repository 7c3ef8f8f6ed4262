from __future__ import annotations

import json
import threading
import time

import pytest

from archer.kubernetes.access import Access
from archer.kubernetes.client import ApiClient
from archer.kubernetes.credentials import RenewedToken
from archer.kubernetes.errors import ApiError, ClusterUnreachableError

from .collection_server import PATH, Answer, CollectionServer, Request, status


def test_query_parameters_are_the_apis_own_words(server: CollectionServer, client: ApiClient) -> None:
    client.get(PATH, labelSelector="a=b,c in (d)", limit=5, watchList=None, pretty=True)

    assert server.requests[0].query == {"labelSelector": "a=b,c in (d)", "limit": "5", "pretty": "true"}


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("merge", "application/merge-patch+json"),
        ("json", "application/json-patch+json"),
        ("strategic", "application/strategic-merge-patch+json"),
        ("apply", "application/apply-patch+yaml"),
    ],
)
def test_each_kind_of_patch_says_what_it_is(
    server: CollectionServer, client: ApiClient, kind: object, content_type: str
) -> None:
    server.put("a")

    client.patch(f"{PATH}/a", {"data": {"value": "1"}}, kind=kind)  # type: ignore[arg-type]  # each of them

    assert server.requests[0].headers["Content-Type"] == content_type
    assert json.loads(server.requests[0].body) == {"data": {"value": "1"}}


def test_a_delete_says_what_it_is_for_and_how(server: CollectionServer, client: ApiClient) -> None:
    server.put("a")

    assert client.delete(f"{PATH}/a", preconditions_uid="u", propagation="Foreground", grace_seconds=0)

    sent = json.loads(server.requests[0].body)
    assert sent["preconditions"] == {"uid": "u"}
    assert sent["propagationPolicy"] == "Foreground"
    assert sent["gracePeriodSeconds"] == 0


def test_a_delete_of_what_is_gone_is_false(server: CollectionServer, client: ApiClient) -> None:
    assert client.delete(f"{PATH}/a") is False


def test_a_conflict_that_is_not_about_the_uid_is_an_error(server: CollectionServer, client: ApiClient) -> None:
    server.fault = lambda _: status(409, "Conflict", "try again")

    with pytest.raises(ApiError, match="409 Conflict: try again"):
        client.delete(f"{PATH}/a", preconditions_uid="u")


def test_an_answer_in_words_is_an_error_with_these_words(server: CollectionServer, client: ApiClient) -> None:
    server.fault = lambda _: Answer(status=502, body=b"upstream\n  is away")

    with pytest.raises(ApiError) as caught:
        client.get(PATH)

    assert str(caught.value) == f"{server.url} answers 502: upstream is away"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=429, body={}, headers={"Retry-After": "7"}),
        status(503, "ServiceUnavailable", "later", retryAfterSeconds=7),
    ],
)
def test_an_overloaded_server_says_when_to_come_back_and_is_asked_once(
    server: CollectionServer, client: ApiClient, answer: Answer
) -> None:
    server.fault = lambda _: answer

    with pytest.raises(ApiError) as caught:
        client.get(PATH)

    assert caught.value.retry_after == 7
    assert caught.value.overloaded
    assert len(server.requests) == 1


def test_a_read_on_a_kept_connection_that_died_is_asked_once_more(server: CollectionServer, client: ApiClient) -> None:
    client.get(PATH)
    cuts = [True]
    server.fault = lambda _: Answer(cut=True) if cuts and cuts.pop() else None

    assert client.get(PATH)["items"] == []
    assert len(server.requests) == 3


def test_a_server_that_cuts_every_read_is_asked_twice_and_named(server: CollectionServer, client: ApiClient) -> None:
    server.fault = lambda _: Answer(cut=True)

    with pytest.raises(ClusterUnreachableError, match=f"{server.url} does not answer"):
        client.get(PATH)

    assert len(server.requests) == 2


def test_a_write_that_was_cut_is_never_sent_again(server: CollectionServer, client: ApiClient) -> None:
    client.get(PATH)
    server.fault = lambda _: Answer(cut=True)

    with pytest.raises(ClusterUnreachableError, match="whether it was done is not known"):
        client.create(PATH, {"metadata": {"name": "a"}})

    assert [each.method for each in server.requests] == ["GET", "POST"]


def test_an_answer_that_trickles_is_given_up_at_the_limit(server: CollectionServer) -> None:
    server.fault = lambda _: Answer(body={"items": ["x" * 500]}, seconds_per_byte=0.02)

    began = time.monotonic()
    with (
        ApiClient(Access(server=server.url), timeout_seconds=0.5) as client,
        pytest.raises(ClusterUnreachableError, match=r"not complete after 0\.5 s"),
    ):
        client.get(PATH)

    assert time.monotonic() - began < 8


def test_an_answer_that_was_given_up_is_not_taken_for_the_next_one(server: CollectionServer) -> None:
    server.put("a")
    with ApiClient(Access(server=server.url), timeout_seconds=0.5, pool_size=1) as client:
        server.fault = lambda _: Answer(body={"items": ["x" * 500]}, seconds_per_byte=0.02)
        with pytest.raises(ClusterUnreachableError):
            client.get(PATH)
        server.fault = lambda _: None

        # a write, which would not be sent a second time
        assert client.patch(f"{PATH}/a", {})["metadata"]["name"] == "a"


def test_a_cut_answer_is_no_answer(server: CollectionServer, client: ApiClient) -> None:
    server.fault = lambda _: Answer(body=b'{"items": [', headers={"Content-Length": "500", "Connection": "close"})

    with pytest.raises(ClusterUnreachableError):
        client.get(PATH)


def test_bytes_of_a_log_come_as_they_are(server: CollectionServer, client: ApiClient) -> None:
    server.fault = lambda _: Answer(body=b"\xff\x00line\n")

    assert client.text("/api/v1/namespaces/spark-ads/pods/driver/log", tailLines=2) == b"\xff\x00line\n"
    assert server.requests[0].query == {"tailLines": "2"}


def test_a_refused_token_is_renewed_once_and_the_write_sent_again(server: CollectionServer) -> None:
    now, made = [0.0], ["old", "new"]
    access = Access(server=server.url, credentials=RenewedToken(lambda: (made.pop(0), None), clock=lambda: now[0]))
    server.put("a")

    with ApiClient(access) as client:
        client.get(PATH)
        now[0] = 60
        server.fault = lambda request: (
            None if request.headers["Authorization"] == "Bearer new" else status(401, "Unauthorized")
        )
        client.patch(f"{PATH}/a", {})

    assert [each.headers["Authorization"][-3:] for each in server.requests] == ["old", "old", "new"]


def test_a_server_that_refuses_every_token_is_asked_twice(server: CollectionServer) -> None:
    access = Access(server=server.url, credentials=RenewedToken(lambda: ("t", None)))
    server.fault = lambda _: status(401, "Unauthorized", "Unauthorized")

    with ApiClient(access) as client, pytest.raises(ApiError, match="does not know who asks"):
        client.get(PATH)

    assert len(server.requests) == 2


def test_pages_hold_every_object_once_and_one_resource_version(server: CollectionServer, client: ApiClient) -> None:
    for number in range(23):
        server.put(f"n{number:02}")

    pages = list(client.pages(PATH, limit=5, labelSelector="x"))

    assert [len(page.items) for page in pages] == [5, 5, 5, 5, 3]
    assert [page.first for page in pages] == [True, False, False, False, False]
    assert len({page.resource_version for page in pages}) == 1
    assert all(each.query["labelSelector"] == "x" for each in server.requests)


def test_pages_that_expire_begin_again_and_say_so(server: CollectionServer, client: ApiClient) -> None:
    for number in range(7):
        server.put(f"n{number}")

    pages = client.pages(PATH, limit=3)
    assert [each["metadata"]["name"] for each in next(pages).items] == ["n0", "n1", "n2"]
    server.remove("n0")
    server.forget()
    rest = list(pages)

    assert [page.first for page in rest] == [True, False]
    assert [each["metadata"]["name"] for page in rest for each in page.items] == [
        f"n{number}" for number in range(1, 7)
    ]


def test_pages_that_always_expire_end_in_the_servers_words(server: CollectionServer, client: ApiClient) -> None:
    for number in range(3):
        server.put(f"n{number}")
    server.fault = lambda request: status(410, "Expired", "too old") if "continue" in request.query else None

    with pytest.raises(ApiError, match="too old") as caught:
        list(client.pages(PATH, limit=1))

    assert caught.value.expired
    assert len(server.requests) == 8


def test_no_more_calls_are_under_way_than_the_pool_has_connections(server: CollectionServer) -> None:
    under_way, most, lock = [0], [0], threading.Lock()

    def slow(_: Request) -> Answer:
        return Answer(body={}, seconds_per_byte=0.05)

    server.fault = slow
    with ApiClient(Access(server=server.url), pool_size=2) as client:

        def ask() -> None:
            client.get(PATH)
            with lock:
                under_way[0] += 1

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            with lock:
                most[0] = max(most[0], len(server.requests) - under_way[0])
            time.sleep(0.005)

    assert under_way == [6]
    # one that has its answer may not be counted yet when the next is sent
    assert most[0] <= 4


def test_a_closed_client_says_so(server: CollectionServer, client: ApiClient) -> None:
    client.close()

    with pytest.raises(ClusterUnreachableError, match="is closed"):
        client.get(PATH)


def test_a_path_before_the_api_is_kept(server: CollectionServer) -> None:
    with ApiClient(Access(server=f"{server.url}/k8s/clusters/c-1/")) as client, pytest.raises(ApiError):
        client.get(PATH)

    assert server.requests[0].path == f"/k8s/clusters/c-1{PATH}"
