"""A pool of the environment file as props of a node pool."""

from collections.abc import Mapping
from typing import Final

from environments.clusters import Pool
from environments.instances import instance_types
from infra.outputs import NetworkOutputs
from moka_constructs import NodePoolProps, NodeSettings, NodeSubnet, NodeTaint
from moka_constructs.node_pool import Architecture

_ARCHITECTURES: Final[Mapping[str, Architecture]] = {"amd64": "x86_64", "arm64": "arm64"}
"""Kubernetes' words to EC2's."""
USABLE_SHARE: Final = 0.85
"""Of a volume: kubelet evicts from 10 % free space on, the file system keeps about 5 %."""


def node_pool_props(pool: Pool, zones: tuple[str, ...], network: NetworkOutputs) -> NodePoolProps:
    """Return the props of `pool` in `zones`; the shape is its first instance type's, which all of them share."""
    shape = instance_types()[pool.instance_types[0]]
    return NodePoolProps(
        name=pool.name,
        role=pool.role,
        capacity=pool.capacity,
        instance_types=pool.instance_types,
        architecture=_ARCHITECTURES[shape.architecture],
        settings=NodeSettings(
            operating_system=pool.operating_system,
            max_pods=pool.max_pods,
            vcpus=shape.vcpu,
            nvme_raid0=pool.nvme == "raid0",
        ),
        subnets=_subnets(zones, network),
        min_nodes_per_zone=pool.min_nodes_per_zone,
        max_nodes_per_zone=pool.max_nodes_per_zone,
        ami_release=pool.ami_release_version,
        disk_gib=pool.disk_gib,
        ephemeral_storage_gib=ephemeral_storage_gib(pool),
        scale_down_unneeded_seconds=pool.scale_down_unneeded_seconds,
        labels=pool.labels,
        taints=tuple(NodeTaint(key=taint.key, value=taint.value, effect=taint.effect) for taint in pool.taints),
    )


def ephemeral_storage_gib(pool: Pool) -> int:
    """Return what pods of a node may fill, GiB: the volume, or the smallest array of its types, without the reserve."""
    if pool.nvme != "raid0":
        return int(pool.disk_gib * USABLE_SHARE)
    types = instance_types()
    return int(min(types[name].nvme_gb for name in pool.instance_types) * 10**9 / 2**30 * USABLE_SHARE)


def _subnets(zones: tuple[str, ...], network: NetworkOutputs) -> dict[str, tuple[NodeSubnet, ...]]:
    return {zone: network.node_subnets[zone] for zone in zones}
