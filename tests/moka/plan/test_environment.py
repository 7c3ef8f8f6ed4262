from __future__ import annotations

import pytest

from moka.assembly import SynthesizedStack
from moka.plan import make_plan
from moka.plan.graph import CircularError

from .conftest import bucket, stack


def test_stacks_wait_for_the_manifest_and_for_imports(demo: list[SynthesizedStack]) -> None:
    assert make_plan(demo).needs == {
        "network": (),
        "data": (),
        "cluster-c": ("network",),
        "archer": ("data", "cluster-c"),
    }


def test_a_stack_takes_as_long_as_its_longest_chain(demo: list[SynthesizedStack]) -> None:
    plan = make_plan(demo)

    assert plan.seconds == {"network": 80, "data": 20, "cluster-c": 560, "archer": 450}
    assert plan.stacks["cluster-c"].critical_path == ("Key12345678", "Cluster")
    assert plan.stacks["cluster-c"].seconds_one_by_one == 595


def test_the_critical_path_goes_through_the_stacks_that_end_last(demo: list[SynthesizedStack]) -> None:
    plan = make_plan(demo)

    assert plan.critical_path == ("network", "cluster-c", "archer")
    assert plan.total_seconds == 80 + 560 + 450


def test_statistics_of_the_cdk_are_no_resource() -> None:
    plan = make_plan([stack("data", {"CDKMetadata": {"Type": "AWS::CDK::Metadata"}, "B": bucket()})])

    assert list(plan.stacks["data"].resources) == ["B"]


def test_an_empty_stack_takes_no_time() -> None:
    assert make_plan([stack("data", {})]).total_seconds == 0


def test_a_circle_of_resources_names_the_stack_and_the_circle() -> None:
    circle = {"A": bucket(DependsOn="B"), "B": bucket(Properties={"X": {"Ref": "A"}})}

    with pytest.raises(CircularError, match=r"^a resource of stack demo/data needs itself: (A -> B -> A|B -> A -> B);"):
        make_plan([stack("data", circle)])


def test_a_circle_of_stacks_is_refused() -> None:
    both = [stack("a", {"A": bucket()}, depends_on=("b",)), stack("b", {"B": bucket()}, depends_on=("a",))]

    with pytest.raises(CircularError, match="a stack of demo needs itself: "):
        make_plan(both)
