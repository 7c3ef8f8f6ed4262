"""The calls about clusters, queues and routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.archer.api.conftest import Door


def put(door: Door, path: str, body: Any) -> Any:
    return door.ask("PUT", path, json=body)


def test_a_cluster_says_what_it_holds(door: Door) -> None:
    door.submit()

    (cluster,) = door.get("/api/v1/clusters").json()["clusters"]

    assert (cluster["name"], cluster["mode"], cluster["switch"]) == ("local", "open", None)
    assert (cluster["jobs"], cluster["slots"], cluster["healthy"]) == (0, 1, None)


@pytest.mark.parametrize("mode", ["draining", "paused"])
def test_a_cluster_is_closed_with_a_reason_and_opened_again(door: Door, mode: str) -> None:
    answer = put(door, "/api/v1/clusters/local", {"mode": mode, "message": "upgrade"})

    assert answer.status_code == 200
    (cluster,) = door.get("/api/v1/clusters").json()["clusters"]
    assert (answer.json()["mode"], cluster["mode"], cluster["switch"]["message"]) == (mode, mode, "upgrade")
    assert put(door, "/api/v1/clusters/local", {"mode": "open"}).json()["switch"] is None


def test_queues_say_what_waits_and_what_is_set_for_them(lab: Door) -> None:
    lab.submit(queue="root.ads.ctr.tier1", team="ads")
    put(lab, "/api/v1/queues/root.ads.ctr", {"mode": "paused", "message": "month end"})

    queues = {queue["path"]: queue for queue in lab.get("/api/v1/queues").json()["queues"]}

    assert {path: queue["waiting"] for path, queue in queues.items() if queue["waiting"]} == {
        "root.ads": 1,
        "root.ads.ctr": 1,
        "root.ads.ctr.tier1": 1,
    }
    assert (queues["root.ads.ctr"]["mode"], queues["root.ads.ctr"]["switch"]["message"]) == ("paused", "month end")
    assert [queue["leaf"] for queue in queues.values()].count(True) == 3


@pytest.mark.parametrize(
    ("path", "code", "detail"),
    [
        ("/api/v1/clusters/east", "cluster-not-found", "no cluster 'east'; there are local"),
        (
            "/api/v1/queues/root.adz",
            "queue-not-found",
            (
                "no queue 'root.adz'; there are root.ads, root.ads.ctr, root.ads.ctr.tier1, root.ads.ctr.tier2, "
                "root.shared, root.shared.adhoc, root.shared.adhoc.tier3"
            ),
        ),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_there_are(lab: Door, path: str, code: str, detail: str) -> None:
    answer = put(lab, path, {"mode": "paused", "message": "x"})

    assert answer.status_code == 404
    assert (answer.json()["code"], answer.json()["detail"]) == (code, detail)


@pytest.mark.parametrize("body", [{"mode": "shut"}, {"message": "x"}, {"mode": "open", "until": "noon"}])
def test_a_wrong_mode_is_refused_with_what_is_allowed(lab: Door, body: Any) -> None:
    answer = put(lab, "/api/v1/queues/root.ads", body)

    assert answer.status_code == 422
    assert answer.json()["problems"]


def test_a_route_shows_filters_and_scores_and_submits_nothing(door: Door) -> None:
    put(door, "/api/v1/clusters/local", {"mode": "paused", "message": "upgrade"})

    answer = door.post("/api/v1/route", door.body())

    found = answer.json()
    assert answer.status_code == 200
    assert (found["choice"], found["why"]) == (None, "cluster local is paused by anonymous: upgrade")
    (verdict,) = found["clusters"]
    assert [refusal["filter"] for refusal in verdict["refusals"]] == ["switch"]
    assert {part["name"] for part in verdict["parts"]} == {"capacity", "pending", "weight", "latency"}
    put(door, "/api/v1/clusters/local", {"mode": "open"})
    assert door.post("/api/v1/route", door.body()).json()["choice"] == "local"
    assert door.get("/api/v1/jobs").json()["jobs"] == []


def test_a_route_refuses_what_a_submission_would_be_refused_for(lab: Door) -> None:
    answer = lab.post("/api/v1/route", lab.body(queue="root.ads.gone", team="ads"))

    assert answer.status_code == 422
    assert [problem["path"] for problem in answer.json()["problems"]] == ["queue"]
