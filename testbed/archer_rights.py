"""What Archer may do in a cluster: our chart of it, applied to a testbed."""

from environments import Environment
from environments.clusters import Cluster as ClusterSpec
from k8s_manifests import build_charts
from testbed.cluster import Cluster


def install_archer_rights(cluster: Cluster, environment: Environment, spec: ClusterSpec) -> None:
    """Give Archer's group the rights that it has in `spec` of the environment."""
    (rights,) = (each for each in build_charts(environment, spec) if each.name == "archer-rights")
    with cluster.client() as client:
        for manifest in rights.manifests:
            client.apply(manifest, force=True)
