from typing import Any

import pytest


@pytest.fixture(scope="module")
def values(dev: Any) -> dict[str, int]:
    return {each["metadata"]["name"]: each["value"] for each in dev.of_kind("PriorityClass")}


def test_there_is_one_class_for_the_platform_and_two_for_each_tier(values: dict[str, int]) -> None:
    assert sorted(values, key=lambda name: -values[name]) == [
        "moka-platform",
        "moka-tier1-driver",
        "moka-tier1-executor",
        "moka-tier2-driver",
        "moka-tier2-executor",
        "moka-tier3-driver",
        "moka-tier3-executor",
    ]


def test_no_two_classes_are_equal_and_none_is_a_system_class(values: dict[str, int]) -> None:
    assert len(set(values.values())) == len(values)
    assert max(values.values()) <= 1_000_000_000, "above are Kubernetes' own"


def test_pending_pods_of_every_class_make_the_autoscaler_add_nodes(values: dict[str, int]) -> None:
    assert min(values.values()) > -10, "its default expendable-pods-priority-cutoff"


def test_no_class_is_the_default_of_pods_that_name_none(dev: Any) -> None:
    assert [each["globalDefault"] for each in dev.of_kind("PriorityClass")] == [False] * 7


def test_drivers_and_tier_1_are_preempted_last(dev: Any) -> None:
    spared = {
        each["metadata"]["name"]
        for each in dev.of_kind("PriorityClass")
        if each["metadata"].get("annotations") == {"yunikorn.apache.org/allow-preemption": "false"}
    }

    assert spared == {
        "moka-platform",
        "moka-tier1-driver",
        "moka-tier1-executor",
        "moka-tier2-driver",
        "moka-tier3-driver",
    }
