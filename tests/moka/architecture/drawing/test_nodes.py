from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from moka.architecture.clusters import Cluster, NodeGroup, Workload
from moka.architecture.drawing.nodes import nodes_tier
from moka.architecture.drawing.page import Page, Scene
from moka.architecture.network import Network


def group(*types: str, zone: str | None = "a", ami: str = "AL2023_ARM_64_STANDARD", spot: bool = False) -> NodeGroup:
    return NodeGroup(
        of=(f"c/{zone}",),
        pool="executor",
        zone=zone,
        spot=spot,
        ami=ami,
        volume="80 GiB gp3",
        instance_types=types,
        min_nodes=0,
        max_nodes=1,
    )


def cluster(*groups: NodeGroup, workloads: tuple[Workload, ...] = ()) -> Cluster:
    return Cluster(
        key="c/C", of=("c/C",), name="demo", version="1.35", facts=(), node_groups=groups, workloads=workloads
    )


def words(*clusters: Cluster) -> list[str]:
    scene = Scene(page=Page(zones=("a", "b")))
    nodes_tier(scene, 0, Network(vpc=None), clusters)
    root = ET.fromstring(f"<svg>{''.join(scene.canvas.parts())}</svg>")
    return [text.text or "" for text in root.iter("text")]


@pytest.mark.parametrize(
    ("types", "lines"),
    [
        (("m8g.2xlarge",), ["m8g.2xlarge"]),
        (("r8gd.4xlarge", "r7gd.4xlarge"), ["r8gd r7gd 4xlarge"]),
        (("m8g.large", "m8g.xlarge"), ["m8g.large m8g.xlarge"]),
        ((), ["instance type by launch template"]),
    ],
)
def test_types_of_one_size_are_told_with_the_size_once_and_none_is_left_out(
    types: tuple[str, ...], lines: list[str]
) -> None:
    seen = words(cluster(group(*types)))

    assert [line for line in lines if line not in seen] == []


def test_many_types_take_more_lines_and_a_higher_row() -> None:
    families = [f"family{number}" for number in range(9)]
    seen = words(cluster(group(*(f"{family}.4xlarge" for family in families))))
    lines = [line for line in seen if "family" in line or "4xlarge" in line]

    assert len(lines) > 1
    assert " ".join(lines).split() == [*families, "4xlarge"]


@pytest.mark.parametrize(
    ("ami", "machine"),
    [
        ("AL2023_ARM_64_STANDARD", "arm64"),
        ("AL2023_x86_64_STANDARD", "x86-64"),
        ("BOTTLEROCKET_ARM_64", "Bottlerocket arm64"),
        ("CUSTOM", "CUSTOM"),
    ],
)
def test_the_machine_is_told_from_the_image(ami: str, machine: str) -> None:
    seen = " · ".join(words(cluster(group("m8g.large", ami=ami))))

    assert f"{machine} · 80 GiB gp3" in seen


def test_capacity_is_a_word_and_not_only_a_colour() -> None:
    seen = words(cluster(group("m8g.large"), group("m8g.large", zone="b", spot=True)))

    assert (seen.count("on demand"), seen.count("spot"), seen.count("0 to 1 nodes")) == (1, 1, 2)
    assert "2 node groups, up to 2 nodes" in seen


def test_archers_pods_stand_apart_from_the_others() -> None:
    def pods(account: str) -> Workload:
        return Workload(of=("p/R",), namespace="ns", account=account, role="r", mechanism="IRSA")

    seen = words(cluster(group("m8g.large"), workloads=(pods("archer"), pods("spark"))))

    assert "Archer" in seen
    assert "ns/archer as r, by IRSA" in seen
    assert "Pods with roles" in seen


def test_without_clusters_and_subnets_there_is_no_tier() -> None:
    assert words() == []
