from __future__ import annotations

from itertools import pairwise

import pytest

from moka.architecture.drawing.page import NARROWEST, Page


def page(*zones: str | None) -> Page:
    return Page(zones=zones)


@pytest.mark.parametrize("zones", [("a",), ("a", "b", "c"), ("a", "b", "c", "d", "e", "f"), ("a", None)])
def test_columns_stand_side_by_side_within_the_frames(zones: tuple[str | None, ...]) -> None:
    plan = page(*zones)
    boxes = [plan.column(zone, 0, 10) for zone in zones]

    assert all(before.right < after.x for before, after in pairwise(boxes))
    assert boxes[0].x == plan.across(0, 0).x
    assert boxes[-1].right == pytest.approx(plan.across(0, 0).right)
    assert min(box.width for box in boxes) >= 215.9
    assert plan.account[0] < plan.vpc[0] < plan.tier[0] < plan.gutter[0] < plan.columns[0]
    assert sum(plan.columns) < sum(plan.tier) < sum(plan.vpc) < sum(plan.account) < plan.width


def test_lanes_lie_between_the_tiers_and_the_vpcs_frame() -> None:
    plan = page("a", "b", "c")
    inner, outer = plan.right_lanes

    assert plan.vpc[0] < plan.left_lane < plan.tier[0]
    assert sum(plan.tier) < inner < outer < sum(plan.vpc)
    assert outer - inner >= 20, "two numbers have room beside each other"


def test_up_to_three_zones_make_a_picture_of_the_same_width() -> None:
    assert page("a").width == page("a", "b", "c").width == NARROWEST
    assert page("a", "b", "c", "d").width > NARROWEST
