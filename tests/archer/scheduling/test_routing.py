"""Which cluster a job goes to, and what keeps it out of the others."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from archer.cluster_config import CelebornView, ClusterView, Resources, TeamView
from archer.scheduling.amounts import Ledger
from archer.scheduling.ask import Ask
from archer.scheduling.breaker import Circuit
from archer.scheduling.routing import WEIGHTS, Refusal, Route, Target, route
from archer.store.interface import Mode, Usage
from testbed.archer_builders import make_submission


def view(name: str, *, architecture: str = "arm64", vcpu: int = 16, memory_mib: int = 65536) -> ClusterView:
    pools: list[dict[str, Any]] = [
        {
            "name": role,
            "role": role,
            "capacity": "on_demand",
            "architecture": architecture,
            "node_vcpu": vcpu,
            "node_memory_mib": memory_mib,
            "max_nodes": 10,
            "local_disk": True,
            "node_selector": {},
        }
        for role in ("driver", "executor")
    ]
    return ClusterView.model_validate(
        {
            "name": name,
            "eks_name": name,
            "kubernetes_version": "1.35",
            "creates_per_minute": 100,
            "pools": pools,
        }
    )


def target(name: str = "east", **fields: Any) -> Target:
    return Target(**{"name": name, "view": view(name), **fields})


TEAM = TeamView(
    name="ads",
    namespace="spark-ads",
    service_account="spark",
    clusters=("east", "west"),
    queues=("root.ads",),
    quota=Resources(vcores=100, memory_gib=400),
    pods=100,
)


def routed(
    *targets: Target, team: TeamView | None = TEAM, ledger: Ledger | None = None, limit: str = "", **submission: Any
) -> Route:
    ask = Ask.of(make_submission(**submission), queue="root.ads", namespace="spark-ads", config=None)
    limits = [Refusal(filter="limit", reason=limit, passing=True)] if limit else []
    return route(ask, targets, ledger or Ledger.of([]), team=team, refusals_of=lambda _: limits)


def usage(cluster: str, **held: Any) -> Usage:
    whole: dict[str, Any] = {"jobs": 1, "unacknowledged": 0, "vcores": 0, "memory_mib": 0, "namespace": None}
    return Usage(**{"queue": "root.x", "user": None, "cluster": cluster, **whole, **held})


IMAGES = {"4.0.1": ("amd64", "arm64"), "3.5.8": ("amd64",)}


@pytest.mark.parametrize(
    ("of_target", "submission", "filter_", "reason"),
    [
        ({}, {"cluster": "west"}, "named", "the job asks for cluster west"),
        ({"name": "north"}, {}, "team", "team ads may not use cluster north, but east, west"),
        ({"queues": frozenset({"root.ml"})}, {}, "queue", "cluster east has no queue root.ads"),
        ({"weight": 0.0}, {}, "weight", "cluster east takes only jobs that ask for it: its weight is 0"),
        (
            {"images": IMAGES},
            {"spark_version": "3.4"},
            "spark-version",
            "there is no image with Spark 3.4; there are images with 4.0.1, 3.5.8",
        ),
        (
            {"images": IMAGES},
            {"spark_version": "3.5", "architecture": "arm64"},
            "spark-version",
            "there is no image with Spark 3.5 for arm64; there are images with 4.0.1, 3.5.8",
        ),
        (
            {"images": IMAGES},
            {"spark_version": "3.5"},
            "pool",
            "cluster east has no driver nodes of architecture amd64",
        ),
        ({}, {"shuffle": "celeborn"}, "shuffle", "cluster east has no Celeborn"),
        ({}, {"architecture": "amd64"}, "pool", "cluster east has no driver nodes of architecture amd64"),
        (
            {},
            {"executor": {"capacity": "spot"}},
            "pool",
            "cluster east has no spot executor nodes of architecture arm64",
        ),
        (
            {},
            {"executor": {"memory": "60g"}},
            "pool",
            (
                "no executor node of cluster east holds 1 vcores and 84.0 GiB; "
                "the largest has 16 and 64, less what the system keeps"
            ),
        ),
        (
            {},
            {"driver": {"cores": 16}},
            "pool",
            (
                "no driver node of cluster east holds 16 vcores and 1.4 GiB; "
                "the largest has 16 and 64, less what the system keeps"
            ),
        ),
        (
            {"mode": Mode.DRAINING, "mode_reason": "cluster east is draining by ada: upgrade"},
            {},
            "switch",
            "cluster east is draining by ada: upgrade",
        ),
        (
            {"circuit": Circuit.OPEN, "health_reason": "connection refused"},
            {},
            "health",
            "cluster east doesn't answer: connection refused",
        ),
        ({"healthy": False}, {}, "health", "cluster east doesn't answer"),
        (
            {"tokens": 0, "per_minute": 100},
            {},
            "pace",
            "cluster east takes new applications at its pace, 100 a minute",
        ),
    ],
)
def test_each_filter_keeps_a_job_out_and_says_why(
    of_target: dict[str, Any], submission: dict[str, Any], filter_: str, reason: str
) -> None:
    found = routed(target(**of_target), **submission)

    (verdict,) = found.verdicts
    assert found.choice is None
    assert [(refusal.filter, refusal.reason) for refusal in verdict.refusals] == [(filter_, reason)]
    if filter_ != "named":
        assert found.why == reason


@pytest.mark.parametrize(
    ("of_target", "submission"),
    [
        ({}, {}),
        ({}, {"cluster": "east"}),
        ({"weight": 0.0}, {"cluster": "east"}),
        ({"images": IMAGES}, {"spark_version": "4.0"}),
        ({"images": IMAGES}, {"spark_version": "4.0.1", "architecture": "arm64"}),
        ({"images": IMAGES}, {"spark_version": "3.4", "image": "mine:1"}),
        ({"circuit": Circuit.HALF_OPEN}, {}),
        ({"tokens": 1, "per_minute": 100}, {}),
        ({}, {"driver": {"cores": 15}}),
        ({"view": None, "capacity": 2}, {"spark_version": "4.0"}),
    ],
)
def test_what_no_filter_refuses_may_go(of_target: dict[str, Any], submission: dict[str, Any]) -> None:
    found = routed(target(**of_target), **submission)

    assert (found.choice, found.verdicts[0].refusals) == ("east", [])


def test_a_job_that_wants_celeborn_goes_where_it_is() -> None:
    celeborn = CelebornView(endpoints=("celeborn-master-0.celeborn:9097",))
    west = target("west", view=view("west").model_copy(update={"celeborn": celeborn}), weight=0.1)

    assert routed(target(), west, shuffle="celeborn").choice == "west"
    assert routed(target(), west).choice == "east"


def test_a_limit_keeps_a_job_out_like_a_filter() -> None:
    found = routed(target(), limit="team ads on cluster east holds 100 of 100 vcores")

    assert (found.choice, found.passing, found.common) == (None, True, False)
    assert found.why == "team ads on cluster east holds 100 of 100 vcores"


@pytest.mark.parametrize(
    ("east", "west", "held"),
    [
        ({}, {}, [usage("east", vcores=200)]),
        ({}, {}, [usage("east", namespace="spark-ads", vcores=90)]),
        ({}, {}, [usage("east", unacknowledged=150)]),
        ({"weight": 1.0}, {"weight": 2.0}, []),
        ({"create_seconds": 5.0}, {"create_seconds": 0.1}, []),
    ],
)
def test_the_freer_the_preferred_and_the_quicker_cluster_wins(
    east: dict[str, Any], west: dict[str, Any], held: list[Usage]
) -> None:
    found = routed(target(**east), target("west", **west), ledger=Ledger.of(held))

    assert found.choice == "west"
    assert found.why.startswith("cluster west has the best score")


def test_scores_explain_themselves() -> None:
    held = [usage("east", namespace="spark-ads", vcores=25, jobs=3, unacknowledged=20)]
    (verdict,) = routed(target(create_seconds=1.0), ledger=Ledger.of(held)).verdicts

    assert {part.name: (round(part.value, 3), part.why) for part in verdict.parts} == {
        "capacity": (0.75, "team ads holds 25 of 100 vcores"),
        "pending": (0.9, "20 applications are not up yet"),
        "weight": (1.0, "weight 1"),
        "latency": (0.5, "a create takes 1.00 s"),
    }
    assert verdict.score == pytest.approx(0.75 * 0.5 + 0.9 * 0.25 + 0.15 + 0.05)
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_jobs_of_one_name_stay_together_and_names_spread() -> None:
    clusters = [target("east"), target("west")]
    choices = {name: routed(*clusters, name=name).choice for name in (f"report-{n}" for n in range(200))}

    assert all(routed(*reversed(clusters), name=name).choice == choice for name, choice in choices.items())
    assert min(Counter(choices.values()).values()) > 60


def test_a_cluster_that_comes_moves_no_job_between_the_others() -> None:
    names = [f"report-{n}" for n in range(100)]
    before = {name: routed(target("east"), target("west"), team=None, name=name).choice for name in names}
    after = {
        name: routed(target("east"), target("west"), target("north"), team=None, name=name).choice for name in names
    }

    moved = {name for name in names if before[name] != after[name]}
    assert {after[name] for name in moved} == {"north"}
    assert 10 < len(moved) < 60


def test_a_cluster_that_nobody_knows_is_named_with_those_that_are() -> None:
    found = routed(target("east"), target("west"), cluster="south")

    assert (found.choice, found.passing) == (None, False)
    assert found.why == "the job asks for cluster south, which this server doesn't know; it knows east, west"


def test_of_several_reasons_those_that_pass_are_told() -> None:
    paused = target("west", mode=Mode.PAUSED, mode_reason="cluster west is paused by ada: upgrade")

    found = routed(target(view=view("east", memory_mib=1024)), paused)

    assert (found.choice, found.passing, found.common) == (None, True, False)
    assert found.why == "cluster west is paused by ada: upgrade"


def test_when_every_cluster_is_closed_to_everybody_the_reason_is_common() -> None:
    closed = {"mode": Mode.PAUSED, "mode_reason": "paused"}

    assert routed(target(**closed), target("west", circuit=Circuit.OPEN)).common
    assert not routed(target(**closed), target("west", circuit=Circuit.OPEN), cluster="south").common


def test_a_drained_cluster_sends_jobs_elsewhere_unless_they_named_it() -> None:
    drained = target(mode=Mode.DRAINING, mode_reason="cluster east is draining by ada")

    assert routed(drained, target("west")).choice == "west"
    named = routed(drained, target("west"), cluster="east")
    assert (named.choice, named.why) == (None, "cluster east is draining by ada")
