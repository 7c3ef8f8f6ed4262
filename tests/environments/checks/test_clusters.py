"""Cluster checks by themselves. Refusals in full are in `cases/clusters.yaml`."""

from collections.abc import Callable
from typing import Any

import pytest

from environments.checks import clusters
from environments.model import Environment

Make = Callable[..., Environment]
AT = ("clusters", 0)


def test_a_public_endpoint_for_named_ranges_is_allowed(environment: Make) -> None:
    endpoint = {"access": "public_and_private", "allowed_cidrs": ["203.0.113.0/24", "198.51.100.0/24"]}
    made = environment("dev", {"clusters.0.endpoint": endpoint})

    assert list(clusters.api_endpoint(made, AT, made.clusters[0])) == []


@pytest.mark.parametrize(("cidr", "allowed"), [("11.0.0.0/8", True), ("10.0.0.0/7", False), ("0.0.0.0/1", False)])
def test_half_the_internet_is_too_much(cidr: str, *, allowed: bool, environment: Make) -> None:
    endpoint: dict[str, Any] = {"access": "public_and_private", "allowed_cidrs": [cidr]}
    made = environment("dev", {"clusters.0.endpoint": endpoint})

    assert (list(clusters.api_endpoint(made, AT, made.clusters[0])) == []) is allowed


def test_thirty_node_groups_are_allowed(environment: Make) -> None:
    copies = {"of": "clusters.0.pools.1", "to": "clusters.0.pools", "changes": {"name": "extra"}, "times": 7}
    made = environment("dev", duplicate=copies)

    assert list(clusters.node_groups(made, AT, made.clusters[0])) == []


def test_an_admin_of_namespaces_does_not_make_up_for_a_missing_cluster_admin(environment: Make) -> None:
    made = environment("dev", {"clusters.0.access.0.namespaces": ["spark-ads"]})

    assert len(list(clusters.an_admin(made, AT, made.clusters[0]))) == 1


def test_the_opt_in_version_is_a_warning(environment: Make) -> None:
    made = environment("dev", {"clusters.0.kubernetes_version": "1.36"})

    (finding,) = clusters.version_notice(made, AT, made.clusters[0])

    assert finding.level == "warning"
    assert list(clusters.version_notice(environment("dev"), AT, environment("dev").clusters[0])) == []
