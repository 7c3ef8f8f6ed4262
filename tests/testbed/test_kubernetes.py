"""What the client makes of answers that a healthy API server seldom gives; the usual ones are asked for in tests/e2e."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from testbed.kubernetes import ApiError, Client

if TYPE_CHECKING:
    from collections.abc import Callable

PODS = {"resources": [{"name": "pods", "kind": "Pod", "namespaced": True}, {"name": "pods/log", "kind": "Pod"}]}


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=PODS) if request.url.path == "/api/v1" else answer(request)

    return Client("https://api", transport=httpx.MockTransport(handle))


def test_an_answer_that_is_no_status_is_told_as_it_is() -> None:
    with (
        client(lambda _: httpx.Response(502, text="<html>bad gateway</html>")) as broken,
        pytest.raises(ApiError, match=r"502 : <html>bad gateway</html>") as refused,
    ):
        broken.get("v1", "Pod", "a", "default")
    assert refused.value.code == 502


def test_find_is_none_for_404_alone() -> None:
    status = {"kind": "Status", "reason": "NotFound", "message": 'pods "a" not found', "details": {"name": "a"}}
    with client(lambda _: httpx.Response(404, json=status)) as empty:
        assert empty.find("v1", "pods", "a", "default") is None
        with pytest.raises(ApiError) as refused:
            empty.get("v1", "pods", "a", "default")
    assert (refused.value.reason, refused.value.details) == ("NotFound", {"name": "a"})
    with client(lambda _: httpx.Response(403, json={"reason": "Forbidden"})) as closed, pytest.raises(ApiError):
        closed.find("v1", "pods", "a", "default")


def test_a_watch_whose_end_is_an_error_raises_it() -> None:
    lines = '{"type": "ADDED", "object": {"metadata": {"name": "a"}}}\n{"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}\n'
    with client(lambda _: httpx.Response(200, text=lines)) as ended:
        events = ended.watch("v1", "Pod", resource_version="1")

        assert next(events)["object"]["metadata"]["name"] == "a"
        with pytest.raises(ApiError, match="410 Expired: too old"):
            next(events)


def test_a_kind_that_is_not_served_is_asked_for_anew_before_it_is_refused() -> None:
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json={"resources": []})

    with Client("https://api", transport=httpx.MockTransport(handle)) as empty:
        for _ in range(2):
            with pytest.raises(ApiError, match=r"the server serves no Widget in example.com/v1"):
                empty.get("example.com/v1", "Widget", "a")
    assert asked == ["/apis/example.com/v1"] * 3
