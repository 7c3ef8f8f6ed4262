"""The sets of an environment as they are applied by hand: the same files that a deploy carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from environments import names
from k8s_manifests import ChartError
from k8s_manifests.rendered import rendered_components
from moka.errors import BadInputError, MokaError
from moka_constructs.manifest_set.handler.order import ManifestFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from environments import Environment
    from environments.clusters import Cluster

ORDER = ("platform", "archer")
"""Sets in the order of their stacks."""


@dataclass(frozen=True, kw_only=True)
class RenderedSet:
    """One set of one cluster."""

    environment: str
    cluster: str
    eks_cluster: str
    name: str
    files: tuple[ManifestFile, ...]

    def __str__(self) -> str:
        return f"{self.environment}/{self.cluster} {self.name}"


def chosen_clusters(environment: Environment, wanted: Iterable[str] | None) -> list[Cluster]:
    """Return the clusters to work on, all without a choice. Raises BadInputError for one that is not there."""
    known = [cluster.name for cluster in environment.clusters]
    chosen = list(dict.fromkeys(wanted or known))
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise BadInputError(
            f"`--cluster` must be one of {', '.join(known)}, got {', '.join(unknown)}; "
            f"they are the clusters of environment {environment.name}"
        )
    return [environment.cluster(name) for name in chosen]


def rendered_sets(environment: Environment, cluster: Cluster) -> list[RenderedSet]:
    """Return the sets of a cluster that hold anything, in order. Raises MokaError when it cannot be rendered."""
    try:
        components = rendered_components(environment, cluster)
    except ChartError as error:
        raise MokaError(f"environment {environment.name} cannot be rendered: {error}") from error
    sets = []
    for name in ORDER:
        files = [
            ManifestFile(name=each.file_name, manifests=each.manifests) for each in components if each.set_name == name
        ]
        if files:
            sets.append(
                RenderedSet(
                    environment=environment.name,
                    cluster=cluster.name,
                    eks_cluster=names.eks_cluster(environment, cluster),
                    name=name,
                    files=tuple(files),
                )
            )
    return sets
