"""A cluster's rendered files: name, text and objects, the same wherever they go: to disk, into a deploy, to a cluster."""

from dataclasses import dataclass
from typing import Final

from environments import Environment
from environments.clusters import Cluster
from k8s_manifests.assembly import SetName, build_charts
from k8s_manifests.base import Manifest

MARK: Final = "# Rendered by `moka render`"
"""What the first line of every rendered file starts with."""


@dataclass(frozen=True, kw_only=True)
class RenderedComponent:
    """One file of a cluster."""

    file_name: str
    text: str
    manifests: tuple[Manifest, ...]
    """The objects of the text."""
    set_name: SetName


def first_line(environment: Environment) -> str:
    """Return the line that tells where a file comes from, with its end."""
    return f"{MARK} from environment {environment.name}: change the environment file or the charts, not this file.\n"


def rendered_components(environment: Environment, cluster: Cluster) -> tuple[RenderedComponent, ...]:
    """Return the files of `cluster`, in order. Raises ChartError when the environment cannot be rendered."""
    mark = first_line(environment)
    return tuple(
        RenderedComponent(
            file_name=component.file_name,
            text=mark + component.to_yaml(),
            manifests=component.manifests,
            set_name=component.set_name,
        )
        for component in build_charts(environment, cluster)
    )
