"""YAML text of manifests, by cdk8s's own writer: it quotes what Kubernetes' YAML 1.1 reader would misread ("on", "1e3")."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cdk8s

_SEPARATOR = "---\n"


def to_yaml(*documents: Mapping[str, Any]) -> str:
    """Return the documents as one YAML text, keys in the order given; the same input gives the same bytes."""
    return _SEPARATOR.join(_document(json.dumps(document)) for document in documents)


@lru_cache(maxsize=64)
def _document(content: str) -> str:
    """Return one document's text from its JSON; a CRD takes a tenth of a second, and clusters share theirs."""
    return cdk8s.Yaml.stringify(json.loads(content))
