"""Whose requests the API server puts where: it names flow schema and level in each answer."""

from __future__ import annotations

import pytest

from environments.names import ARCHER_GROUP
from k8s_manifests.flow_control import ARCHER, DRIVERS
from testbed.kubernetes import Client
from testbed.spark_applications import wait_until

from .asking import Granted

SCHEMA = "X-Kubernetes-PF-FlowSchema-UID"
LEVEL = "X-Kubernetes-PF-PriorityLevel-UID"
API = "flowcontrol.apiserver.k8s.io/v1"


@pytest.mark.parametrize(
    ("account", "schema", "level"),
    [
        (f"group {ARCHER_GROUP}", ARCHER, ARCHER),
        ("spark-ads/spark", DRIVERS, DRIVERS),
        ("spark-search/spark", DRIVERS, DRIVERS),
        ("moka-operator/spark-operator-controller", "service-accounts", "workload-low"),
        ("moka-yunikorn/yunikorn-admin", "service-accounts", "workload-low"),
    ],
)
def test_drivers_and_archer_wait_in_levels_of_their_own_and_the_operator_in_neither(
    granted: Granted, account: str, schema: str, level: str
) -> None:
    plane = granted.plane
    namespace, slash, name = account.partition("/")
    file = plane.kubeconfig_for(namespace, name) if slash else plane.kubeconfig_as("sorted", [ARCHER_GROUP])
    with plane.client() as api, plane.client(kubeconfig_file=file) as client:
        wanted = {SCHEMA: _uid(api, "FlowSchema", schema), LEVEL: _uid(api, "PriorityLevelConfiguration", level)}

        # a schema that is new is heard of after a moment
        wait_until(lambda: _where(client) == wanted, f"{account} in {schema}, {level}")


def _uid(api: Client, kind: str, name: str) -> str:
    return str(api.get(API, kind, name)["metadata"]["uid"])


def _where(client: Client) -> dict[str, str]:
    """Return where a request was put; whether it was allowed does not matter."""
    answer = client.http.get("/api/v1/namespaces/spark-ads/pods")
    return {header: answer.headers[header] for header in (SCHEMA, LEVEL)}
