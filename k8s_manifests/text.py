"""YAML text of manifests, by cdk8s's own writer: it quotes what Kubernetes' YAML 1.1 reader would misread ("on", "1e3")."""

from collections.abc import Mapping
from typing import Any

import cdk8s


def to_yaml(*documents: Mapping[str, Any]) -> str:
    """Return the documents as one YAML text, keys in the order given; the same input gives the same bytes."""
    return cdk8s.Yaml.stringify(*map(dict, documents))
