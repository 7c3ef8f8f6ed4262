"""The definitions of our chart on the session's cluster, and a namespace for documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from environments import load
from testbed.operator_chart import OperatorChart
from testbed.spark_applications import API, KIND

from .documents import NAMESPACE

if TYPE_CHECKING:
    from testbed.cluster import Cluster
    from testbed.kubernetes import Client


@pytest.fixture(scope="session")
def definitions(plane: Cluster) -> None:
    """The operator's resources are served."""
    environment = load("test")
    OperatorChart.of(environment, environment.clusters[0]).install_definitions(plane)


@pytest.fixture(scope="module")
def _namespace(definitions: None, client: Client) -> Iterator[None]:
    client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, force=True)
    yield
    client.delete("v1", "Namespace", NAMESPACE)


@pytest.fixture
def documents(_namespace: None, client: Client) -> Iterator[str]:
    """The namespace that the documents name, empty again after each test."""
    yield NAMESPACE
    for left in client.list(API, KIND, NAMESPACE):
        if left["metadata"].get("finalizers"):
            client.patch(API, KIND, left["metadata"]["name"], NAMESPACE, body={"metadata": {"finalizers": None}})
    client.request("DELETE", client.path(API, KIND, None, NAMESPACE))
