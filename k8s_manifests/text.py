"""YAML text of manifests, by cdk8s's own writer: it quotes what Kubernetes' YAML 1.1 reader would misread ("on", "1e3")."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cdk8s


def to_yaml(*documents: Mapping[str, Any]) -> str:
    """Return the documents as one YAML text, keys in the order given; the same input gives the same bytes."""
    return _text(json.dumps(documents))


@lru_cache(maxsize=16)
def _text(content: str) -> str:
    """Return the text of a JSON list of documents; CRDs take a tenth of a second each, and clusters share theirs."""
    return cdk8s.Yaml.stringify(*json.loads(content))
