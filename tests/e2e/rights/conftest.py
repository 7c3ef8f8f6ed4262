"""A control plane with every account, role and flow schema of the largest cluster that is shipped, and nothing that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from environments import load
from environments.names import ARCHER_GROUP
from k8s_manifests import build_charts
from k8s_manifests.rights import accounts_of
from k8s_manifests.rights_reference import PAGE, expanded, read

from .asking import Asker, Granted

if TYPE_CHECKING:
    from testbed.control_plane import ControlPlane
    from testbed.kubernetes import Client, Manifest

ENVIRONMENT, CLUSTER = "prod", "batch"
"""It has every chart: Archer's home, Celeborn, five teams."""
KINDS = {
    "Namespace",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "PriorityLevelConfiguration",
    "FlowSchema",
}


@pytest.fixture(scope="session")
def granted(plane_factory: Callable[..., ControlPlane]) -> Iterator[Granted]:
    """The cluster, its accounts, and what the committed table says about them."""
    environment = load(ENVIRONMENT)
    cluster = environment.cluster(CLUSTER)
    manifests: list[Manifest] = [
        manifest
        for component in build_charts(environment, cluster)
        for manifest in component.manifests
        if manifest["kind"] in KINDS
    ]
    namespaces = {each["metadata"]["name"] for each in manifests if each["kind"] == "Namespace"}
    with plane_factory() as plane:
        with plane.client() as api:
            for manifest in manifests:
                api.apply(manifest, force=True)
        yield Granted(
            plane=plane,
            accounts=accounts_of(manifests),
            namespaces=frozenset(namespaces),
            table=expanded(read(PAGE.read_text(encoding="utf-8")), {n for n in namespaces if n.startswith("spark-")}),
        )


@pytest.fixture(scope="session")
def asker(granted: Granted) -> Iterator[Callable[[str], Asker]]:
    """Who asks as an account: `asker("moka-system/archer")`."""
    made: dict[str, Asker] = {}

    def ask(account: str) -> Asker:
        if account not in made:
            made[account] = Asker(granted, account)
        return made[account]

    yield ask
    for each in made.values():
        each.close()


@pytest.fixture(scope="session")
def archer(granted: Granted) -> Iterator[Client]:
    """A client in Archer's group."""
    plane = granted.plane
    with plane.client(kubeconfig_file=plane.kubeconfig_as("archer", [ARCHER_GROUP])) as client:
        yield client
