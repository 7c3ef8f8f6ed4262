from __future__ import annotations

from moka.assembly import SynthesizedStack
from moka.plan import make_plan
from moka.plan.deploy_order import deploy_order

from .conftest import bucket, stack


def test_foundation_comes_before_images_and_these_before_the_rest(demo: list[SynthesizedStack]) -> None:
    steps = deploy_order(make_plan(demo))

    assert [(step.command, step.stacks, step.seconds) for step in steps] == [
        ("./cdk deploy 'demo/{network,data,cluster-*}' --concurrency 2", ("network", "data", "cluster-c"), 640),
        ("moka images push demo", (), None),
        ("./cdk deploy 'demo/**'", ("archer",), 450),
    ]


def test_the_number_asked_for_is_the_number_in_the_commands(demo: list[SynthesizedStack]) -> None:
    first, _, last = deploy_order(make_plan(demo), concurrency=1)

    assert (first.command, first.seconds) == ("./cdk deploy 'demo/{network,data,cluster-*}'", 80 + 20 + 560)
    assert last.command == "./cdk deploy 'demo/**'"


def test_an_existing_network_is_not_deployed() -> None:
    plan = make_plan([stack("cluster-c", {"A": bucket()}), stack("platform-c", {"B": bucket()})])

    assert deploy_order(plan)[0].command == "./cdk deploy 'demo/cluster-*'"
