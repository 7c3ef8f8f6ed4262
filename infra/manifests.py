"""A set of rendered manifests as a resource of a stack: the platform's in the platform stack, Archer's in the Archer stack."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from constructs import IDependable

from environments import names
from environments.clusters import Cluster
from infra.base import MokaStack
from infra.bundles import Sets
from moka_constructs import ManifestSet, ManifestSetProps

SetName = Literal["platform", "archer"]
PLATFORM: Final = "platform"
"""What a cluster needs before Archer: namespaces, operator, scheduler. Waits for nothing of Archer's."""
ARCHER: Final = "archer"
"""Archer on its host: it needs the database and the load balancer."""


def manifest_set(
    stack: MokaStack,
    cluster: Cluster,
    name: SetName,
    *,
    function_arn: str,
    sets: Sets,
    values: Mapping[str, str],
    after: Sequence[IDependable] = (),
) -> ManifestSet:
    """Deliver a set of `cluster` with `stack`; one without manifests delivers its values alone."""
    environment = stack.environment_file
    bundle = sets.get((cluster.name, name))
    return ManifestSet(
        stack,
        f"{name.capitalize()}Set",
        ManifestSetProps(
            name=name,
            cluster_name=names.eks_cluster(environment, cluster),
            function_arn=function_arn,
            bundle=None if bundle is None else bundle.file,
            digest="" if bundle is None else bundle.digest,
            values=values,
            remove=environment.delivery.remove,
            force_fields=environment.delivery.force_fields,
            after=after,
        ),
    )
