"""Kubernetes manifests of the platform: one cdk8s chart per component, typed by hand, rendered offline.

`build_charts(environment, cluster)` gives the ordered files of a cluster. Charts take typed props; only `assembly.py`
reads an environment. Nothing here talks to AWS, to a cluster or to the network, and nothing imports Archer.

The names that need cdk8s are loaded on first use: cdk8s starts a Node, a second that Archer's view need not cost.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from k8s_manifests.archer_config import archer_config
from k8s_manifests.errors import ChartError
from k8s_manifests.images import IMAGES, Image
from k8s_manifests.node_runtime import name_node

if TYPE_CHECKING:
    from k8s_manifests.assembly import Component, build_charts
    from k8s_manifests.text import to_yaml

# before the first import of cdk8s, by whichever module of this package
name_node()

_HOMES = {
    "Component": "k8s_manifests.assembly",
    "build_charts": "k8s_manifests.assembly",
    "to_yaml": "k8s_manifests.text",
}

__all__ = ["IMAGES", "ChartError", "Component", "Image", "archer_config", "build_charts", "to_yaml"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'k8s_manifests' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
