"""Archer's view of an environment as the text of a file, `archer.yaml`: for `moka render`, and for Archer on one machine.

Needs the environment and nothing else: no cdk8s, no Node, no manifest. What Archer would refuse is never written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from archer.cluster_config import parse_cluster_config
from archer.errors import InvalidClusterConfigError
from k8s_manifests import archer_config
from moka.errors import MokaError

if TYPE_CHECKING:
    from environments import Environment

ARCHER_FILE = "archer.yaml"


def archer_file(environment: Environment) -> str:
    """Return the text, keys in the model's order; the same environment gives the same bytes.

    Raises MokaError with every problem when Archer would refuse it.
    """
    text: str = yaml.safe_dump(archer_config(environment), sort_keys=False, allow_unicode=True, width=120)
    try:
        parse_cluster_config(text)
    except InvalidClusterConfigError as error:
        raise MokaError(f"Archer refuses {ARCHER_FILE} of environment {environment.name}:\n{error}") from error
    return text
