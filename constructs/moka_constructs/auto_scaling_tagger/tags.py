"""What the Cluster Autoscaler must know of a group before it has a node: the tags that it reads from Auto Scaling groups.

Source: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md
(scaling a node group from 0). Zone, architecture, vCPU and memory it knows from the group itself.
"""

from collections.abc import Mapping
from typing import Final

from moka_constructs.node_pool import NodePool

DISCOVERY_TAG: Final = "moka.dev/cluster-autoscaler"
"""Marks the groups that the autoscaler of the cluster named in the value may change. EKS puts the usual
k8s.io/cluster-autoscaler/enabled on every group, system groups included, which must keep their size."""
TEMPLATE: Final = "k8s.io/cluster-autoscaler/node-template"
MAX_TAGS: Final = 45
"""Tags of ours on a group: Auto Scaling allows 50, EKS puts on five."""
MAX_KEY_LENGTH: Final = 128


def group_tags(cluster_name: str, pool: NodePool, mandatory: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of the Auto Scaling groups of `pool`: `mandatory` ones, and the autoscaler's unless it is a system pool."""
    if pool.role == "system":
        return dict(mandatory)
    return {
        **mandatory,
        DISCOVERY_TAG: cluster_name,
        **{f"{TEMPLATE}/label/{key}": value for key, value in pool.labels.items()},
        **{f"{TEMPLATE}/taint/{taint.key}": f"{taint.value}:{taint.effect}" for taint in pool.taints},
        f"{TEMPLATE}/resources/ephemeral-storage": f"{pool.ephemeral_storage_gib}Gi",
        f"{TEMPLATE}/autoscaling-options/scaledownunneededtime": f"{pool.scale_down_unneeded_seconds}s",
    }
