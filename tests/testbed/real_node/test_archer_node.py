"""The environment that Archer reads beside a real node: nodes of the machine's own kind, and never more under way than it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from k8s_manifests.archer_config import archer_config
from testbed.real_node.archer_node import QUEUE, TEAM, node_environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_pools_are_of_the_machines_architecture_and_of_small_nodes(tmp_path: Path, architecture: str) -> None:
    (cluster,) = archer_config(node_environment(tmp_path, architecture=architecture, vcores=2))["clusters"]

    shapes = [(pool["role"], pool["architecture"], pool["node_memory_mib"]) for pool in cluster["pools"]]
    assert shapes == [("driver", architecture, 8192), ("executor", architecture, 8192)]


def test_the_jobs_queue_lets_through_what_the_node_has_cores_for(tmp_path: Path) -> None:
    found = archer_config(node_environment(tmp_path, architecture="amd64", vcores=4))

    queues = {queue["path"]: queue for queue in found["queues"]["tree"]}
    (team,) = (each for each in found["teams"] if each["name"] == TEAM)
    (bound,) = (queues[path]["max"] for path in team["queues"] if QUEUE.startswith(f"{path}."))
    assert bound == {"vcores": 4, "memory_gib": 16}
