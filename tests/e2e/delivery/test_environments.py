"""Every shipped environment's rendered sets on a real API server: they are taken whole, and taking them again changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from environments import environment_names, load
from moka_constructs.manifest_set.handler.apply import Outcome
from moka_constructs.manifest_set.handler.references import Reference
from moka_constructs.manifest_set.handler.run import Delivery
from testbed.nodes import PretendedNodes

from .conftest import Deliveries, eks_own_kind, kinds_of, rendered, settled, versions, volumes_for

if TYPE_CHECKING:
    from testbed.control_plane import ControlPlane

CLUSTERS = [(name, cluster.name) for name in environment_names() for cluster in load(name).clusters]


@pytest.mark.parametrize(("environment", "cluster"), CLUSTERS, ids=["/".join(each) for each in CLUSTERS])
def test_sets_apply_cleanly_their_rollouts_complete_and_a_second_apply_changes_nothing(
    environment: str, cluster: str, plane_factory: Callable[..., ControlPlane]
) -> None:
    sets = {name: files for name in ("platform", "archer") if (files := rendered(environment, cluster, name))}
    everything = [file for files in sets.values() for file in files]
    said: list[str] = []
    with plane_factory() as plane, PretendedNodes(plane) as nodes, Deliveries(plane, said) as deliveries:
        nodes.add_environment(load(environment), cluster)
        api = plane.client()
        for manifest in (eks_own_kind(), *volumes_for(everything)):
            api.create(manifest)

        def deliver(name: str) -> Delivery:
            values = {f"value_of_{name}": "x"}
            return deliveries.make(set_name=name, owner=f"moka-{environment}-{cluster}", platform_values=values)

        first = {name: deliver(name).apply(files) for name, files in sets.items()}

        for name, files in sets.items():
            members = {Reference.of(manifest) for file in files for manifest in file.manifests}
            assert set(first[name].outcomes) == members
            assert set(first[name].outcomes.values()) == {Outcome.CREATED}
        for deployment in api.list("apps/v1", "Deployment"):
            wanted = deployment["spec"]["replicas"]
            assert deployment["status"].get("availableReplicas", 0) == wanted, deployment["metadata"]["name"]
        before = settled(api, *kinds_of(everything))

        second = {name: deliver(name).apply(files) for name, files in sets.items()}

        assert versions(api, *kinds_of(everything)) == before
        for name, files in sets.items():
            assert set(second[name].outcomes.values()) <= {Outcome.UNCHANGED, Outcome.LEFT_ALONE}
            assert deliver(name).diff(files) == ([], [])
