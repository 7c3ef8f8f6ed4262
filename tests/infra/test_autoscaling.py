"""What the stacks write on groups, and what the autoscaler is told to look for, are made apart and must meet."""

import json
import re

import pytest

from environments import environment_names, load
from k8s_manifests.autoscaler_settings import autoscaler_flags, expander_priorities
from moka.assembly import SynthesizedStack

CLUSTERS = [(name, cluster.name) for name in environment_names() for cluster in load(name).clusters]


def tags_of_groups(stack: SynthesizedStack) -> dict[str, dict[str, str]]:
    """{node group: tags of its Auto Scaling group}."""
    (tagger,) = (each for each in stack.resources.values() if each["Type"] == "Custom::MokaAutoScalingTags")
    return {each["name"]: each["tags"] for each in json.loads(tagger["Properties"]["Groups"])}


@pytest.mark.parametrize(("name", "cluster_name"), CLUSTERS)
def test_the_autoscaler_finds_and_ranks_all_groups_but_those_of_system_pools(
    stacks: dict[str, SynthesizedStack], name: str, cluster_name: str
) -> None:
    environment = load(name)
    cluster = next(each for each in environment.clusters if each.name == cluster_name)
    groups = tags_of_groups(stacks[f"{name}/cluster-{cluster_name}"])
    (discovery,) = (
        flag.value for flag in autoscaler_flags(environment, cluster) if flag.name == "node-group-auto-discovery"
    )
    found = {
        group
        for group, tags in groups.items()
        if discovery in {f"asg:tag={key}={value}" for key, value in tags.items()}
    }
    ranked = [
        group
        for patterns in expander_priorities(environment, cluster).values()
        for pattern in patterns
        for group in groups
        if re.search(pattern, f"eks-{group}-1ecf9d2b-7c0a-4d1e-9b5e-2f6d3c4b5a69")
    ]

    assert found
    assert found < set(groups)
    assert not any(group.startswith("system-") for group in found)
    assert sorted(ranked) == sorted(found)
