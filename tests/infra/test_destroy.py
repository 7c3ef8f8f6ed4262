"""What docs/guides/destroy.md promises, compared with the templates."""

import fnmatch
import json
import re
from pathlib import Path

from environments import environment_names, load
from moka.assembly import SynthesizedStack

Stacks = dict[str, SynthesizedStack]
GUIDE = (Path(__file__).parents[2] / "docs/guides/destroy.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return GUIDE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def kept(stack: SynthesizedStack) -> set[str]:
    return {each["Type"] for each in stack.resources.values() if each.get("DeletionPolicy") in {"Retain", "Snapshot"}}


def test_the_guide_names_every_kind_that_outlives_its_stack_and_no_other(stacks: Stacks) -> None:
    found = {kind for stack in stacks.values() for kind in kept(stack)}
    told = set(re.findall(r"^\| `(AWS::\w+::\w+)`", section("What stays on purpose"), re.MULTILINE))

    assert told == found


def test_nothing_outlives_an_environment_that_is_not_kept(stacks: Stacks) -> None:
    thrown_away = {name for name in environment_names() if not load(name).storage.retain}

    assert thrown_away == {"dev", "test"}
    assert {path for path, stack in stacks.items() if path.split("/")[0] in thrown_away and kept(stack)} == set()


def test_what_a_replacement_leaves_is_told(stacks: Stacks) -> None:
    left = {
        each["Type"]
        for stack in stacks.values()
        for each in stack.resources.values()
        if (each.get("DeletionPolicy", "Delete"), each.get("UpdateReplacePolicy")) == ("Delete", "Retain")
    }

    assert left == {"AWS::EKS::Nodegroup"}
    assert "`AWS::EKS::Nodegroup`" in section("What stays on purpose")


def test_the_guides_commands_destroy_every_stack_after_all_that_refer_to_it(assembly: Path) -> None:
    steps = [
        re.findall(r"'dev/([\w*-]+)'", line)
        for line in section("Order").split("```")[1].splitlines()
        if "destroy" in line
    ]

    assert len(steps) == 4
    for name in environment_names():
        artifacts = json.loads((assembly / f"assembly-{name}" / "manifest.json").read_text())["artifacts"]
        names = {
            key: each["displayName"].removeprefix(f"{name}/")
            for key, each in artifacts.items()
            if each["type"] == "aws:cloudformation:stack"
        }
        when = {
            stack: number
            for stack in names.values()
            for number, patterns in enumerate(steps)
            if any(fnmatch.fnmatch(stack, pattern) for pattern in patterns)
        }
        assert set(when) == set(names.values())
        for key, stack in names.items():
            for needed in artifacts[key]["dependencies"]:
                assert needed not in names or when[stack] < when[names[needed]]


def test_the_guide_names_every_protection_that_a_template_turns_on(stacks: Stacks, assembly: Path) -> None:
    protected = {
        resource["Type"]
        for stack in stacks.values()
        for resource in stack.resources.values()
        if resource.get("Properties", {}).get("DeletionProtection") is True
        or {"Key": "deletion_protection.enabled", "Value": "true"}
        in resource.get("Properties", {}).get("LoadBalancerAttributes", [])
    }
    artifacts = json.loads((assembly / "assembly-prod" / "manifest.json").read_text())["artifacts"].values()
    terminations = {
        each["displayName"].removeprefix("prod/").split("-")[0]
        for each in artifacts
        if each.get("properties", {}).get("terminationProtection")
    }

    assert protected == {
        "AWS::EKS::Cluster",
        "AWS::RDS::DBCluster",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
    }
    told = section("Protections")
    assert terminations == {"network", "data", "archer", "cluster"}
    assert "stacks network, data, archer; and the load balancer's deletion protection" in told
    assert "EKS: `DeletionProtection` of the cluster" in told
    assert "RDS: `DeletionProtection` of the database" in told
