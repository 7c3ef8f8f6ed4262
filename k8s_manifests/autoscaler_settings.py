"""How the Cluster Autoscaler of a cluster is set up: its flags, and which groups it prefers. Pure functions of the environment.

Flags as of https://github.com/kubernetes/autoscaler/blob/01ea19e57fda25c4de7b12e65bbe99b41dcd5b64/cluster-autoscaler/config/flags/flags.go,
expander: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/expander/priority/readme.md. How long a node
must be idle is not a flag but a tag of each pool's groups (`scale_down_unneeded_seconds`), and so is what a new node looks like.
"""

from dataclasses import dataclass
from typing import Any, Final

import yaml

from environments import Environment
from environments import names as moka_names
from environments.clusters import Cluster, Pool

PRIORITY_CONFIG_MAP: Final = "cluster-autoscaler-priority-expander"
"""The name is fixed by the expander; it belongs into the autoscaler's namespace, before the autoscaler starts."""
STATUS_CONFIG_MAP: Final = "cluster-autoscaler-status"
"""Where it writes what it sees of each group: `kubectl -n moka-system get configmap cluster-autoscaler-status -o yaml`."""
LOCK: Final = "cluster-autoscaler"
"""Lease of the replica that works, in the same namespace."""
DISCOVERY_TAG: Final = "moka.dev/cluster-autoscaler"
"""Tag of the groups that it may change; the value is the EKS cluster's name. The stacks write it."""
PRIORITIES: Final = {"spot": 20, "on_demand": 10}
"""The higher one is tried first: on-demand nodes are for pods that cannot run on spot, or when spot gives none."""


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One flag of the autoscaler."""

    name: str
    value: str
    reason: str
    """Why it is not the default, or why the default must stay."""

    @property
    def argument(self) -> str:
        """Return --name=value."""
        return f"--{self.name}={self.value}"


def autoscaler_flags(environment: Environment, cluster: Cluster) -> tuple[Flag, ...]:
    """Return the flags of the autoscaler of `cluster`."""
    namespace, _ = moka_names.SERVICE_ACCOUNTS["cluster-autoscaler"]
    name = moka_names.eks_cluster(environment, cluster)
    return (
        Flag(name="cloud-provider", value="aws", reason="groups are Auto Scaling groups"),
        Flag(name="cluster-name", value=name, reason="in its metrics and status"),
        Flag(name="namespace", value=namespace, reason="where it finds its priorities and keeps its status"),
        Flag(
            name="node-group-auto-discovery",
            value=f"asg:tag={DISCOVERY_TAG}={name}",
            reason="a tag of our own: EKS puts `k8s.io/cluster-autoscaler/enabled` on system groups, too, which must keep their size",
        ),
        Flag(name="leader-elect", value="true", reason="two replicas, of which one works"),
        Flag(name="leader-elect-resource-name", value=LOCK, reason="the lease that its role names"),
        Flag(name="status-config-map-name", value=STATUS_CONFIG_MAP, reason="the ConfigMap that its role names"),
        Flag(
            name="expander",
            value="priority,least-waste",
            reason="spot before on-demand; among equals, the group that leaves the least unused",
        ),
        Flag(
            name="balance-similar-node-groups",
            value="false",
            reason="a job's pods stay in one zone; balancing would spread them and pay for traffic between zones",
        ),
        Flag(
            name="skip-nodes-with-local-storage",
            value="false",
            reason="every Spark pod has an emptyDir, so with the default (true) no executor's node would ever be taken away",
        ),
        Flag(
            name="skip-nodes-with-custom-controller-pods",
            value="true",
            reason="executors belong to a driver and to no ReplicaSet: their nodes go when the last one ended, never before",
        ),
        Flag(
            name="ignore-daemonsets-utilization",
            value="true",
            reason="what runs on every node is no reason to keep a node",
        ),
        Flag(
            name="scale-down-delay-type-local",
            value="true",
            reason="else each new node anywhere stops taking nodes away everywhere for ten minutes; with Spark there is always one",
        ),
        Flag(
            name="max-node-provision-time",
            value="5m0s",
            reason="nodes are ready within two minutes; a spot group that gives none is left for the next one after five, not fifteen",
        ),
        Flag(
            name="aws-use-static-instance-list",
            value="false",
            reason="asks EC2 for the shape of types that are newer than the autoscaler",
        ),
        Flag(
            name="emit-per-nodegroup-metrics",
            value="true",
            reason="tells which pool cannot grow; at most 30 groups, so at most 30 series each",
        ),
        Flag(
            name="kube-client-qps",
            value="300",
            reason="the default of 5 falls behind when a thousand pods come at once",
        ),
        Flag(name="kube-client-burst", value="400", reason="likewise; the default is 10"),
    )


def expander_priorities(environment: Environment, cluster: Cluster) -> dict[int, list[str]]:
    """Return {priority: patterns of group names}, the form that the priority expander reads.

    A pattern names pool and zone: of two pools `executor` and `executor-spot` a pattern of the pool alone would match both.
    """
    found: dict[int, list[str]] = {}
    for pool in cluster.pools:
        if pool.role != "system":
            found.setdefault(PRIORITIES[pool.capacity], []).extend(_patterns(environment, pool))
    return dict(sorted(found.items(), reverse=True))


def _patterns(environment: Environment, pool: Pool) -> list[str]:
    return [f"^{moka_names.node_group_prefix(pool.name)}{zone}-" for zone in environment.pool_zones(pool)]


def priority_config_map(environment: Environment, cluster: Cluster) -> dict[str, Any]:
    """Return the ConfigMap that the priority expander reads."""
    namespace, _ = moka_names.SERVICE_ACCOUNTS["cluster-autoscaler"]
    priorities = yaml.safe_dump(expander_priorities(environment, cluster), sort_keys=False)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": PRIORITY_CONFIG_MAP, "namespace": namespace},
        "data": {"priorities": priorities},
    }
