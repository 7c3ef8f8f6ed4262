"""A pretended node is what the environment's pool would be: same labels, taints and room as charts and nodes are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from environments.instances import instance_types
from environments.loading import environment_names, load
from infra.pools import ephemeral_storage_gib
from k8s_manifests.placement import on_role
from moka_constructs.user_data import EVICTION_HARD, SYSTEM_RESERVED, NodeSettings, kube_reserved
from testbed.node_shape import allocatable_of, capacity_of, node_manifest

if TYPE_CHECKING:
    from environments.clusters import Cluster, Pool
    from environments.model import Environment

POOLS = [
    pytest.param(environment, cluster, pool, id=f"{environment.name}-{cluster.name}-{pool.name}")
    for environment in map(load, environment_names())
    for cluster in environment.clusters
    for pool in cluster.pools
]


def mib(quantity: str) -> int:
    found = re.fullmatch(r"(\d+)Mi", quantity)
    assert found is not None
    return int(found[1])


def millicores(quantity: str) -> int:
    return int(quantity.removesuffix("m")) if quantity.endswith("m") else int(quantity) * 1000


@pytest.mark.parametrize(("environment", "cluster", "pool"), POOLS)
def test_what_pods_get_is_the_machine_without_what_the_node_is_told_to_keep(
    environment: Environment, cluster: Cluster, pool: Pool
) -> None:
    kind = instance_types()[pool.instance_types[0]]
    told = NodeSettings(
        operating_system=pool.operating_system,
        max_pods=pool.max_pods,
        vcpus=kind.vcpu,
        nvme_raid0=pool.nvme == "raid0",
    )
    kept, capacity, left = kube_reserved(told), capacity_of(pool, kind), allocatable_of(pool, kind)

    assert millicores(capacity["cpu"]) - millicores(left["cpu"]) == millicores(kept["cpu"]) + millicores(
        SYSTEM_RESERVED["cpu"]
    )
    reserves = [kept["memory"], SYSTEM_RESERVED["memory"], EVICTION_HARD["memory.available"]]
    assert mib(capacity["memory"]) - mib(left["memory"]) == sum(map(mib, reserves))
    assert kind.memory_mib * 0.94 < mib(capacity["memory"]) < kind.memory_mib
    assert left["pods"] == str(pool.max_pods)


@pytest.mark.parametrize(("environment", "cluster", "pool"), POOLS)
def test_disk_for_pods_is_what_the_autoscaler_is_told_within_a_gib(
    environment: Environment, cluster: Cluster, pool: Pool
) -> None:
    smallest = min(
        int(allocatable_of(pool, instance_types()[name])["ephemeral-storage"]) for name in pool.instance_types
    )

    assert abs(smallest / 2**30 - ephemeral_storage_gib(pool)) <= max(1.5, ephemeral_storage_gib(pool) * 0.01)


@pytest.mark.parametrize(("environment", "cluster", "pool"), POOLS)
def test_the_placement_of_charts_fits_the_node(environment: Environment, cluster: Cluster, pool: Pool) -> None:
    node = node_manifest(environment, cluster, pool, environment.pool_zones(pool)[0], 0)
    placement = on_role(cluster, pool.role)

    assert placement.node_selector.items() <= node["metadata"]["labels"].items()
    tolerated = {(each["key"], each["value"], each["effect"]) for each in placement.tolerations}
    assert {(each["key"], each["value"], each["effect"]) for each in node["spec"]["taints"]} <= tolerated


def test_types_of_a_pool_take_turns_and_say_zone_capacity_and_architecture() -> None:
    environment = load("dev")
    cluster = environment.clusters[0]
    pool = next(pool for pool in cluster.pools if pool.name == "executor")

    nodes = [node_manifest(environment, cluster, pool, "us-east-1b", number, kubelet_port=4321) for number in range(4)]

    labels = [node["metadata"]["labels"] for node in nodes]
    kinds = [each["node.kubernetes.io/instance-type"] for each in labels]
    assert kinds == ["r8gd.4xlarge", "r7gd.4xlarge", "r6gd.4xlarge", "r8gd.4xlarge"]
    assert {each["topology.kubernetes.io/zone"] for each in labels} == {"us-east-1b"}
    assert {each["eks.amazonaws.com/capacityType"] for each in labels} == {"SPOT"}
    assert {each["kubernetes.io/arch"] for each in labels} == {"arm64"}
    assert nodes[0]["status"]["capacity"]["ephemeral-storage"] == str(int(950e9 * 0.95) // 2**20 * 2**20)
    assert nodes[0]["status"]["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 4321}}
    assert len({node["spec"]["providerID"] for node in nodes}) == 4


def test_a_node_says_the_kubelet_of_its_image() -> None:
    environment = load("dev")
    cluster = environment.clusters[0]
    pool = cluster.pools[0]
    bottlerocket = pool.model_copy(
        update={"operating_system": "bottlerocket", "ami_release_version": "1.64.0-a1b2c3d4"}
    )

    said = [
        node_manifest(environment, cluster, each, "us-east-1a", 0)["status"]["nodeInfo"]
        for each in (pool, bottlerocket)
    ]

    assert [(each["kubeletVersion"], each["osImage"]) for each in said] == [
        ("v1.35.6-eks-testbed", "Amazon Linux 2023"),
        ("v1.35.0-eks-testbed", "Bottlerocket OS"),
    ]
