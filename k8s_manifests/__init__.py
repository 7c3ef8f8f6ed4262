"""Kubernetes manifests of the platform: one cdk8s chart per component, typed by hand, rendered offline.

`build_charts(environment, cluster)` gives the ordered files of a cluster. Charts take typed props; only `assembly.py`
reads an environment. Nothing here talks to AWS, to a cluster or to the network, and nothing imports Archer.
"""

# ruff: noqa: E402 - Node must be named before the first import of cdk8s
from k8s_manifests.node_runtime import name_node

name_node()

from k8s_manifests.archer_config import archer_config
from k8s_manifests.assembly import Component, build_charts
from k8s_manifests.errors import ChartError
from k8s_manifests.images import IMAGES, Image
from k8s_manifests.text import to_yaml

__all__ = ["IMAGES", "ChartError", "Component", "Image", "archer_config", "build_charts", "to_yaml"]
