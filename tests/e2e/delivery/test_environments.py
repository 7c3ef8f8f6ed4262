"""Every shipped environment's rendered set on a real API server: it is taken whole, and taking it again changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from environments import environment_names, load
from moka_constructs.manifest_set.handler.references import Reference
from moka_constructs.manifest_set.handler.run import Delivery
from testbed.nodes import PretendedNodes

from .conftest import Deliveries, kinds_of, rendered, settled, versions

if TYPE_CHECKING:
    from testbed.control_plane import ControlPlane

CLUSTERS = [(name, cluster.name) for name in environment_names() for cluster in load(name).clusters]


@pytest.mark.parametrize(("environment", "cluster"), CLUSTERS, ids=["/".join(each) for each in CLUSTERS])
def test_a_set_applies_cleanly_its_rollouts_complete_and_a_second_apply_changes_nothing(
    environment: str, cluster: str, plane_factory: Callable[..., ControlPlane]
) -> None:
    files = rendered(environment, cluster)
    said: list[str] = []
    owner = f"moka-{environment}-{cluster}"
    with plane_factory() as plane, PretendedNodes(plane) as nodes, Deliveries(plane, said) as deliveries:
        nodes.add_environment(load(environment), cluster)
        api = plane.client()

        def platform() -> Delivery:
            return deliveries.make(set_name="platform", owner=owner, platform_values={"oidc_issuer": "x"})

        first = platform().apply(files)

        members = [Reference.of(manifest) for file in files for manifest in file.manifests]
        assert first.counts()["created"] == len(members)
        assert set(first.outcomes) == set(members)
        for deployment in api.list("apps/v1", "Deployment"):
            wanted = deployment["spec"]["replicas"]
            assert deployment["status"].get("availableReplicas", 0) == wanted, deployment["metadata"]["name"]
        before = settled(api, *kinds_of(files))

        second = platform().apply(files)

        assert versions(api, *kinds_of(files)) == before
        assert second.counts() == {
            **first.counts(),
            "created": 0,
            "unchanged": len(members) - second.counts()["left alone"],
            "left alone": second.counts()["left alone"],
        }
        assert platform().diff(files) == ([], [])
